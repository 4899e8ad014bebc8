/** What draft-18 allows on the wire, where other tests show only what is often used. */

import { describe, expect, it } from 'vitest'
import { SessionCode } from './codes.ts'
import { decodeDatagram } from './datagram.ts'
import { ProtocolError } from './errors.ts'
import type { ControlMessage, MessageType } from './messages.ts'
import { namespaceOf, trackOf } from './names.ts'
import type { Parameters } from './parameters.ts'
import { decodeProperties } from './properties.ts'
import { Reader } from './reader.ts'
import { isSubgroupType, readSubgroupHeader } from './subgroup.ts'
import { SubgroupParser } from './subgroup-parser.ts'
import { codecFor } from './versions.ts'
import { Writer } from './writer.ts'

const codec = codecFor('moqt-18')
const VIOLATION = expect.objectContaining({
  name: 'ProtocolError',
  code: SessionCode.PROTOCOL_VIOLATION,
})
const TOP = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]

/** SUBSCRIBE of `a`--`n` with the bytes of one parameter. */
function subscribeWith(parameter: number[]): ControlMessage {
  const body = Uint8Array.of(0, 1, 1, 0x61, 1, 0x6e, 1, ...parameter)
  return codec.decode(0x3, new Reader(body), 'request')
}

function again(message: ControlMessage): ControlMessage {
  const bytes = codec.encode(message)
  const reader = new Reader(bytes)
  const type = reader.vi64()
  reader.uint16()
  return codec.decode(type, new Reader(bytes, reader.offset), 'request')
}

const namespace = namespaceOf('a')
const track = trackOf(namespace, 'n')
const at = { group: 1, object: 2 }
const WITH_PARAMETERS: Partial<Record<MessageType, (parameters: Parameters) => ControlMessage>> = {
  SUBSCRIBE: (parameters) => ({ type: 'SUBSCRIBE', requestId: 0, track, parameters }),
  TRACK_STATUS: (parameters) => ({ type: 'TRACK_STATUS', requestId: 0, track, parameters }),
  SUBSCRIBE_OK: (parameters) => ({
    type: 'SUBSCRIBE_OK',
    trackAlias: 1,
    parameters,
    properties: [],
  }),
  REQUEST_UPDATE: (parameters) => ({ type: 'REQUEST_UPDATE', requestId: 0, parameters }),
  PUBLISH: (parameters) => ({
    type: 'PUBLISH',
    requestId: 0,
    track,
    trackAlias: 1,
    parameters,
    properties: [],
  }),
  FETCH: (parameters) => ({
    type: 'FETCH',
    requestId: 0,
    range: { kind: 'standalone', track, start: at, end: at },
    parameters,
  }),
  FETCH_OK: (parameters) => ({
    type: 'FETCH_OK',
    endOfTrack: false,
    end: at,
    parameters,
    properties: [],
  }),
  PUBLISH_NAMESPACE: (parameters) => ({
    type: 'PUBLISH_NAMESPACE',
    requestId: 0,
    namespace,
    parameters,
  }),
  SUBSCRIBE_NAMESPACE: (parameters) => ({
    type: 'SUBSCRIBE_NAMESPACE',
    requestId: 0,
    prefix: namespace,
    parameters,
  }),
  SUBSCRIBE_TRACKS: (parameters) => ({
    type: 'SUBSCRIBE_TRACKS',
    requestId: 0,
    prefix: namespace,
    parameters,
  }),
  REQUEST_OK: (parameters) => ({ type: 'REQUEST_OK', parameters, properties: [] }),
}

/** Sections 10.2.2 to 10.2.14; REQUEST_OK stands for PUBLISH_OK and its other names. */
const PLACES: readonly [Parameters, readonly MessageType[]][] = [
  [
    { authorizationTokens: [{ kind: 'use-alias', alias: 1 }] },
    [
      'PUBLISH',
      'SUBSCRIBE',
      'REQUEST_UPDATE',
      'SUBSCRIBE_NAMESPACE',
      'SUBSCRIBE_TRACKS',
      'PUBLISH_NAMESPACE',
      'TRACK_STATUS',
      'FETCH',
    ],
  ],
  [{ subgroupDeliveryTimeout: 5 }, ['REQUEST_OK', 'SUBSCRIBE', 'REQUEST_UPDATE']],
  [{ objectDeliveryTimeout: 5 }, ['REQUEST_OK', 'SUBSCRIBE', 'REQUEST_UPDATE']],
  [{ fillTimeout: 5 }, ['FETCH']],
  [{ rendezvousTimeout: 5 }, ['SUBSCRIBE']],
  [{ subscriberPriority: 5 }, ['SUBSCRIBE', 'FETCH', 'REQUEST_UPDATE', 'REQUEST_OK']],
  [{ groupOrder: 'descending' }, ['SUBSCRIBE', 'REQUEST_OK', 'FETCH']],
  [{ filter: { kind: 'largest-object' } }, ['SUBSCRIBE', 'REQUEST_OK', 'REQUEST_UPDATE']],
  [{ expires: 5 }, ['SUBSCRIBE_OK', 'PUBLISH', 'REQUEST_OK']],
  [{ largestObject: at }, ['SUBSCRIBE_OK', 'PUBLISH', 'REQUEST_OK']],
  [
    { forward: false },
    ['SUBSCRIBE', 'REQUEST_UPDATE', 'PUBLISH', 'REQUEST_OK', 'SUBSCRIBE_TRACKS'],
  ],
  [{ newGroupRequest: 5 }, ['REQUEST_OK', 'SUBSCRIBE', 'REQUEST_UPDATE']],
  [{ namespacePrefix: namespace }, ['REQUEST_UPDATE']],
]

describe('message parameters (section 10.2)', () => {
  it('stand in the messages that the draft names for them, and in no other', () => {
    for (const [parameters, places] of PLACES) {
      for (const [type, make] of Object.entries(WITH_PARAMETERS)) {
        const message = make(parameters)
        if (places.some((place) => place === type)) expect(again(message)).toEqual(message)
        else expect(() => again(message)).toThrow(VIOLATION)
      }
    }
  })

  it.each([
    ['FORWARD 2 (10.2.12)', [0x10, 2]],
    ['GROUP_ORDER 0 (10.2.8)', [0x22, 0]],
    ['GROUP_ORDER 3 (10.2.8)', [0x22, 3]],
    ['filter type 0 (5.1.2)', [0x21, 1, 0]],
    ['filter type 5 (5.1.2)', [0x21, 1, 5]],
    ['a filter that is longer than its fields', [0x21, 2, 1, 0]],
    ['an end group above 2^64-1 (5.1.2)', [0x21, 12, 4, 1, 0, ...TOP]],
    ['a parameter type above 2^53-1', [...TOP, 0]],
  ])('end the session with a value that the draft forbids: %s', (_, parameter) => {
    expect(() => subscribeWith(parameter)).toThrow(VIOLATION)
  })

  it('end the session with a token that cannot be decoded (10.2.2)', () => {
    const code = SessionCode.KEY_VALUE_FORMATTING_ERROR
    for (const token of [[4, 0], [], [1, 1], [2], [2, 1, 0]]) {
      const parameter = [0x03, token.length, ...token]
      expect(() => subscribeWith(parameter)).toThrow(expect.objectContaining({ code }))
    }
  })
})

describe('Key-Value-Pairs (section 1.4.3)', () => {
  it('have types up to 2^64-1 and values up to 65535 bytes', () => {
    const longest = new Writer().vi64(1).vi64(65_535).bytes(new Uint8Array(65_535)).finish()
    expect(decodeProperties(longest)).toHaveLength(1)
    const longer = new Writer().vi64(1).vi64(65_536).bytes(new Uint8Array(65_536)).finish()
    expect(() => decodeProperties(longer)).toThrow(VIOLATION)
    expect(decodeProperties(Uint8Array.of(...TOP, 0))).toEqual([
      { type: 2n ** 64n - 1n, value: new Uint8Array(0) },
    ])
    expect(() => decodeProperties(Uint8Array.of(...TOP, 0, 1, 0))).toThrow(VIOLATION)
  })
})

describe('FETCH (section 10.12)', () => {
  it('is of type 1, 2 or 3', () => {
    const fetch = (type: number) =>
      codec.decode(0x16, new Reader(Uint8Array.of(0, type, 4, 5, 0)), 'request')
    expect(fetch(2)).toMatchObject({ range: { kind: 'relative-joining', joiningRequestId: 4 } })
    expect(fetch(3)).toMatchObject({ range: { kind: 'absolute-joining', joiningStart: 5 } })
    for (const type of [0, 4, 0x40]) expect(() => fetch(type)).toThrow(VIOLATION)
  })
})

describe('subgroup headers (section 11.4.2)', () => {
  it('have the 48 types of the draft, each with its fields', () => {
    const types: number[] = []
    for (let type = 0; type <= 0xff; type++) {
      if (!isSubgroupType(type)) continue
      const reader = new Reader(Uint8Array.of(7, 8, 9, 10))
      if ((type & 0x06) === 0x06) {
        expect(() => readSubgroupHeader(type, reader)).toThrow(VIOLATION)
        continue
      }
      types.push(type)
      const explicit = (type & 0x06) === 0x04
      const subgroup = explicit ? 9 : (type & 0x06) === 0x02 ? null : 0
      const priority = explicit ? 10 : 9
      expect(readSubgroupHeader(type, reader)).toEqual({
        trackAlias: 7,
        group: 8,
        subgroup,
        priority: type & 0x20 ? null : priority,
        hasProperties: (type & 0x01) !== 0,
        endOfGroup: (type & 0x08) !== 0,
        firstObject: (type & 0x40) !== 0,
      })
    }
    const valid = [0x10, 0x18, 0x30, 0x38, 0x50, 0x58, 0x70, 0x78]
    expect(types).toEqual(valid.flatMap((first) => [0, 1, 2, 3, 4, 5].map((n) => first + n)))
  })

  it('come before objects: a status stands for no payload, and has no properties (11.2.1.2)', () => {
    const header = {
      trackAlias: 1,
      group: 0,
      subgroup: 0,
      priority: 0,
      hasProperties: true,
      endOfGroup: false,
      firstObject: true,
    }
    const parse = (...bytes: number[]) => {
      const statuses: number[] = []
      const parser = new SubgroupParser(header, 100, ({ status }) => statuses.push(status))
      parser.feed(Uint8Array.from(bytes))
      parser.finish()
      return statuses
    }
    expect(parse(0, 2, 4, 1, 0, 0)).toEqual([0])
    expect(parse(0, 0, 0, 3)).toEqual([3])
    expect(() => parse(0, 2, 4, 1, 0, 3)).toThrow(VIOLATION)
    for (const status of [1, 2, 5]) expect(() => parse(0, 0, 0, status)).toThrow(VIOLATION)
    // The next id would be above the largest.
    expect(() => parse(0, 0, 1, 9, ...TOP, 0, 1, 9)).toThrow(ProtocolError)
  })
})

describe('object datagrams (section 11.3.1)', () => {
  it('have the 24 types of the draft, each with its fields', () => {
    const types: number[] = []
    for (let type = 0; type <= 0x7f; type++) {
      const fields = [7, 8]
      if (!(type & 0x04)) fields.push(9)
      if (!(type & 0x08)) fields.push(10)
      if (type & 0x01) fields.push(2, 4, 1)
      fields.push(0)
      try {
        const { trackAlias, object } = decodeDatagram(Uint8Array.of(type, ...fields))!
        types.push(type)
        expect(trackAlias).toBe(7)
        expect(object).toMatchObject({
          group: 8,
          subgroup: null,
          object: type & 0x04 ? 0 : 9,
          priority: type & 0x08 ? null : 10,
          hasProperties: (type & 0x01) !== 0,
          endOfGroup: (type & 0x02) !== 0,
          payloadLength: type & 0x20 ? 0 : 1,
        })
      } catch (error) {
        expect(error).toEqual(VIOLATION)
      }
    }
    const plain = Array.from({ length: 16 }, (_, type) => type)
    expect(types).toEqual([...plain, 0x20, 0x21, 0x24, 0x25, 0x28, 0x29, 0x2c, 0x2d])
  })
})
