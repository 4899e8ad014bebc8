import { describe, expect, it } from 'vitest'
import { roomProblem } from './query.ts'
import {
  dayAndTime,
  firstSentence,
  groupDigits,
  hueOf,
  initials,
  roomFrom,
  sinceText,
} from './text.ts'

describe('groupDigits', () => {
  it('makes six groups of five, and none of nothing', () => {
    expect(groupDigits('012345678901234567890123456789').join(' ')).toBe(
      '01234 56789 01234 56789 01234 56789',
    )
    expect(groupDigits('')).toEqual([])
    expect(groupDigits('1234567')).toEqual(['12345', '67'])
  })
})

describe('sinceText', () => {
  const member = (local: boolean, wasBefore: boolean) => ({
    leaf: 1,
    id: 'ann',
    name: 'Ann',
    local,
    fingerprint: '',
    since: { epoch: 4, time: 0, wasBefore },
  })

  it('says no time of who was there before this page could see it', () => {
    expect(sinceText(member(true, false), '14:03')).toBe('Here since 14:03 (epoch 4)')
    expect(sinceText(member(false, false), '14:03')).toBe('Came at 14:03 (epoch 4)')
    expect(sinceText(member(false, true), '14:03')).toBe('Was here before you')
  })
})

describe('dayAndTime', () => {
  const noon = new Date(2030, 0, 2, 12, 3).getTime()

  it('names the day only of what was on another one', () => {
    const today = dayAndTime(noon, noon + 60_000)
    const yesterday = dayAndTime(noon, noon + 86_400_000)
    expect(today).toMatch(/^12[:.]03( PM)?$/)
    expect(yesterday).toContain(today)
    expect(yesterday.length).toBeGreaterThan(today.length)
  })
})

describe('firstSentence', () => {
  it('ends with its full stop, and is all of what has no second one', () => {
    expect(firstSentence('Ghost member: it hides. It may listen.')).toBe('Ghost member: it hides.')
    expect(firstSentence('It hides.')).toBe('It hides.')
  })
})

describe('initials', () => {
  it.each([
    ['Ada Lovelace', 'AL'],
    ['ada', 'A'],
    ['Ada King, Countess of Lovelace', 'AL'],
    ['  ', '?'],
    ['', '?'],
    ['🦊 fox', '🦊F'],
    ['éa', 'É'],
  ])('%s is %s', (name, expected) => {
    expect(initials(name)).toBe(expected)
  })
})

describe('hueOf', () => {
  it('is the same for the same participant, and differs between some', () => {
    expect(hueOf('p-1')).toBe(hueOf('p-1'))
    expect(hueOf('p-1')).not.toBe(hueOf('p-2'))
    expect(hueOf('a long participant id, with much in it')).toBeLessThan(360)
  })
})

describe('roomFrom', () => {
  it('is a room that may be joined, made of all the randomness', () => {
    const room = roomFrom(Uint8Array.from({ length: 16 }, (_, i) => i * 16))
    expect(room).toMatch(/^(\w{4}-){3}\w{4}$/)
    expect(roomProblem(room)).toBeNull()
    expect(roomFrom(new Uint8Array(16))).not.toBe(room)
  })
})
