import { datagramHeaderSize, encodeDatagram } from '../../moq/wire/datagram.ts'
import { encodeProperties } from '../../moq/wire/properties.ts'
import { encodeSubgroupBody, encodeSubgroupHeader } from '../../moq/wire/subgroup.ts'
import { writeVi64 } from '../../moq/wire/vi64.ts'
import { PUBLISHER_ALIAS, RelayWorld } from './relay-world.ts'
import type { Case, Subject } from './subject.ts'

const PROPERTIES = encodeProperties([
  { type: 0x06, value: 1_700_000_000_000_000 },
  { type: 0x0b, value: new Uint8Array(6) },
])
/** The smallest id that takes four bytes on the wire. */
const FOUR_BYTES = 0x20_0000
const OBJECTS_A_GROUP = 100
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
    onStreams(100, 1200),
    ...[1, 10, 100, 1000].map((subscribers) => streamEach(subscribers, 120)),
    streamEach(100, 10_000),
    ...[1, 10, 100, 1000].map((subscribers) => asDatagram(subscribers, 1100)),
    asDatagram(100, 100),
  ],
}

/** Video's base layer: many objects on one stream. */
function onStream(subscribers: number, payloadBytes: number): Case {
  const name = `${payloadBytes} B on an open stream`
  return forwarding('video/0', subscribers, { name, payloadBytes }, ({ publisher }) => {
    const stream = publisher.receiveUni()
    stream.feed(streamHeader(0), false)
    const object = objectBytes(payloadBytes)
    return () => stream.feed(object, false)
  })
}

/** Streams on which one object each arrives before a subscriber is given room. */
const AT_ONCE = 4

/** What the scheduler has to put in order first. */
function onStreams(subscribers: number, payloadBytes: number): Case {
  const name = `${payloadBytes} B on ${AT_ONCE} open streams at once`
  const what = { name, payloadBytes, objects: AT_ONCE }
  return forwarding('video/0', subscribers, what, ({ publisher }) => {
    const streams = Array.from({ length: AT_ONCE }, (_, group) => {
      const stream = publisher.receiveUni()
      stream.feed(streamHeader(group), false)
      return stream
    })
    const object = objectBytes(payloadBytes)
    return () => {
      for (const stream of streams) stream.feed(object, false)
    }
  })
}

/** Audio as LOC maps it: a stream an object. */
function streamEach(subscribers: number, payloadBytes: number): Case {
  const name = `${payloadBytes} B on a stream of its own`
  return forwarding('audio', subscribers, { name, payloadBytes }, ({ publisher }) => {
    const object = objectBytes(payloadBytes)
    let group = 0
    return () => {
      const stream = publisher.receiveUni()
      stream.feed(streamHeader(group++), false)
      stream.feed(object, true)
    }
  })
}

/** Video's enhancement layers. */
function asDatagram(subscribers: number, payloadBytes: number): Case {
  const name = `${payloadBytes} B as a datagram`
  return forwarding('video/0', subscribers, { name, payloadBytes }, ({ publisher }) => {
    // Ids of four bytes, so that each object is another and none needs memory of its own.
    let group = FOUR_BYTES
    let object = FOUR_BYTES
    const header = { trackAlias: PUBLISHER_ALIAS, group, object, priority: null, endOfGroup: false }
    const bytes = encodeDatagram(header, PROPERTIES, new Uint8Array(payloadBytes))
    const idsAt = datagramHeaderSize(header) - 8
    return () => {
      if (++object === FOUR_BYTES + OBJECTS_A_GROUP) {
        object = FOUR_BYTES
        group++
      }
      writeVi64(bytes, writeVi64(bytes, idsAt, group), object)
      publisher.receiveDatagram(bytes)
    }
  })
}

interface What {
  readonly name: string
  readonly payloadBytes: number
  /** Objects that are fed at a time, 1 unless told. */
  readonly objects?: number
}

/** @param begin readies a world, made with the first run, and gives what feeds it */
function forwarding(
  track: string,
  subscribers: number,
  { name, payloadBytes, objects = 1 }: What,
  begin: (world: RelayWorld) => () => void,
): Case {
  const rounds = Math.max(1, BATCH / subscribers)
  const operations = rounds * subscribers * objects
  let made: { readonly world: RelayWorld; readonly feed: () => void } | null = null
  const make = () => {
    const world = new RelayWorld(track, subscribers)
    return { world, feed: begin(world) }
  }
  return {
    name: `${name} to ${subscribers}`,
    operations,
    payloadBytes,
    run() {
      made ??= make()
      const { world, feed } = made
      const before = world.counters.sent.objects
      for (let i = 0; i < rounds; i++) {
        feed()
        world.settle()
      }
      const sent = world.counters.sent.objects - before
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
