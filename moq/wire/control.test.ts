import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RequestCode } from './codes.ts'
import { ProtocolError } from './errors.ts'
import type { Location } from './location.ts'
import type { ControlMessage } from './messages.ts'
import type { Parameters } from './parameters.ts'
import { Reader } from './reader.ts'
import { CODEC_VERSIONS, codecFor, VERSIONS } from './versions.ts'
import { readVi64, vi64Length } from './vi64.ts'

const id = fc.maxSafeNat()
const small = fc.nat(60_000)
const field = fc.uint8Array({ minLength: 1, maxLength: 12 })
const namespace = fc.array(field, { maxLength: 6 })
const track = fc.record({ namespace, name: fc.uint8Array({ maxLength: 12 }) })
const location: fc.Arbitrary<Location> = fc.record({ group: id, object: id })
const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const filter: fc.Arbitrary<NonNullable<Parameters['filter']>> = fc.oneof(
  fc.constant({ kind: 'largest-object' as const }),
  fc.constant({ kind: 'next-group-start' as const }),
  fc.record({ kind: fc.constant('absolute-start' as const), start: location }),
  fc.tuple(fc.nat(2 ** 30), fc.nat(), fc.nat(2 ** 30)).map(([group, object, delta]) => ({
    kind: 'absolute-range' as const,
    start: { group, object },
    endGroup: group + delta,
  })),
)
const token = fc.oneof(
  fc.record({ kind: fc.constant('delete' as const), alias: id }),
  fc.record({
    kind: fc.constant('register' as const),
    alias: id,
    type: id,
    value: fc.uint8Array({ maxLength: 30 }),
  }),
  fc.record({ kind: fc.constant('use-alias' as const), alias: id }),
  fc.record({
    kind: fc.constant('use-value' as const),
    type: id,
    value: fc.uint8Array({ maxLength: 30 }),
  }),
)
const tokens = fc.array(token, { minLength: 1, maxLength: 3 })
const order = fc.constantFrom('ascending' as const, 'descending' as const)
const byte = fc.nat(255)
const optional = { requiredKeys: [] as [] }
const properties = fc
  .array(
    fc.oneof(
      fc.tuple(fc.nat(5000), id).map(([t, value]) => ({ type: t * 2, value })),
      fc
        .tuple(fc.nat(5000), fc.uint8Array({ maxLength: 20 }))
        .map(([t, value]) => ({ type: t * 2 + 1, value })),
      fc.constant({ type: 0x3fff_ffff_ffff_ffden, value: 7 }),
    ),
    { maxLength: 5 },
  )
  .map((list) => list.sort((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0)))

const subscribeParameters = fc.record(
  {
    objectDeliveryTimeout: small,
    authorizationTokens: tokens,
    rendezvousTimeout: small,
    subgroupDeliveryTimeout: small,
    forward: fc.boolean(),
    subscriberPriority: byte,
    filter,
    groupOrder: order,
    newGroupRequest: id,
  },
  optional,
)
const withTokens = fc.record({ authorizationTokens: tokens }, optional)
const okParameters = fc.record({ expires: small, largestObject: location }, optional)

const message: fc.Arbitrary<ControlMessage> = fc.oneof(
  fc.record({ type: fc.constant('SETUP' as const), options: properties }),
  fc.record({ type: fc.constant('GOAWAY' as const), newSessionUri: text, timeout: small }),
  fc.record({
    type: fc.constant('SUBSCRIBE' as const),
    requestId: id,
    track,
    parameters: subscribeParameters,
  }),
  fc.record({
    type: fc.constant('TRACK_STATUS' as const),
    requestId: id,
    track,
    parameters: withTokens,
  }),
  fc.record({
    type: fc.constant('SUBSCRIBE_OK' as const),
    trackAlias: id,
    parameters: okParameters,
    properties,
  }),
  fc.record({
    type: fc.constant('PUBLISH' as const),
    requestId: id,
    track,
    trackAlias: id,
    parameters: fc.record(
      { expires: small, largestObject: location, forward: fc.boolean() },
      optional,
    ),
    properties,
  }),
  fc.record({
    type: fc.constant('PUBLISH_DONE' as const),
    status: small,
    streamCount: fc.option(small),
    reason: text,
  }),
  fc.record({
    type: fc.constant('FETCH' as const),
    requestId: id,
    range: fc.oneof(
      fc.record({
        kind: fc.constant('standalone' as const),
        track,
        start: location,
        end: location,
      }),
      fc.record({
        kind: fc.constantFrom('relative-joining' as const, 'absolute-joining' as const),
        joiningRequestId: id,
        joiningStart: id,
      }),
    ),
    parameters: fc.record(
      { fillTimeout: small, subscriberPriority: byte, groupOrder: order },
      optional,
    ),
  }),
  fc.record({
    type: fc.constant('FETCH_OK' as const),
    endOfTrack: fc.boolean(),
    end: location,
    parameters: fc.constant({}),
    properties,
  }),
  fc.record({
    type: fc.constant('PUBLISH_NAMESPACE' as const),
    requestId: id,
    namespace,
    parameters: withTokens,
  }),
  fc.record({
    type: fc.constant('SUBSCRIBE_NAMESPACE' as const),
    requestId: id,
    prefix: namespace,
    parameters: withTokens,
  }),
  fc.record({
    type: fc.constant('SUBSCRIBE_TRACKS' as const),
    requestId: id,
    prefix: namespace,
    parameters: fc.record({ forward: fc.boolean() }, optional),
  }),
  fc.record({ type: fc.constant('NAMESPACE' as const), suffix: namespace }),
  fc.record({ type: fc.constant('NAMESPACE_DONE' as const), suffix: namespace }),
  fc.record({ type: fc.constant('PUBLISH_BLOCKED' as const), track }),
  fc.record({
    type: fc.constant('REQUEST_UPDATE' as const),
    requestId: id,
    parameters: fc.record(
      { forward: fc.boolean(), newGroupRequest: id, namespacePrefix: namespace },
      optional,
    ),
  }),
  fc.record({ type: fc.constant('REQUEST_OK' as const), parameters: okParameters, properties }),
  fc.record({
    type: fc.constant('REQUEST_ERROR' as const),
    code: small.filter((code) => code !== RequestCode.REDIRECT),
    retryAfterMs: fc.option(small),
    reason: text,
  }),
  fc.record({
    type: fc.constant('REQUEST_ERROR' as const),
    code: fc.constant(RequestCode.REDIRECT),
    retryAfterMs: fc.option(small),
    reason: text,
    redirect: fc.record({ connectUri: text, track }),
  }),
)

function decode(version: string, bytes: Uint8Array): ControlMessage {
  const at = vi64Length(bytes[0]!)
  const length = (bytes[at]! << 8) | bytes[at + 1]!
  expect(bytes.length).toBe(at + 2 + length)
  return codecFor(version).decode(
    readVi64(bytes, 0) as number,
    new Reader(bytes, at + 2),
    'request',
  )
}

it('offers only what the session speaks, the preferred draft first', () => {
  expect(CODEC_VERSIONS).toEqual(['moqt-18', 'moqt-19'])
  expect(VERSIONS).toEqual(['moqt-18', 'moqt-19'])
  expect(() => codecFor('moqt-20')).toThrow(/moqt-18, moqt-19/)
})

describe.each(CODEC_VERSIONS)('control messages of %s', (version) => {
  it('decode(encode(x)) is x', () => {
    fc.assert(
      fc.property(message, (m) => {
        expect(decode(version, codecFor(version).encode(m))).toEqual(m)
      }),
      { numRuns: 500 },
    )
  })

  it('throws nothing but a ProtocolError for any bytes', () => {
    const ids = [
      0x2f00, 2, 3, 4, 5, 6, 7, 8, 0xb, 0xd, 0xe, 0xf, 0x10, 0x16, 0x18, 0x1d, 0x50, 0x51,
    ]
    fc.assert(
      fc.property(fc.constantFrom(...ids), fc.uint8Array({ maxLength: 200 }), (type, bytes) => {
        try {
          codecFor(version).decode(type, new Reader(bytes), 'control')
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('refuses a message cut short or with bytes left over', () => {
    fc.assert(
      fc.property(message, fc.nat(1000), (m, cut) => {
        const bytes = codecFor(version).encode(m)
        const at = vi64Length(bytes[0]!) + 2
        const type = readVi64(bytes, 0) as number
        // A property list ends where the message ends, so a cut may leave a shorter valid list.
        if (m.type === 'SETUP' || 'properties' in m) return
        const shorter = new Reader(bytes, at, Math.max(at, bytes.length - 1 - (cut % 4)))
        expect(() => codecFor(version).decode(type, shorter, 'request')).toThrow(ProtocolError)
        const longer = new Uint8Array(bytes.length + 1)
        longer.set(bytes)
        expect(() => codecFor(version).decode(type, new Reader(longer, at), 'request')).toThrow(
          ProtocolError,
        )
      }),
    )
  })

  it('refuses unknown, misplaced and repeated parameters', () => {
    const decodeBody = (type: number, body: number[]) =>
      codecFor(version).decode(type, new Reader(Uint8Array.from(body)), 'request')
    // PUBLISH_NAMESPACE: id 0, namespace of one field "a", then parameters.
    const head = [0, 1, 1, 0x61]
    expect(() => decodeBody(0x6, [...head, 1, 0x7f, 0])).toThrow(/unknown parameter/)
    expect(() => decodeBody(0x6, [...head, 1, 0x10, 1])).toThrow(/not allowed/)
    // SUBSCRIBE: id 0, one field, name "n", FORWARD twice.
    expect(() => decodeBody(0x3, [...head, 1, 0x6e, 2, 0x10, 1, 0, 1])).toThrow(/twice/)
  })

  it('refuses names beyond the draft: 33 fields, an empty field, 4097 bytes', () => {
    const decodePrefix = (bytes: number[]) =>
      codecFor(version).decode(0x8, new Reader(Uint8Array.from(bytes)), 'request')
    expect(() => decodePrefix([33, ...new Array(33).fill([1, 0x61]).flat()])).toThrow(/33 fields/)
    expect(() => decodePrefix([1, 0])).toThrow(/empty/)
    expect(() => decodePrefix([1, 0x90, 0x01, ...new Array(4097).fill(0x61)])).toThrow(/4096/)
  })
})
