import { describe, expect, it } from 'vitest'
import { DoneCode, ResetCode } from '../../moq/wire/codes.ts'
import { namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { ObjectStatus } from '../../moq/wire/object.ts'
import { PropertyType } from '../../moq/wire/properties.ts'
import { ManualPublisher, ManualSubscriber } from './test-peers.ts'
import { RelayWorld } from './test-world.ts'

const news = namespaceOf('live', 'news')
const video = trackOf(news, 'video')

/** One subscriber to a track with so many publishers. */
async function relayed(publishers = 1) {
  const world = new RelayWorld()
  const made = Array.from({ length: publishers }, () => new ManualPublisher(world, news))
  for (const publisher of made) publisher.willServe(video)
  const subscriber = new ManualSubscriber(world)
  await world.settle()
  const seen = subscriber.subscribe(video)
  await world.settle()
  const tracks = made.map((publisher) => publisher.track(video))
  return { world, seen, publishers: made, track: tracks[0]!, other: tracks[1]! }
}

const shapes = (seen: { streams: { objects: number[]; end: unknown }[] }) =>
  seen.streams.map(({ objects, end }) => [objects, end])

describe('the next object of a subgroup (section 11.4.3)', () => {
  it('is what follows on the same stream of the publisher, whatever its id', async () => {
    const { world, seen, track } = await relayed()
    track.stream(0, 0).object(0).object(4).object(9).fin()
    await world.settle()
    expect(shapes(seen)).toEqual([[[0, 4, 9], 'fin']])
  })

  it('is the next id, on whatever stream it came', async () => {
    const { world, seen, track, other } = await relayed(2)
    const [a, b] = [track.stream(0, 0), other.stream(0, 0, { firstObject: false })]
    a.object(0)
    await world.settle()
    b.object(1)
    await world.settle()
    a.object(1).object(2)
    await world.settle()
    b.object(2).object(3).fin()
    await world.settle()
    expect(shapes(seen)).toEqual([[[0, 1, 2, 3], 'fin']])
  })

  it('is what follows a gap of which the other publisher said that it is none', async () => {
    const { world, seen, track, other } = await relayed(2)
    const [a, b] = [track.stream(0, 0), other.stream(0, 0, { firstObject: false })]
    a.object(0)
    await world.settle()
    // Object 1 is of another subgroup, 2 and 3 do not exist.
    track.stream(0, 1).object(1).fin()
    await world.settle()
    b.object(4, 'after the gap', [{ type: PropertyType.PRIOR_OBJECT_ID_GAP, value: 2 }])
    await world.settle()
    expect(shapes(seen)[0]).toEqual([[0, 4], 'open'])
  })

  it('is not what follows an unknown gap: the stream is reset and another begins', async () => {
    const { world, seen, track, other } = await relayed(2)
    const [a, b] = [track.stream(0, 0), other.stream(0, 0, { firstObject: false })]
    a.object(0)
    await world.settle()
    b.object(3)
    await world.settle()
    b.object(4)
    await world.settle()
    expect(shapes(seen)).toEqual([
      [[0], ResetCode.CANCELLED],
      [[3, 4], 'open'],
    ])
    expect(seen.streams.map(({ header }) => header.firstObject)).toEqual([true, false])
  })

  it('forwards what comes late on a stream of its own, and leaves the other in order', async () => {
    const { world, seen, track, other } = await relayed(2)
    const [a, b] = [track.stream(0, 0), other.stream(0, 0, { firstObject: false })]
    b.object(3).object(4)
    await world.settle()
    a.object(0).object(1).object(2)
    await world.settle()
    b.object(5).fin()
    await world.settle()
    a.object(3).object(4).object(5).fin()
    await world.settle()
    expect(seen.objects).toEqual(['0/3', '0/4', '0/0', '0/1', '0/2', '0/5'])
    // What the subscriber had first was all of the subgroup that there was: it ends with a FIN.
    expect(shapes(seen)).toEqual([
      [[3, 4, 5], 'fin'],
      [[0, 1, 2], 'open'],
    ])
    world.clock.advance(2000)
    await world.settle()
    expect(seen.streams[1]!.end).toBe(ResetCode.CANCELLED)
    expect(seen.streams.map(({ header }) => header.firstObject)).toEqual([false, true])
  })
})

describe('a reset behind objects (section 11.4.3)', () => {
  /** A stream with object 0 that the subscriber leaves lying, broken off for object 3. */
  async function brokenOff() {
    const all = await relayed(2)
    const { world, seen, track, other } = all
    const [a, b] = [track.stream(0, 0), other.stream(0, 0, { firstObject: false })]
    a.object(0)
    // In the same moment: the relay writes object 0 and ends its stream at once.
    b.object(3)
    return { ...all, world, seen, a, b }
  }

  it('waits until the transport has taken them', async () => {
    const { world, seen, b } = await brokenOff()
    await world.settle()
    expect(seen.objects).toEqual(['0/0', '0/3'])
    b.object(4)
    await world.settle()
    expect(shapes(seen)).toEqual([
      [[0], ResetCode.CANCELLED],
      [[3, 4], 'open'],
    ])
  })

  it('comes without more traffic, and PUBLISH_DONE behind it (section 10.11)', async () => {
    const { world, seen, publishers } = await brokenOff()
    await world.settle()
    world.clock.advance(10)
    await world.settle()
    expect(shapes(seen)[0]).toEqual([[0], ResetCode.CANCELLED])
    for (const publisher of publishers) publisher.track(video).done()
    world.clock.advance(5000)
    await world.settle()
    expect(seen.done).not.toBeNull()
  })
})

describe('the end of a subgroup (section 11.4.3)', () => {
  it('is a FIN once a publisher has sent it all, though another has not', async () => {
    const { world, seen, track, other } = await relayed(2)
    other.stream(0, 0).object(0)
    await world.settle()
    track.stream(0, 0, { endOfGroup: true }).object(0).object(1).fin()
    await world.settle()
    expect(shapes(seen)).toEqual([[[0, 1], 'fin']])
  })

  it('is the code of the last publisher that reset its stream', async () => {
    const { world, seen, track, other } = await relayed(2)
    const [a, b] = [track.stream(0, 0), other.stream(0, 0)]
    a.object(0)
    b.object(0)
    await world.settle()
    a.reset(ResetCode.DELIVERY_TIMEOUT)
    await world.settle()
    expect(seen.streams[0]!.end).toBe('open')
    b.reset(ResetCode.EXCESSIVE_LOAD)
    await world.settle()
    expect(shapes(seen)).toEqual([[[0], ResetCode.EXCESSIVE_LOAD]])
    const { sent, received } = world.counters.resets
    expect(received).toMatchObject({ DELIVERY_TIMEOUT: 1, EXCESSIVE_LOAD: 1 })
    expect(sent).toMatchObject({ DELIVERY_TIMEOUT: 0, EXCESSIVE_LOAD: 1 })
  })

  it('is taken back when a publisher goes on: on another stream, without FIRST_OBJECT or FIN', async () => {
    const { world, seen, track } = await relayed()
    const stream = track.stream(0, 0)
    stream.object(0)
    await world.settle()
    stream.reset(ResetCode.DELIVERY_TIMEOUT)
    await world.settle()
    track.stream(0, 0, { firstObject: false }).object(1).fin()
    await world.settle()
    expect(shapes(seen)).toEqual([
      [[0], ResetCode.DELIVERY_TIMEOUT],
      [[1], 'open'],
    ])
    expect(seen.streams[1]!.header.firstObject).toBe(false)
  })

  it('is told by END_OF_GROUP and END_OF_TRACK as the publisher told it (section 11.2.1.1)', async () => {
    const { world, seen, track } = await relayed()
    track.stream(0, 0, { endOfGroup: true }).object(0).fin()
    track.stream(1, 0).object(0).status(1, ObjectStatus.END_OF_GROUP).fin()
    track.stream(2, 0).status(0, ObjectStatus.END_OF_TRACK).fin()
    await world.settle()
    expect(seen.streams.map(({ header }) => header.endOfGroup)).toEqual([true, false, false])
    expect(seen.statuses).toEqual([0, 0, ObjectStatus.END_OF_GROUP, ObjectStatus.END_OF_TRACK])
  })
})

describe('a relayed subgroup', () => {
  it('keeps header, properties and payload as the publisher wrote them (section 9.7)', async () => {
    const { world, seen, track } = await relayed()
    track.stream(5, 3, { priority: 9, hasProperties: false }).object(0, 'plain').fin()
    await world.settle()
    track.stream(6, 2, { priority: 0 }).object(2, 'first').fin()
    await world.settle()
    expect(seen.streams.map(({ header: { trackAlias, ...header } }) => header)).toEqual([
      {
        group: 5,
        subgroup: 3,
        priority: 9,
        hasProperties: false,
        endOfGroup: false,
        firstObject: true,
      },
      {
        group: 6,
        subgroup: 2,
        priority: 0,
        hasProperties: true,
        endOfGroup: false,
        firstObject: true,
      },
    ])
    expect(seen.payloads).toEqual(['plain', 'first'])
  })

  it('names the subgroup where the publisher leaves that to the first object', async () => {
    const { world, seen, track } = await relayed()
    track.stream(5, 0, { subgroup: null }).object(7).object(8).fin()
    await world.settle()
    expect(seen.streams[0]!.header.subgroup).toBe(7)
    expect(shapes(seen)).toEqual([[[7, 8], 'fin']])
  })

  it('is one stream though publishers differ in writing an empty properties field', async () => {
    const { world, seen, track, other } = await relayed(2)
    const [a, b] = [
      track.stream(0, 0, { hasProperties: false }),
      other.stream(0, 0, { hasProperties: true }),
    ]
    a.object(0, 'zero')
    await world.settle()
    b.object(0, 'zero').object(1, 'one')
    await world.settle()
    a.object(1, 'one').object(2, 'two')
    await world.settle()
    expect(shapes(seen)).toEqual([[[0, 1, 2], 'open']])
    // With properties that say something it has to begin anew.
    b.object(2, 'two').object(3, 'three', [{ type: 0x10, value: 1 }])
    await world.settle()
    a.object(3, 'three').object(4, 'four')
    await world.settle()
    expect(shapes(seen)).toEqual([
      [[0, 1, 2], ResetCode.CANCELLED],
      [[3, 4], 'open'],
    ])
    expect(seen.payloads).toEqual(['zero', 'one', 'two', 'three', 'four'])
  })

  it('is not opened again for a subscriber that stopped it (section 11.4.3)', async () => {
    const world = new RelayWorld()
    const publisher = new ManualPublisher(world, news)
    publisher.willServe(video)
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    const objects: string[] = []
    subscriber.session.subscribe(
      video,
      {},
      {
        onSubgroup: (subgroup) => {
          if (subgroup.header.group === 0) subgroup.stop(ResetCode.CANCELLED)
        },
        onObject: (object) => objects.push(`${object.group}/${object.object}`),
      },
    )
    await world.settle()
    const stream = publisher.track(video).stream(0, 0)
    stream.object(0)
    await world.settle()
    stream.object(1)
    await world.settle()
    stream.reset(ResetCode.DELIVERY_TIMEOUT)
    await world.settle()
    publisher.track(video).stream(0, 0, { firstObject: false }).object(2)
    publisher.track(video).stream(1, 0).object(0)
    await world.settle()
    expect(objects).toEqual(['1/0'])
    const { stopped, received } = world.counters.resets
    expect([stopped.CANCELLED, received.DELIVERY_TIMEOUT]).toEqual([1, 1])
  })

  it('serves each subscriber by itself when others come and go', async () => {
    const { world, seen, track } = await relayed()
    const stream = track.stream(0, 0)
    stream.object(0)
    await world.settle()
    const second = new ManualSubscriber(world).subscribe(video)
    await world.settle()
    stream.object(1)
    await world.settle()
    seen.subscription!.unsubscribe()
    await world.settle()
    // Takes the place of the one that left.
    const third = new ManualSubscriber(world).subscribe(video)
    await world.settle()
    stream.object(2).fin()
    await world.settle()
    expect(shapes(second)).toEqual([[[1, 2], 'fin']])
    expect(shapes(third)).toEqual([[[2], 'fin']])
    expect(third.streams[0]!.header.firstObject).toBe(false)
  })
})

describe('a malformed track (section 2.4.2)', () => {
  it('ends at once with that code, and costs the publisher its subscription', async () => {
    const { world, seen, publishers, track, other } = await relayed(2)
    track.stream(0, 0).object(0, 'one thing')
    await world.settle()
    other.stream(0, 0).object(0, 'another')
    await world.settle()
    expect(seen.done).toBe(DoneCode.MALFORMED_TRACK)
    expect(seen.payloads).toEqual(['one thing'])
    expect(other.cancelled).toBe(true)
    expect(world.relay.tally.malformedTracks).toBe(1)
    expect(world.relay.trackCount).toBe(0)
    for (const { session } of publishers) expect(session.closed).toBe(false)
  })

  it('is found at a FIN too, and ends what waits, but no other track', async () => {
    const { world, seen, publishers, track, other } = await relayed(2)
    const audio = trackOf(news, 'audio')
    publishers[0]!.willServe(audio)
    const listener = new ManualSubscriber(world).subscribe(audio)
    await world.settle()
    track.stream(0, 0).object(0).object(1).fin()
    await world.settle()
    other.stream(0, 0).object(0).fin()
    await world.settle()
    expect(seen.done).toBe(DoneCode.MALFORMED_TRACK)
    publishers[0]!.track(audio).stream(0, 0).object(0)
    await world.settle()
    expect(listener.objects).toEqual(['0/0'])
  })

  it('does not keep the other publisher from serving the next subscriber', async () => {
    const world = new RelayWorld()
    const [good, bad] = [new ManualPublisher(world), new ManualPublisher(world)]
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    const [a, b] = [good.publish(video), bad.publish(video)]
    const seen = subscriber.subscribe(video)
    await world.settle()
    a.stream(0, 0).object(0, 'right')
    await world.settle()
    b.stream(0, 0).object(0, 'wrong')
    await world.settle()
    expect(seen.done).toBe(DoneCode.MALFORMED_TRACK)
    const again = subscriber.subscribe(video)
    await world.settle()
    a.stream(1, 0).object(0, 'goes on')
    await world.settle()
    expect(again.payloads).toEqual(['goes on'])
    expect(b.cancelled).toBe(true)
  })
})
