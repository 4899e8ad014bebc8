/** Sessions of different drafts at one relay: each speaks its own, and the media is the same. */

import { describe, expect, it } from 'vitest'
import { RequestCode } from '../../moq/wire/codes.ts'
import { formatTrack, namespaceOf, trackOf } from '../../moq/wire/names.ts'
import type { Parameters } from '../../moq/wire/parameters.ts'
import { PropertyType } from '../../moq/wire/properties.ts'
import { ManualPublisher, ManualSubscriber } from './test-peers.ts'
import { RelayWorld } from './test-world.ts'

const news = namespaceOf('live', 'news')
const video = trackOf(news, 'video')
const audio = trackOf(news, 'audio')

describe.each([
  ['moqt-18', 'moqt-19'],
  ['moqt-19', 'moqt-18'],
  ['moqt-19', 'moqt-19'],
])('a publisher of %s and a subscriber of %s', (publishing, subscribing) => {
  async function meet() {
    const world = new RelayWorld({ protocol: publishing })
    const publisher = new ManualPublisher(world, news)
    world.protocol = subscribing
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    expect(publisher.session.transport.protocol).toBe(publishing)
    expect(subscriber.session.transport.protocol).toBe(subscribing)
    return { world, publisher, subscriber }
  }

  it('pass streams, datagrams and updates, from SUBSCRIBE to PUBLISH_DONE', async () => {
    const { world, publisher, subscriber } = await meet()
    publisher.willServe(video, { largest: { group: 1, object: 0 } })
    const seen = subscriber.subscribe(video)
    await world.settle()
    expect(seen.accepted?.largest).toEqual({ group: 1, object: 0 })
    const track = publisher.track(video)
    track.stream(2, 0).object(0).object(1, 'two').fin()
    track.datagram(2, 5, 'three')
    await world.settle()
    expect(seen.objects.toSorted()).toEqual(['2/0', '2/1', '2/5'])
    expect(seen.payloads).toContain('two')
    expect(seen.datagrams).toEqual(['2/5'])
    expect(seen.streams.map(({ end }) => end)).toEqual(['fin'])
    seen.update({ forward: false })
    await world.settle()
    expect(seen.granted).toHaveLength(1)
    expect(track.updates).toEqual([{ forward: false }])
    track.done()
    await world.settle()
    expect(seen.done).toBe(0x2)
  })

  it('meet by PUBLISH and SUBSCRIBE_TRACKS too', async () => {
    const { world, publisher, subscriber } = await meet()
    subscriber.watchTracks(namespaceOf('live'))
    publisher.publish(audio)
    await world.settle()
    const seen = subscriber.offered.get(formatTrack(audio))!
    publisher.track(audio).stream(0, 0).object(0).fin()
    await world.settle()
    expect(seen.objects).toEqual(['0/0'])
  })
})

describe('several subscriptions of one session to a track', () => {
  it('are one in moqt-18: DUPLICATE_SUBSCRIPTION (draft-18 section 5.1)', async () => {
    const { seen } = await subscribeTwice('moqt-18')
    expect(seen.map(({ rejected }) => rejected)).toEqual([null, RequestCode.DUPLICATE_SUBSCRIPTION])
  })

  it('are served each in moqt-19, with one subscription upstream (draft-19 section 5.1)', async () => {
    const { world, publisher, seen } = await subscribeTwice('moqt-19')
    expect(publisher.asked).toHaveLength(1)
    publisher.track(video).stream(0, 0).object(0).fin()
    await world.settle()
    // Both have the relay's alias: each object comes once for each, and goes to both.
    for (const { objects } of seen) expect(objects).toEqual(['0/0', '0/0'])
    seen[0]!.subscription!.unsubscribe()
    await world.settle()
    expect(world.relay.subscriptionCount).toBe(1)
    publisher.track(video).stream(1, 0).object(0).fin()
    await world.settle()
    expect(seen[1]!.objects.slice(2)).toEqual(['1/0'])
    expect(seen[0]!.objects).toHaveLength(2)
  })

  async function subscribeTwice(protocol: string) {
    const world = new RelayWorld({ protocol })
    const [publisher, subscriber] = [new ManualPublisher(world, news), new ManualSubscriber(world)]
    publisher.willServe(video)
    await world.settle()
    const seen = [subscriber.subscribe(video), subscriber.subscribe(video)]
    await world.settle()
    return { world, publisher, seen }
  }
})

it('a PUBLISH beside a SUBSCRIBE of the relay is not taken in moqt-19: it has the track', async () => {
  const world = new RelayWorld({ protocol: 'moqt-19' })
  const [publisher, subscriber] = [new ManualPublisher(world, news), new ManualSubscriber(world)]
  publisher.willServe(video)
  await world.settle()
  const seen = subscriber.subscribe(video)
  await world.settle()
  const subscribed = publisher.track(video)
  const published = publisher.publish(video)
  await world.settle()
  expect(published.rejected).toBe(RequestCode.UNINTERESTED)
  subscribed.stream(0, 0).object(0)
  await world.settle()
  expect(seen.objects).toEqual(['0/0'])
})

it('the terms of a SUBSCRIBE_TRACKS hold for what is offered (draft-19 section 10.19.1)', async () => {
  const world = new RelayWorld({ protocol: 'moqt-19' })
  const [publisher, subscriber] = [new ManualPublisher(world), new ManualSubscriber(world)]
  await world.settle()
  subscriber.watchTracks(news, {
    groupOrder: 'descending',
    subscriberPriority: 3,
    filter: { kind: 'absolute-start', start: { group: 5, object: 0 } },
  })
  await world.settle()
  const track = publisher.publish(video)
  await world.settle()
  const seen = subscriber.offered.get(formatTrack(video))!
  track.stream(4, 0).object(0).fin()
  track.stream(5, 0).object(0).fin()
  await world.settle()
  expect(seen.objects).toEqual(['5/0'])
})

describe('delivery timeouts of a subgroup (draft-19 section 8)', () => {
  /** A subgroup whose first object says 50 ms, and one whose second does, sent after 60 ms. */
  async function late(publishing: string, parameters: Parameters = {}) {
    let room = 65_536
    const world = new RelayWorld({ protocol: publishing, room: () => room })
    const publisher = new ManualPublisher(world, news)
    world.protocol = 'moqt-18'
    const subscriber = new ManualSubscriber(world)
    publisher.willServe(video)
    await world.settle()
    const seen = subscriber.subscribe(video, parameters)
    await world.settle()
    room = 0
    const own = [{ type: PropertyType.OBJECT_DELIVERY_TIMEOUT, value: 50 }]
    publisher.track(video).stream(0, 0).object(0, 'a', own).object(1).fin()
    publisher.track(video).stream(0, 1).object(2).object(3, 'b', own).fin()
    await world.settle()
    world.clock.advance(60)
    room = 65_536
    world.offerRoom()
    await world.settle()
    return seen.objects
  }

  it("stand for the track's, when the first object has them", async () => {
    expect(await late('moqt-19')).toEqual(['0/2', '0/3'])
    expect(await late('moqt-19', { objectDeliveryTimeout: 1000 })).toEqual(['0/2', '0/3'])
  })

  it("do not exceed the subscriber's", async () => {
    expect(await late('moqt-19', { objectDeliveryTimeout: 10 })).toEqual([])
  })

  it('are unknown in draft-18', async () => {
    expect(await late('moqt-18')).toEqual(['0/0', '0/1', '0/2', '0/3'])
  })
})
