import { encodeDatagram } from '../../moq/wire/datagram.ts'
import { encodeProperties } from '../../moq/wire/properties.ts'
import { encodeSubgroupBody, encodeSubgroupHeader } from '../../moq/wire/subgroup.ts'
import { PUBLISHER_ALIAS, RelayWorld } from './relay-world.ts'
import type { Case, Subject } from './subject.ts'

const PROPERTIES = encodeProperties([
  { type: 0x06, value: 1_700_000_000_000_000 },
  { type: 0x0b, value: new Uint8Array(6) },
])
/** Forwards in a batch, at least. */
const BATCH = 1000

/** From the bytes of a publisher to the writes towards every subscriber. */
export const forward: Subject = {
  name: 'forward',
  about:
    'one object to one subscriber, parsed, scheduled and written by the relay; no network; ' +
    'design goal 2 M/s, and as many bytes allocated whatever the payload',
  cases: () => [
    ...[1, 10, 100, 1000].map((subscribers) => onStream(subscribers, 1200)),
    onStream(100, 100),
    onStream(100, 10_000),
    ...[1, 10, 100, 1000].map((subscribers) => streamEach(subscribers, 120)),
    ...[1, 10, 100, 1000].map((subscribers) => asDatagram(subscribers, 1100)),
    asDatagram(100, 100),
  ],
}

/** Video's base layer: many objects on one stream. */
function onStream(subscribers: number, payloadBytes: number): Case {
  const world = new RelayWorld('video/0', subscribers)
  const stream = world.publisher.receiveUni()
  stream.feed(streamHeader(0), false)
  const object = objectBytes(payloadBytes)
  return forwarding(world, subscribers, {
    name: `${payloadBytes} B on an open stream`,
    payloadBytes,
    one: () => stream.feed(object, false),
  })
}

/** Audio as LOC maps it: a stream an object. */
function streamEach(subscribers: number, payloadBytes: number): Case {
  const world = new RelayWorld('audio', subscribers)
  const object = objectBytes(payloadBytes)
  let group = 0
  return forwarding(world, subscribers, {
    name: `${payloadBytes} B on a stream of its own`,
    payloadBytes,
    one() {
      const stream = world.publisher.receiveUni()
      stream.feed(streamHeader(group++), false)
      stream.feed(object, true)
    },
  })
}

/** Video's enhancement layers. */
function asDatagram(subscribers: number, payloadBytes: number): Case {
  const world = new RelayWorld('video/0', subscribers)
  const bytes = encodeDatagram(
    { trackAlias: PUBLISHER_ALIAS, group: 0, object: 1, priority: null, endOfGroup: false },
    PROPERTIES,
    new Uint8Array(payloadBytes),
  )
  return forwarding(world, subscribers, {
    name: `${payloadBytes} B as a datagram`,
    payloadBytes,
    one: () => world.publisher.receiveDatagram(bytes),
  })
}

function forwarding(
  world: RelayWorld,
  subscribers: number,
  object: { readonly name: string; readonly payloadBytes: number; one(): void },
): Case {
  const objects = Math.max(1, BATCH / subscribers)
  const operations = objects * subscribers
  return {
    name: `${object.name} to ${subscribers}`,
    operations,
    payloadBytes: object.payloadBytes,
    run() {
      const before = world.counters.objects.sent
      for (let i = 0; i < objects; i++) {
        object.one()
        world.settle()
      }
      const sent = world.counters.objects.sent - before
      if (sent !== operations) throw new Error(`${sent} of ${operations} objects were forwarded`)
      return sent
    },
  }
}

function streamHeader(group: number): Uint8Array {
  return encodeSubgroupHeader({
    trackAlias: PUBLISHER_ALIAS,
    group,
    subgroup: 0,
    priority: null,
    hasProperties: true,
    endOfGroup: false,
    firstObject: true,
  })
}

/** Object id delta 0, then the body. */
function objectBytes(payloadBytes: number): Uint8Array {
  const body = encodeSubgroupBody(PROPERTIES, new Uint8Array(payloadBytes))
  const bytes = new Uint8Array(1 + body.length)
  bytes.set(body, 1)
  return bytes
}
