/** What a history tells of, as data and in words. */

import { type AlarmName, alarmTexts, alarmTitle } from './alarms.ts'
import { groupNotices, type NoticeName, type VerificationLevel } from './group-notices.ts'

/** What happened to the group. */
export type VerificationEventKind =
  /** We opened the room; its first keys are ours. */
  | 'created'
  /** We came in. */
  | 'entered'
  /** We are back after a reload, with our key. */
  | 'restored'
  /** We came in anew: into the same group, or into one that took its place. */
  | 'reentered'
  /** Somebody came whom this page had not seen before. */
  | 'joined'
  /** Somebody whom this page had seen before came back with the same key. */
  | 'returned'
  /** The same, with another key; also without having left. */
  | 'new-key'
  | 'left'
  /** Keys were renewed by who is there anyway. */
  | 'renewed'
  /** Our own membership tells of something; `code` says of what. */
  | 'notice'
  /** Comparing the group with a participant found something wrong: `code`. */
  | 'alarm'
  /** And finds it no more. */
  | 'alarm-over'

/** Something that changed who has a call's keys, or how far that can be trusted. */
export interface VerificationEvent {
  /** Counts from 1 in a call. */
  readonly number: number
  /** When this page heard of it, ms since the Unix epoch by our clock; of several the last. */
  readonly time: number
  /** The epoch since then; 0 before the first. */
  readonly epoch: number
  readonly kind: VerificationEventKind
  readonly level: VerificationLevel
  /** Participant id of whom it is about; ourselves where it is about nobody else. */
  readonly participant: string
  /** Empty while it is not known. */
  readonly name: string
  /** Sentences for a person: what happened, and where there is something to do, what. */
  readonly text: string
  readonly code?: AlarmName | NoticeName
  /** How many times, of renewals and notices that came one after the other. */
  readonly count: number
  /** For logs. */
  readonly detail?: string
}

/** With its sentences. */
export function withText(event: Omit<VerificationEvent, 'text'>): VerificationEvent {
  return { ...event, text: textOf(event) }
}

const CODE_CHANGED = 'The code changed.'

function textOf({ kind, name, count, code, detail }: Omit<VerificationEvent, 'text'>): string {
  const who = name || 'Somebody without a name yet'
  switch (kind) {
    case 'created':
      return 'You opened the room: its first keys are yours.'
    case 'entered':
      return `You joined. Before you ${had(count)} the keys.`
    case 'restored':
      return 'You came back after a reload, with the same key as before.'
    case 'reentered':
      return `You joined the group again. ${CODE_CHANGED}`
    case 'joined':
      return `${who} joined and has the keys from now on. ${CODE_CHANGED}`
    case 'returned':
      return `${who} came back, with the same key as before. ${CODE_CHANGED}`
    case 'new-key':
      return (
        `${who} has another key than before: another device or a cleared browser, or somebody else ` +
        `under that name. ${CODE_CHANGED} Compare it, and your safety number with ${name || 'them'}, again.`
      )
    case 'left':
      return `${who} left and cannot decrypt what is sent from now on. ${CODE_CHANGED}`
    case 'renewed':
      return count === 1
        ? `Keys were renewed, as from time to time; nobody came or left. ${CODE_CHANGED}`
        : `Keys were renewed ${count} times; nobody came or left. ${CODE_CHANGED}`
    case 'notice':
      return isNotice(code) ? noticeText(code, count, detail) : ''
    case 'alarm':
      return isAlarm(code) ? `${who}: ${alarmTexts[code]}` : ''
    case 'alarm-over':
      return isAlarm(code) ? `${who}: this alarm is over: ${alarmTitle(code)}.` : ''
  }
}

/** Of an alarm also what exactly was seen: it may name somebody. */
function noticeText(code: NoticeName, count: number, detail: string | undefined): string {
  const { level, text } = groupNotices[code]
  const seen = level === 'alarm' && detail !== undefined ? ` (${detail})` : ''
  const times = count > 1 ? ` (${count} times)` : ''
  return `${text}${seen}${times}`
}

function had(count: number): string {
  if (count === 0) return 'nobody had'
  return count === 1 ? 'one other had' : `${count} others had`
}

function isAlarm(code: VerificationEvent['code']): code is AlarmName {
  return code !== undefined && code in alarmTexts
}

function isNotice(code: VerificationEvent['code']): code is NoticeName {
  return code !== undefined && code in groupNotices
}
