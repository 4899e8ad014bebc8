import { describe, expect, it } from 'vitest'
import { namespaceOf, textOf } from '../wire/names.ts'
import {
  checkId,
  parseParticipantNamespace,
  parseTrackName,
  participantNamespace,
  roomNamespace,
  videoTrackName,
} from './names.ts'

describe('namespaces of a call', () => {
  it('are (sotto, room, participant) and parse back', () => {
    const namespace = participantNamespace('Grüße', 'p-1')
    expect(namespace.map(textOf)).toEqual(['sotto', 'Grüße', 'p-1'])
    expect(parseParticipantNamespace(namespace)).toEqual({ room: 'Grüße', participant: 'p-1' })
    expect(roomNamespace('r').map(textOf)).toEqual(['sotto', 'r'])
  })

  it('of the service, another root or another length are no participant', () => {
    expect(parseParticipantNamespace(namespaceOf('sotto', 'r', '.mls'))).toBeNull()
    expect(parseParticipantNamespace(namespaceOf('other', 'r', 'p'))).toBeNull()
    expect(parseParticipantNamespace(namespaceOf('sotto', 'r'))).toBeNull()
    const notUtf8 = [...namespaceOf('sotto', 'r'), Uint8Array.of(0xff)]
    expect(parseParticipantNamespace(notUtf8)).toBeNull()
  })

  it.each([
    ['', /room id is empty/],
    ['.mls', /starts with '\.'/],
    ['\ud800', /well-formed/],
    ['x'.repeat(129), /128 bytes/],
    ['ü'.repeat(65), /128 bytes/],
  ])('refuse the id %j and say why', (id, reason) => {
    expect(() => checkId('room', id)).toThrow(reason)
  })

  it('take an id of exactly 128 bytes', () => {
    expect(checkId('participant', 'ü'.repeat(64))).toBe('ü'.repeat(64))
  })
})

describe('track names', () => {
  it('parse into kind and rendition', () => {
    expect(parseTrackName(videoTrackName(2))).toEqual({ kind: 'video', rendition: 2 })
    expect(parseTrackName('screen-audio')).toEqual({ kind: 'screen-audio', rendition: null })
  })

  it.each([
    'video',
    'video/',
    'video/01',
    'video/16',
    'video/-1',
    'constructor',
    '',
  ])('do not take %j', (name) => expect(parseTrackName(name)).toBeNull())

  it('have at most 16 renditions', () => {
    expect(() => videoTrackName(16)).toThrow('rendition 16')
    expect(() => videoTrackName(0.5)).toThrow()
  })
})
