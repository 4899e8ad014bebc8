/** Small texts: what stands for a person without a picture, and digits that can be read out. */

import type { GroupMember } from '../index.ts'

/** `123456789…` as `12345 6789…`. */
export function groupDigits(code: string, size = 5): string[] {
  const groups: string[] = []
  for (let at = 0; at < code.length; at += size) groups.push(code.slice(at, at + size))
  return groups
}

/** At most two letters, of the first and the last word; `?` while the name is not known. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((word) => word !== '')
  const ends = words.length > 1 ? [words[0]!, words.at(-1)!] : words
  return (
    ends.map((word) => String.fromCodePoint(word.codePointAt(0)!).toUpperCase()).join('') || '?'
  )
}

/** A hue, 0..359 degrees, that is always the same for a participant. */
export function hueOf(id: string): number {
  let hash = 0
  for (let i = 0; i < id.length; i++) hash = (hash * 31 + id.charCodeAt(i)) >>> 0
  return hash % 360
}

/**
 * Since when somebody has the keys, as far as this page has seen.
 * @param time when that was, as a person reads it
 */
export function sinceText({ local, since }: GroupMember, time: string): string {
  if (local) return `Here since ${time} (epoch ${since.epoch})`
  if (since.wasBefore) return 'Was here before you'
  return `Came at ${time} (epoch ${since.epoch})`
}

/** What is said at length elsewhere. */
export function firstSentence(text: string): string {
  const end = text.indexOf('. ')
  return end < 0 ? text : text.slice(0, end + 1)
}

// Once: to make one takes longer than all else that a redraw does.
const TIME = new Intl.DateTimeFormat([], { timeStyle: 'short' })
const DAY_AND_TIME = new Intl.DateTimeFormat([], { dateStyle: 'short', timeStyle: 'short' })

/**
 * When something was, by the reader's own clock and habits; the day only where it was another one.
 * @param time ms since the Unix epoch
 */
export function dayAndTime(time: number, now: number): string {
  const isToday = new Date(time).toDateString() === new Date(now).toDateString()
  return (isToday ? TIME : DAY_AND_TIME).format(time)
}

const ROOM_ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789'

/**
 * A room that nobody guesses, e.g. `k3vq-x2mw-7hdc-9tzn`: 79 bits.
 * @param random bytes, 16 of them are used
 */
export function roomFrom(random: Uint8Array): string {
  let room = ''
  for (let i = 0; i < 16; i++) {
    if (i > 0 && i % 4 === 0) room += '-'
    room += ROOM_ALPHABET[random[i]! % ROOM_ALPHABET.length]
  }
  return room
}
