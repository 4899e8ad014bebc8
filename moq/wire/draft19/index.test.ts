import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type ControlMessage,
  codecFor,
  createTransportPair,
  namespaceOf,
  type Parameters,
  ProtocolError,
  type RangeFilter,
  Reader,
  RequestCode,
  Session,
  SessionCode,
  TrackPublisher,
  textOf,
  trackOf,
} from '../../index.ts'
import { SetupOption } from '../../session/setup-rules.ts'
import { draft19 } from './index.ts'

const draft18 = codecFor('moqt-18')
const MAX = 2n ** 64n - 1n

function decode(codec: typeof draft19, bytes: ArrayLike<number>, on: 'control' | 'request') {
  const [type, , , ...body] = Array.from(bytes)
  return codec.decode(type!, new Reader(Uint8Array.from(body)), on)
}

/** A message of type and body, each below 64 bytes. */
function framed(type: number, ...body: number[]): number[] {
  return [type, 0, body.length, ...body]
}

/** SUBSCRIBE: id 0, namespace of one field "a", name "n". SUBSCRIBE_TRACKS: id 0, prefix "a". */
const SUBSCRIBE = [0, 1, 1, 0x61, 1, 0x6e]
const SUBSCRIBE_TRACKS = [0, 1, 1, 0x61]

function parametersIn(type: number, head: number[], ...parameters: number[]): Parameters {
  const message = decode(draft19, framed(type, ...head, ...parameters), 'request')
  if (!('parameters' in message)) throw new Error(`${message.type} has no parameters`)
  return message.parameters
}

describe('GOAWAY', () => {
  const goaway: ControlMessage = { type: 'GOAWAY', newSessionUri: 'a', timeout: 5, requestId: 8 }

  it('has no Request ID', () => {
    expect([...draft18.encode(goaway)]).toEqual([0x10, 0, 4, 1, 0x61, 5, 8])
    expect([...draft19.encode(goaway)]).toEqual([0x10, 0, 3, 1, 0x61, 5])
    expect(decode(draft19, [0x10, 0, 3, 1, 0x61, 5], 'control')).toEqual({
      type: 'GOAWAY',
      newSessionUri: 'a',
      timeout: 5,
    })
  })

  it('is refused in the form of the other draft', () => {
    expect(() => decode(draft19, [0x10, 0, 4, 1, 0x61, 5, 8], 'control')).toThrow(/left over/)
    expect(() => decode(draft18, [0x10, 0, 3, 1, 0x61, 5], 'control')).toThrow(ProtocolError)
  })
})

describe('places of parameters', () => {
  it('GROUP_ORDER moves from PUBLISH_OK to SUBSCRIBE_TRACKS, whose PUBLISH repeats it', () => {
    const ok = framed(0x7, 1, 0x22, 2)
    expect(decode(draft18, ok, 'request')).toMatchObject({
      parameters: { groupOrder: 'descending' },
    })
    expect(() => decode(draft19, ok, 'request')).toThrow(/0x22 is not allowed in REQUEST_OK/)

    const tracks = framed(0x51, ...SUBSCRIBE_TRACKS, 1, 0x22, 1)
    expect(() => decode(draft18, tracks, 'request')).toThrow(/0x22 is not allowed/)
    expect(decode(draft19, tracks, 'request')).toMatchObject({
      parameters: { groupOrder: 'ascending' },
    })
    expect(parametersIn(0x1d, [...SUBSCRIBE, 7], 1, 0x22, 2)).toEqual({ groupOrder: 'descending' })
  })

  it('SUBSCRIBE_TRACKS takes what SUBSCRIBE takes', () => {
    const body = [...SUBSCRIBE_TRACKS, 3, 0x02, 9, 0x1e, 4, 0x01, 1, 0x2]
    expect(() => decode(draft18, framed(0x51, ...body), 'request')).toThrow(/0x2 is not allowed/)
    expect(parametersIn(0x51, SUBSCRIBE_TRACKS, ...body.slice(4))).toEqual({
      objectDeliveryTimeout: 9,
      subscriberPriority: 4,
      filter: { kind: 'largest-object' },
    })
  })
})

describe('range filters', () => {
  it("encode the draft's example, 3-5 and 10-15, as deltas", () => {
    const filter: RangeFilter = {
      kind: 'ranges',
      set: 1,
      ranges: [
        { start: 3, end: 5 },
        { start: 10, end: 15 },
      ],
    }
    const bytes = draft19.encode({
      type: 'SUBSCRIBE',
      requestId: 0,
      track: trackOf(namespaceOf('a'), 'n'),
      parameters: { objectIdFilters: [filter] },
    })
    expect([...bytes]).toEqual(framed(0x3, ...SUBSCRIBE, 1, 0x26, 5, 1, 3, 2, 5, 5))
    expect(parametersIn(0x3, SUBSCRIBE, 1, 0x26, 5, 1, 3, 2, 5, 5)).toEqual({
      objectIdFilters: [filter],
    })
  })

  it('may repeat, may lack the last end, and name an even property', () => {
    expect(
      parametersIn(
        0x51,
        SUBSCRIBE_TRACKS,
        3,
        0x28,
        4,
        0,
        0x0a,
        1,
        1,
        0,
        3,
        1,
        0x0a,
        7,
        1,
        3,
        0,
        2,
        0,
      ),
    ).toEqual({
      objectPropertyFilters: [
        { kind: 'ranges', set: 0, propertyType: 10, ranges: [{ start: 1, end: 2 }] },
        { kind: 'ranges', set: 1, propertyType: 10, ranges: [{ start: 7, end: null }] },
      ],
      trackPropertyFilters: [
        { kind: 'ranges', set: 0, propertyType: 2, ranges: [{ start: 0, end: null }] },
      ],
    })
  })

  it('are removed by an empty one in REQUEST_UPDATE only', () => {
    expect(parametersIn(0x2, [0], 1, 0x25, 0)).toEqual({ subgroupFilters: [{ kind: 'remove' }] })
    expect(parametersIn(0x3, SUBSCRIBE, 1, 0x25, 0)).toMatchObject({
      subgroupFilters: [{ kind: 'invalid' }],
    })
  })

  it.each<[string, number[], RegExp]>([
    ['a priority above 255', [1, 0x27, 3, 0, 0x81, 0x00], /above 255/],
    ['an odd property type', [1, 0x28, 3, 0, 0x0b, 1], /odd/],
    ['no range', [1, 0x25, 1, 0], /without a range/],
    ['a value above 2^64-1', [1, 0x25, 11, 0, 0xff, ...Array(8).fill(0xff), 1], /above 18446/],
    ['a set twice', [2, 0x25, 2, 0, 1, 0, 2, 0, 4], /twice/],
  ])('with %s leave the session alone: the request is to be refused', (_, parameters, reason) => {
    const [filters] = Object.values(parametersIn(0x3, SUBSCRIBE, ...parameters))
    expect(filters.at(-1)).toEqual({ kind: 'invalid', reason: expect.stringMatching(reason) })
  })

  it('are kept up to a bound', () => {
    const many = Array.from({ length: 300 }, (_, i) => [i === 0 ? 0x25 : 0, 2, i & 0xff, 1]).flat()
    const body = Uint8Array.from([...SUBSCRIBE, 0x81, 0x2c, ...many])
    const message = draft19.decode(0x3, new Reader(body), 'request')
    const { subgroupFilters } = (message as { parameters: Parameters }).parameters
    expect(subgroupFilters).toHaveLength(257)
    expect(subgroupFilters![256]).toMatchObject({ kind: 'invalid' })
  })

  it('stand nowhere else, and not at all in draft-18', () => {
    expect(() => parametersIn(0x3, SUBSCRIBE, 1, 0x29, 3, 0, 2, 1)).toThrow(/not allowed in SUBSCR/)
    expect(() => parametersIn(0x3, SUBSCRIBE, 1, 0x26, 2, 0, 0x80)).toThrow(ProtocolError)
    const bytes = framed(0x3, ...SUBSCRIBE, 1, 0x26, 2, 0, 3)
    expect(() => decode(draft18, bytes, 'request')).toThrow(/unknown parameter 0x26/)
    const track = trackOf(namespaceOf('a'), 'n')
    const parameters = { objectIdFilters: [] }
    expect(() => draft18.encode({ type: 'SUBSCRIBE', requestId: 0, track, parameters })).toThrow(
      /no parameter objectIdFilters/,
    )
  })

  it('decode(encode(x)) is x', () => {
    const ascending = fc
      .uniqueArray(fc.bigInt({ min: 0n, max: MAX }), { minLength: 2, maxLength: 8 })
      .map((values) => values.sort((a, b) => (a < b ? -1 : 1)))
    const ranges = fc.tuple(ascending, fc.boolean()).map(([values, open]) => {
      const list = []
      for (let i = 0; i + 1 < values.length; i += 2) {
        list.push({
          start: plain(values[i]!),
          end: plain(values[i + 1]!) as number | bigint | null,
        })
      }
      if (open) list[list.length - 1]!.end = null
      return list
    })
    fc.assert(
      fc.property(ranges, fc.nat(255), fc.nat(1000), (list, set, half) => {
        const message: ControlMessage = {
          type: 'SUBSCRIBE_TRACKS',
          requestId: 0,
          prefix: namespaceOf('a'),
          parameters: {
            subgroupFilters: [{ kind: 'ranges', set, ranges: list }],
            trackPropertyFilters: [
              { kind: 'ranges', set, propertyType: 2 * half, ranges: list },
              { kind: 'ranges', set, propertyType: 2 * half + 2, ranges: list },
            ],
          },
        }
        const bytes = draft19.encode(message)
        expect(draft19.decode(0x51, new Reader(bytes, 3), 'request')).toEqual(message)
      }),
    )
  })
})

it('has the setup options and codes of the draft', () => {
  const options = [
    { type: SetupOption.MAX_FILTER_RANGES, value: 4 },
    { type: SetupOption.MAX_REQUEST_UPDATES, value: 2 },
  ]
  expect([...draft19.encode({ type: 'SETUP', options })]).toEqual([0xaf, 0, 0, 4, 6, 4, 2, 2])
  expect(SessionCode.TOO_MANY_REQUEST_UPDATES).toBe(0x1b)
  expect([RequestCode.CONFLICTING_FILTERS, RequestCode.INVALID_FILTER]).toEqual([0x35, 0x36])
})

it('PUBLISH_SKIPPED has the bytes of PUBLISH_BLOCKED', () => {
  const message: ControlMessage = { type: 'PUBLISH_BLOCKED', track: trackOf(namespaceOf('a'), 'n') }
  expect([...draft19.encode(message)]).toEqual([0xf, 0, 5, 1, 1, 0x61, 1, 0x6e])
  expect(draft19.encode(message)).toEqual(draft18.encode(message))
})

it('carries a session: requests, streams, datagrams and GOAWAY', async () => {
  const { client, server } = createTransportPair({ protocol: 'moqt-19' })
  const track = new TrackPublisher({ trackAlias: 1, priority: 10 })
  const publisher = new Session(server, {
    role: 'server',
    handler: { onSubscribe: (request) => track.accept(request) },
  })
  const goaway = Promise.withResolvers<ControlMessage>()
  const subscriber = new Session(client, {
    role: 'client',
    handler: { onGoaway: goaway.resolve },
  })
  const got: (string | null)[] = []
  const object = { group: 0, properties: new Uint8Array(0) }
  const payload = (text: string) => new TextEncoder().encode(text)
  subscriber.subscribe(
    trackOf(namespaceOf('a'), 'n'),
    {},
    {
      onAccepted: () => {
        track.writeStream(0, { ...object, object: 0, payload: payload('stream') })
        track.writeDatagram({ ...object, object: 1, payload: payload('datagram') })
        publisher.goaway('moqt://b', 5)
      },
      onObject: (received) => got.push(textOf(received.payload)),
    },
  )
  expect(await goaway.promise).toEqual({
    type: 'GOAWAY',
    newSessionUri: 'moqt://b',
    timeout: 5,
  })
  await expect.poll(() => got.toSorted()).toEqual(['datagram', 'stream'])
})

function plain(value: bigint): number | bigint {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}
