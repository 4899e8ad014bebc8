/** For tests, with fast-check: a peer that says whatever it is told to, most of it nearly right. */

import fc from 'fast-check'
import { PADDING_STREAM, paddingDatagram } from '../../moq/session/padding.ts'
import { RawPeer, type RawRequest } from '../../moq/session/test-pair.ts'
import { encodeDatagram } from '../../moq/wire/datagram.ts'
import { encodeFetchHeader, FetchObjectWriter } from '../../moq/wire/fetch.ts'
import type { ControlMessage, Fetch } from '../../moq/wire/messages.ts'
import { namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { encodeProperties } from '../../moq/wire/properties.ts'
import {
  encodeStatusBody,
  encodeSubgroupBody,
  encodeSubgroupHeader,
} from '../../moq/wire/subgroup.ts'
import { codecFor } from '../../moq/wire/versions.ts'
import { Writer } from '../../moq/wire/writer.ts'
import type { RelayWorld } from './test-world.ts'

const MAX = Number.MAX_SAFE_INTEGER
const codec = codecFor('moqt-18')

/** Ids and times: small ones, that meet each other, and the edges. */
const integer = fc.oneof(
  { weight: 8, arbitrary: fc.nat({ max: 4 }) },
  { weight: 1, arbitrary: fc.constantFrom(255, 256, 2 ** 14, 2 ** 31, 2 ** 32, MAX - 1, MAX) },
)
const location = fc.record({ group: integer, object: integer })
const alias = fc.nat({ max: 2 })
const bytes = fc.uint8Array({ maxLength: 12 })
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 })

/** Few names, so that peers meet on them; `honest` is what the well-behaved ones use. */
const published = fc.constantFrom(
  namespaceOf('a'),
  namespaceOf('a', 'b'),
  namespaceOf('a', 'b', 'c'),
  namespaceOf('.'),
)
const namespace = fc.oneof(published, fc.constantFrom(namespaceOf(), namespaceOf('honest')))
const name = fc.constantFrom('', 't', 'u')
const ownTrack = fc.tuple(published, name).map(([prefix, of]) => trackOf(prefix, of))
const track = fc.tuple(namespace, name).map(([prefix, of]) => trackOf(prefix, of))

const filter = fc.oneof(
  fc.constantFrom({ kind: 'largest-object' as const }, { kind: 'next-group-start' as const }),
  fc.record({ kind: fc.constant('absolute-start' as const), start: location }),
  fc.record({
    kind: fc.constant('absolute-range' as const),
    start: fc.record({ group: fc.nat({ max: 2 }), object: integer }),
    endGroup: fc.constantFrom(2, 3, MAX),
  }),
)
const priority = fc.nat({ max: 255 })
const order = fc.constantFrom('ascending' as const, 'descending' as const)
const timeouts = { objectDeliveryTimeout: maybe(integer), subgroupDeliveryTimeout: maybe(integer) }
const delivery = {
  ...timeouts,
  forward: maybe(fc.boolean()),
  subscriberPriority: maybe(priority),
  filter: maybe(filter),
  newGroupRequest: maybe(integer),
}
const progress = { expires: maybe(integer), largestObject: maybe(location) }

const integerProperty = fc.record({
  type: fc.constantFrom(0x02, 0x04, 0x06, 0x0e, 0x22, 0x30, 0x3c, 0x3e, 0x4000, 0x7e40, 2n ** 60n),
  value: fc.oneof({ weight: 5, arbitrary: integer }, fc.constant(2n ** 62n)),
})
const bytesProperty = fc.record({
  type: fc.constantFrom(0x01, 0x0b, 0x10d, 0x4001, 2n ** 60n + 1n),
  value: bytes,
})
const someProperties = fc
  .array(fc.oneof(integerProperty, bytesProperty), { maxLength: 3 })
  .map((list) => list.toSorted((a, b) => Number(BigInt(a.type) - BigInt(b.type))))
const properties = fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, someProperties)
const code = fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 6, 9, 0x10, 0x11, 0x12, 0x19, 0x34), integer)
const reason = fc.constantFrom('', 'no', 'é'.repeat(512))

/** What is left out of a record is absent, not undefined. */
const parameters = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(fields).map((all) => {
    const given = Object.entries(all).filter(([, value]) => value !== undefined)
    return Object.fromEntries(given)
  })

const range = fc.oneof(
  fc.record({ kind: fc.constant('standalone' as const), track, start: location, end: location }),
  fc.record({
    kind: fc.constantFrom('relative-joining' as const, 'absolute-joining' as const),
    joiningRequestId: fc.nat({ max: 10 }).map((id) => 2 * id),
    joiningStart: integer,
  }),
)
/** The request id is filled in by the peer. */
const requestId = fc.constant(0)
const subscribe = fc.record({
  type: fc.constant('SUBSCRIBE' as const),
  requestId,
  track,
  parameters: parameters({
    ...delivery,
    rendezvousTimeout: maybe(integer),
    groupOrder: maybe(order),
  }),
})
const publish = fc.record({
  type: fc.constant('PUBLISH' as const),
  requestId,
  track: ownTrack,
  trackAlias: alias,
  parameters: parameters({ ...progress, forward: maybe(fc.boolean()) }),
  properties,
})
const fetch = fc.record({
  type: fc.constant('FETCH' as const),
  requestId,
  range,
  parameters: parameters({
    subscriberPriority: maybe(priority),
    groupOrder: maybe(order),
    fillTimeout: maybe(integer),
  }),
})
const trackStatus = fc.record({
  type: fc.constant('TRACK_STATUS' as const),
  requestId,
  track,
  parameters: fc.constant({}),
})
const publishNamespace = fc.record({
  type: fc.constant('PUBLISH_NAMESPACE' as const),
  requestId,
  namespace: published,
  parameters: fc.constant({}),
})
const subscribeNamespace = fc.record({
  type: fc.constant('SUBSCRIBE_NAMESPACE' as const),
  requestId,
  prefix: namespace,
  parameters: fc.constant({}),
})
const subscribeTracks = fc.record({
  type: fc.constant('SUBSCRIBE_TRACKS' as const),
  requestId,
  prefix: namespace,
  parameters: parameters({ forward: maybe(fc.boolean()) }),
})
const request = fc.oneof(
  { weight: 4, arbitrary: subscribe },
  { weight: 5, arbitrary: publish },
  { weight: 2, arbitrary: fetch },
  trackStatus,
  publishNamespace,
  subscribeNamespace,
  { weight: 2, arbitrary: subscribeTracks },
)
const updateOf = (of: fc.Arbitrary<object>) =>
  fc.record({ type: fc.constant('REQUEST_UPDATE' as const), requestId, parameters: of })
const ofSubscription = parameters(delivery)
const ofPrefix = parameters({ namespacePrefix: maybe(namespace) })
const update = updateOf(fc.oneof(ofSubscription, fc.constant({}), ofPrefix))
const goaway = fc.record({
  type: fc.constant('GOAWAY' as const),
  newSessionUri: fc.constantFrom('', 'moqt://elsewhere'),
  timeout: integer,
})
const subscribeOk = fc.record({
  type: fc.constant('SUBSCRIBE_OK' as const),
  trackAlias: alias,
  parameters: parameters(progress),
  properties,
})
const fetchOk = fc.record({
  type: fc.constant('FETCH_OK' as const),
  endOfTrack: fc.boolean(),
  end: location,
  parameters: fc.constant({}),
  properties,
})
const ok = fc.oneof(
  subscribeOk,
  fetchOk,
  fc.record({
    type: fc.constant('REQUEST_OK' as const),
    parameters: fc.oneof(fc.constant({}), parameters(progress), parameters(delivery)),
    properties: fc.oneof(fc.constant([]), properties),
  }),
)
const error = fc.record({
  type: fc.constant('REQUEST_ERROR' as const),
  code,
  retryAfterMs: fc.option(integer.map((ms) => Math.min(ms, MAX - 1))),
  reason,
})
const done = fc.record({
  type: fc.constant('PUBLISH_DONE' as const),
  status: code,
  streamCount: fc.option(fc.nat({ max: 3 })),
  reason,
})
const message: fc.Arbitrary<ControlMessage> = fc.oneof(update, goaway, ok, error, done, request)

const object = fc.record({
  delta: fc.oneof({ weight: 9, arbitrary: fc.nat({ max: 2 }) }, integer),
  properties,
  payload: bytes,
  status: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, fc.constantFrom(3, 4)),
})
const header = fc.record({
  trackAlias: alias,
  group: integer,
  subgroup: fc.option(integer, { freq: 4 }),
  priority: fc.option(priority),
  hasProperties: fc.boolean(),
  endOfGroup: fc.boolean(),
  firstObject: fc.boolean(),
})
const ending = fc.constantFrom('open', 'fin', 'fin', 'reset', 'cut')

/** One thing that the peer does. Indexes count modulo what there is. */
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('request' as const), message: request }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('say' as const),
      own: fc.boolean(),
      at: fc.nat({ max: 20 }),
      message,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('update' as const),
      at: fc.nat({ max: 20 }),
      subscription: updateOf(ofSubscription),
      prefix: updateOf(ofPrefix),
      other: updateOf(fc.constant({})),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('accept' as const),
      at: fc.nat({ max: 3 }),
      subscribeOk,
      fetchOk,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      at: fc.nat({ max: 5 }),
      message: fc.oneof(ok, error, done),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      own: fc.boolean(),
      at: fc.nat({ max: 20 }),
      how: fc.constantFrom('fin', 'reset', 'pause'),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('subgroup' as const),
      header,
      objects: fc.array(object, { maxLength: 4 }),
      ending,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fetched' as const),
      at: fc.nat({ max: 3 }),
      objects: fc.array(
        fc.record({
          group: integer,
          object: integer,
          subgroup: fc.option(integer),
          priority,
          payload: bytes,
        }),
        { maxLength: 4 },
      ),
      ending,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('datagram' as const),
      header: fc.record({
        trackAlias: alias,
        group: integer,
        object: integer,
        priority: fc.option(priority),
        endOfGroup: fc.boolean(),
      }),
      properties,
      payload: bytes,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('noise' as const),
      on: fc.constantFrom('uni', 'bidi', 'datagram', 'padding'),
      bytes,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const) }) },
)
/** A byte that is changed, of the message, or none. */
const flip = fc.oneof(
  { weight: 24, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 255 })) },
)

export const hostileStep = fc.record({
  peer: fc.nat({ max: 2 }),
  action,
  flip,
  /** ms that pass behind it; null: nothing is delivered before the next. */
  pause: fc.option(fc.constantFrom(0, 0, 0, 0.25, 1000, 2500, 31_000), { freq: 5 }),
})
export type HostileStep = typeof hostileStep extends fc.Arbitrary<infer Step> ? Step : never

/** A session of the hostile peer's; it comes again when it was closed. */
export class HostilePeer {
  /** How its sessions were closed. */
  readonly closes: { readonly code: number; readonly reason: string }[] = []
  private readonly world: RelayWorld
  private raw: RawPeer | null = null
  private own: RawRequest[] = []
  /** Their types. */
  private asked: ControlMessage['type'][] = []
  private nextId = 0

  constructor(world: RelayWorld) {
    this.world = world
  }

  do({ action, flip }: HostileStep): void {
    const raw = this.here()
    const { transport } = raw
    switch (action.do) {
      case 'request':
        this.request(raw, action.message, flip)
        return
      case 'say':
        this.say(pick(action.own ? this.own : raw.requests, action.at), action.message, flip)
        return
      case 'update': {
        const at = action.at % Math.max(1, this.own.length)
        this.say(this.own[at], action[UPDATED[this.asked[at]!] ?? 'other'], flip)
        return
      }
      case 'accept': {
        const request = raw.requests.at(-1 - action.at)
        const type = request?.types[0]
        if (type === 'SUBSCRIBE') this.say(request, action.subscribeOk, flip)
        else if (type === 'FETCH') this.say(request, action.fetchOk, flip)
        else this.say(request, GRANTED, flip)
        return
      }
      case 'answer':
        // The newest matter most.
        this.say(raw.requests.at(-1 - action.at), action.message, flip)
        return
      case 'end': {
        const request = pick(action.own ? this.own : raw.requests, action.at)
        if (action.how === 'fin') request?.finish()
        else if (action.how === 'reset') request?.reset(1)
        else request?.pause()
        return
      }
      case 'subgroup': {
        const { header, objects } = action
        const pieces = objects.map(({ delta, properties, payload, status }) => {
          const kept = header.hasProperties ? encodeProperties(properties) : null
          const body = status
            ? encodeStatusBody(header.hasProperties, status)
            : encodeSubgroupBody(kept, payload)
          return [...new Writer(10).vi64(delta).finish(), ...body]
        })
        this.stream(raw, [...encodeSubgroupHeader(header), ...pieces.flat()], action.ending, flip)
        return
      }
      case 'fetched':
        this.fetched(raw, action, flip)
        return
      case 'datagram': {
        const { header, properties, payload } = action
        transport.sendDatagram(
          flipped(encodeDatagram(header, encodeProperties(properties), payload), flip),
        )
        return
      }
      case 'noise':
        if (action.on === 'uni') transport.openUni(1)?.write(action.bytes)
        else if (action.on === 'bidi') transport.openBidi(1)?.send.write(action.bytes)
        else if (action.on === 'datagram') transport.sendDatagram(paddingDatagram(9))
        else transport.openUni(1)?.write(new Writer(9).vi64(PADDING_STREAM).finish())
        return
      case 'leave':
        this.leave()
    }
  }

  leave(): void {
    this.raw?.transport.close(0, '')
    this.raw = null
  }

  /** Gives up every request of either side's, and stays. */
  giveUp(): void {
    for (const request of [...this.own, ...(this.raw?.requests ?? [])]) request.reset(1)
  }

  /** Notes how its session was closed, if it was. */
  look(): void {
    if (!this.raw?.closed) return
    this.closes.push(this.raw.closed)
    this.raw = null
  }

  private here(): RawPeer {
    this.look()
    if (this.raw) return this.raw
    this.own = []
    this.asked = []
    this.nextId = 0
    this.raw = new RawPeer(this.world.connect())
    return this.raw
  }

  private request(raw: RawPeer, message: ControlMessage, flip: HostileStep['flip']): void {
    if (this.own.length === MAX_REQUESTS) return
    const request = raw.request()
    this.own.push(request)
    this.asked.push(message.type)
    this.say(request, message, flip)
  }

  private say(
    request: RawRequest | undefined,
    message: ControlMessage,
    flip: HostileStep['flip'],
  ): void {
    if (!request) return
    const numbered = 'requestId' in message ? { ...message, requestId: this.nextId } : message
    if (numbered !== message && message.type !== 'GOAWAY') this.nextId += 2
    request.sendBytes(flipped(codec.encode(numbered), flip))
  }

  /** On the stream of a fetch of the relay's. */
  private fetched(
    raw: RawPeer,
    { at, objects, ending }: Extract<HostileStep['action'], { do: 'fetched' }>,
    flip: HostileStep['flip'],
  ): void {
    const asked = raw.requests.flatMap(({ received: [first] }) =>
      first?.type === 'FETCH' ? [first] : [],
    )
    const fetch: Fetch | undefined = asked.at(-1 - at)
    if (!fetch) return
    const writer = new FetchObjectWriter(fetch.parameters.groupOrder ?? 'ascending', 128)
    const parts = [...encodeFetchHeader({ requestId: fetch.requestId })]
    for (const object of objects) {
      try {
        parts.push(...writer.object({ ...object, properties: new Uint8Array(0) }))
      } catch {
        // Not in order: it is left out.
      }
    }
    this.stream(raw, parts, ending, flip)
  }

  private stream(
    raw: RawPeer,
    bytes: readonly number[],
    ending: string,
    flip: HostileStep['flip'],
  ): void {
    const stream = raw.transport.openUni(1)
    const whole = flipped(Uint8Array.from(bytes), flip)
    stream?.write(ending === 'cut' && whole.length > 12 ? whole.subarray(0, -1) : whole)
    if (ending === 'reset') stream?.reset(1)
    else if (ending !== 'open') stream?.finish()
  }
}

const GRANTED: ControlMessage = { type: 'REQUEST_OK', parameters: {}, properties: [] }
/** Which update suits a request. */
const UPDATED: Partial<Record<ControlMessage['type'], 'subscription' | 'prefix'>> = {
  SUBSCRIBE: 'subscription',
  SUBSCRIBE_NAMESPACE: 'prefix',
  SUBSCRIBE_TRACKS: 'prefix',
}
/** A transport gives credit for so many. */
const MAX_REQUESTS = 60

function pick<T>(list: readonly T[], at: number): T | undefined {
  return list[at % Math.max(1, list.length)]
}

function flipped(bytes: Uint8Array, flip: HostileStep['flip']): Uint8Array {
  if (!flip || bytes.length === 0) return bytes
  const changed = bytes.slice()
  changed[flip[0] % bytes.length] = flip[1]
  return changed
}
