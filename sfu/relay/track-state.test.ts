import { describe, expect, it } from 'vitest'
import { RawPeer } from '../../moq/session/test-pair.ts'
import { DoneCode, RequestCode, ResetCode } from '../../moq/wire/codes.ts'
import { namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { PropertyType } from '../../moq/wire/properties.ts'
import { ManualPublisher, ManualSubscriber } from './test-peers.ts'
import { RelayWorld, Subscriber } from './test-world.ts'

const news = namespaceOf('live', 'news')
const video = trackOf(news, 'video')

async function published(options = {}) {
  const world = new RelayWorld()
  const publisher = new ManualPublisher(world, news)
  publisher.willServe(video, options)
  const [one, two] = [new ManualSubscriber(world), new ManualSubscriber(world)]
  await world.settle()
  return { world, publisher, one, two }
}

describe('Forward State (sections 5.1 and 9.2)', () => {
  it('is 1 in a new SUBSCRIBE, whatever the subscriber asked for', async () => {
    const { world, publisher, one } = await published()
    const seen = one.subscribe(video, { forward: false })
    await world.settle()
    expect(publisher.track(video).answer).toEqual({ forward: true })
    expect(publisher.track(video).updates).toEqual([])
    publisher.track(video).stream(0, 0).object(0)
    await world.settle()
    expect(seen.objects).toEqual([])
  })

  it('follows what the subscribers want together, one update at a time', async () => {
    const { world, publisher, one, two } = await published()
    const [first, second] = [one.subscribe(video), two.subscribe(video)]
    await world.settle()
    const track = publisher.track(video)
    first.update({ forward: false })
    await world.settle()
    expect(track.updates).toEqual([])
    second.update({ forward: false })
    await world.settle()
    expect(track.updates).toEqual([{ forward: false }])
    // Three changes while an update is under way are one more update, or none.
    first.update({ forward: true })
    first.update({ forward: false })
    first.update({ forward: true })
    await world.settle()
    expect(track.updates.at(-1)).toEqual({ forward: true })
    expect(track.updates.length).toBeLessThanOrEqual(4)
    track.stream(0, 0).object(0)
    await world.settle()
    expect(first.objects).toEqual(['0/0'])
    expect(second.objects).toEqual([])
  })

  it('tells a subscriber the largest object only when it is up to date (section 10.2.11)', async () => {
    const world = new RelayWorld()
    const [publisher, subscriber] = [new ManualPublisher(world), new ManualSubscriber(world)]
    await world.settle()
    const track = publisher.publish(video, { largest: { group: 1, object: 0 } })
    await world.settle()
    // Published while nobody wanted it: the relay has not seen it.
    track.largest = { group: 8, object: 3 }
    const seen = subscriber.subscribe(video)
    await world.settle()
    expect(seen.accepted?.largest).toEqual({ group: 8, object: 3 })
  })

  it('does not make a subscriber wait for a publisher that does not answer an update', async () => {
    const world = new RelayWorld()
    const subscriber = new ManualSubscriber(world)
    // A publisher that reads nothing more once its PUBLISH is accepted.
    const publisher = new ManualPublisher(world)
    await world.settle()
    publisher.publish(video, { largest: { group: 1, object: 0 } })
    await world.settle()
    publisher.session.transport.handler = null
    const seen = subscriber.subscribe(video)
    await world.settle()
    expect(seen.accepted === null || seen.accepted.largest !== null).toBe(true)
    world.clock.advance(1000)
    await world.settle()
    expect(seen.accepted?.largest).toEqual({ group: 1, object: 0 })
  })

  it('has one update under way to a publisher that does not answer, then tells it the last wish', async () => {
    const world = new RelayWorld()
    const publisher = new RawPeer(world.connect())
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    const parameters = {}
    const request = publisher.request({
      type: 'PUBLISH',
      requestId: 0,
      track: video,
      trackAlias: 1,
      parameters,
      properties: [],
    })
    await world.settle()
    const updates = () => request.received.filter(({ type }) => type === 'REQUEST_UPDATE')
    const seen = subscriber.subscribe(video)
    await world.settle()
    for (let i = 0; i < 10; i++) {
      world.clock.advance(1000)
      await world.settle()
      seen.update({ forward: i % 2 === 0 })
      await world.settle()
    }
    // The subscriber is served meanwhile, and now wants no objects.
    expect(seen.granted.length).toBe(10)
    expect(updates()).toMatchObject([{ parameters: { forward: true } }])
    request.send({ type: 'REQUEST_OK', parameters, properties: [] })
    await world.settle()
    const told = [{ parameters: { forward: true } }, { parameters: { forward: false } }]
    expect(updates()).toMatchObject(told)
    request.send({ type: 'REQUEST_OK', parameters, properties: [] })
    world.clock.advance(10_000)
    await world.settle()
    expect(updates()).toMatchObject(told)
    expect(publisher.closed).toBeNull()
  })

  it('resets a stream that it interrupts, and begins another when it is 1 again (section 11.4.3)', async () => {
    const { world, publisher, one } = await published()
    const seen = one.subscribe(video)
    await world.settle()
    const stream = publisher.track(video).stream(0, 0)
    stream.object(0)
    await world.settle()
    seen.update({ forward: false })
    await world.settle()
    // The publisher had sent one more before it heard of it.
    stream.object(1)
    await world.settle()
    seen.update({ forward: true })
    await world.settle()
    stream.object(2).fin()
    await world.settle()
    expect(seen.streams.map(({ objects }) => objects)).toEqual([[0], [2]])
    expect(seen.streams.map(({ header }) => header.firstObject)).toEqual([true, false])
    // Neither stream had the whole subgroup: no FIN, and no reset that would overtake the object.
    expect(seen.streams.map(({ end }) => end)).toEqual([ResetCode.CANCELLED, 'open'])
    world.clock.advance(2000)
    await world.settle()
    expect(seen.streams.map(({ end }) => typeof end)).toEqual(['number', 'number'])
    expect(seen.granted.at(-1)?.largestObject).toEqual({ group: 0, object: 1 })
  })
})

describe('the largest object (section 10.2.11)', () => {
  it('is the largest that a publisher told or sent, and does not go down', async () => {
    const { world, publisher, one, two } = await published({ largest: { group: 5, object: 2 } })
    const first = one.subscribe(video)
    await world.settle()
    expect(first.accepted?.largest).toEqual({ group: 5, object: 2 })
    publisher.track(video).stream(4, 0).object(9)
    await world.settle()
    const second = two.subscribe(video)
    await world.settle()
    expect(second.accepted?.largest).toEqual({ group: 5, object: 2 })
    const late = new ManualPublisher(world)
    await world.settle()
    late.publish(video, { largest: { group: 5, object: 1 } })
    await world.settle()
    first.update({ subscriberPriority: 3 })
    await world.settle()
    expect(first.granted.at(-1)?.largestObject).toEqual({ group: 5, object: 2 })
    publisher.track(video).stream(6, 0).object(0)
    await world.settle()
    first.update({ subscriberPriority: 4 })
    await world.settle()
    expect(first.granted.at(-1)?.largestObject).toEqual({ group: 6, object: 0 })
  })

  it('begins anew with a publisher that comes after the last one left', async () => {
    const { world, publisher, one } = await published({ largest: { group: 5, object: 2 } })
    const first = one.subscribe(video)
    await world.settle()
    publisher.track(video).stream(6, 0).object(0, 'before')
    await world.settle()
    publisher.session.close(0, 'gone')
    await world.settle()
    expect(first.done).toBe(DoneCode.INTERNAL_ERROR)
    const next = new ManualPublisher(world, news)
    next.willServe(video)
    await world.settle()
    const again = one.subscribe(video)
    await world.settle()
    expect(again.accepted?.largest).toBeNull()
    next.track(video).stream(6, 0).object(0, 'after')
    await world.settle()
    expect(again.payloads).toEqual(['after'])
  })
})

describe('TRACK_STATUS (section 10.14)', () => {
  it('asks a publisher that sends nothing now, and falls back to what is known', async () => {
    const world = new RelayWorld()
    const [publisher, asker] = [new ManualPublisher(world), new Subscriber(world)]
    await world.settle()
    publisher.publish(video, { largest: { group: 3, object: 1 } })
    await world.settle()
    asker.askStatus(video)
    await world.settle()
    expect(publisher.statusRequests).toBe(1)
    expect(asker.states).toEqual([{ largest: { group: 3, object: 1 }, properties: [] }])
    new ManualSubscriber(world).subscribe(video)
    await world.settle()
    asker.askStatus(video)
    await world.settle()
    expect(publisher.statusRequests).toBe(1)
  })
})

describe('filters (section 5.1.2)', () => {
  it('keeps each of a subscriber, and refuses a range that is past', async () => {
    const { world, publisher } = await published({ largest: { group: 5, object: 2 } })
    const subscribe = (filter: object) =>
      new ManualSubscriber(world).subscribe(video, { filter } as never)
    const all = subscribe({ kind: 'absolute-start', start: { group: 0, object: 0 } })
    const largest = subscribe({ kind: 'largest-object' })
    const next = subscribe({ kind: 'next-group-start' })
    const start = { group: 6, object: 1 }
    const range = subscribe({ kind: 'absolute-range', start, endGroup: 6 })
    await world.settle()
    const past = subscribe({ kind: 'absolute-range', start: { group: 1, object: 0 }, endGroup: 4 })
    await world.settle()
    expect(past.rejected).toBe(RequestCode.INVALID_RANGE)
    const track = publisher.track(video)
    track.stream(5, 0, { firstObject: false }).object(2, 'late').object(3).fin()
    track.stream(6, 0).object(0).object(1).fin()
    track.stream(7, 0).object(0).fin()
    await world.settle()
    expect(all.objects).toEqual(['5/2', '5/3', '6/0', '6/1', '7/0'])
    expect(largest.objects).toEqual(['5/3', '6/0', '6/1', '7/0'])
    expect(next.objects).toEqual(['6/0', '6/1', '7/0'])
    expect(range.objects).toEqual(['6/1'])
    // What lies before the start of a subscription is no part of it: the stream may end with a FIN.
    expect(range.streams.map(({ end }) => end)).toEqual(['fin'])
    range.update({ filter: { kind: 'absolute-range', start, endGroup: 6 } })
    await world.settle()
    expect(range.refused).toEqual([RequestCode.INVALID_RANGE])
    expect(range.done).toBe(DoneCode.UPDATE_FAILED)
  })
})

describe('what a publisher says of its track', () => {
  it('is told to every subscriber, with unknown properties untouched (section 9.6)', async () => {
    const properties = [
      { type: PropertyType.DEFAULT_PUBLISHER_PRIORITY, value: 7 },
      { type: 0x3ffe, value: 5 },
    ]
    const { world, one, two } = await published({ properties })
    const first = one.subscribe(video)
    await world.settle()
    const second = two.subscribe(video)
    await world.settle()
    expect(first.accepted?.properties).toEqual(properties)
    expect(second.accepted?.properties).toEqual(properties)
  })

  it('is replaced by what the next publisher says, but for the default priority (section 2.5)', async () => {
    const priority = { type: PropertyType.DEFAULT_PUBLISHER_PRIORITY, value: 7 }
    const { world, one, two } = await published({ properties: [priority] })
    one.subscribe(video)
    await world.settle()
    const next = new ManualPublisher(world)
    await world.settle()
    const newer = [priority, { type: 0x3ffe, value: 5 }]
    next.publish(video, { properties: newer })
    await world.settle()
    const third = new ManualPublisher(world)
    await world.settle()
    third.publish(video, { properties: [{ ...priority, value: 9 }] })
    await world.settle()
    const seen = two.subscribe(video)
    await world.settle()
    expect(seen.accepted?.properties).toEqual(newer)
  })

  it('passes on when the publisher will end it, as time goes by (section 10.2.10)', async () => {
    const { world, one, two } = await published({ expires: 5000 })
    const first = one.subscribe(video)
    await world.settle()
    world.clock.advance(2000)
    const second = two.subscribe(video)
    await world.settle()
    expect(first.accepted?.parameters.expires).toBe(5000)
    expect(second.accepted?.parameters.expires).toBe(3000)
    // Another publisher that does not say keeps the track alive.
    const other = new ManualPublisher(world)
    await world.settle()
    other.publish(video)
    await world.settle()
    first.update({ subscriberPriority: 9 })
    await world.settle()
    expect(first.granted[0]?.expires).toBeUndefined()
  })

  it('bounds delivery by the smaller timeout of publisher and subscriber (section 8)', async () => {
    const world = new RelayWorld({ room: () => world.room })
    const publisher = new ManualPublisher(world, news)
    publisher.willServe(video, {
      properties: [{ type: PropertyType.OBJECT_DELIVERY_TIMEOUT, value: 500 }],
    })
    const [patient, hasty] = [new ManualSubscriber(world), new ManualSubscriber(world)]
    await world.settle()
    const slow = patient.subscribe(video, { objectDeliveryTimeout: 0 })
    const fast = hasty.subscribe(video, { objectDeliveryTimeout: 100 })
    await world.settle()
    world.room = 0
    publisher.track(video).stream(0, 0).object(0)
    await world.settle()
    world.clock.advance(300)
    world.room = 10_000
    world.offerRoom()
    await world.settle()
    expect(slow.objects).toEqual(['0/0'])
    expect(fast.objects).toEqual([])
  })

  it('orders groups as the subscriber asked, else as the publisher prefers (section 7.1)', async () => {
    const world = new RelayWorld({ room: () => world.room })
    const publisher = new ManualPublisher(world, news)
    publisher.willServe(video, {
      properties: [{ type: PropertyType.DEFAULT_PUBLISHER_GROUP_ORDER, value: 2 }],
    })
    const [one, two] = [new ManualSubscriber(world), new ManualSubscriber(world)]
    await world.settle()
    const newest = one.subscribe(video)
    const oldest = two.subscribe(video, { groupOrder: 'ascending' })
    await world.settle()
    world.room = 0
    for (const group of [0, 1, 2]) publisher.track(video).stream(group, 0).object(0).fin()
    await world.settle()
    world.room = 10_000
    world.offerRoom()
    await world.settle()
    expect(newest.objects).toEqual(['2/0', '1/0', '0/0'])
    expect(oldest.objects).toEqual(['0/0', '1/0', '2/0'])
  })

  it('refuses a track with a mandatory property that nobody here understands (section 2.5.1)', async () => {
    const { world, one } = await published({ properties: [{ type: 0x4000, value: 1 }] })
    const seen = one.subscribe(video)
    await world.settle()
    expect(seen.rejected).toBe(RequestCode.UNSUPPORTED_EXTENSION)
    const publisher = new ManualPublisher(world)
    await world.settle()
    const track = publisher.publish(trackOf(news, 'other'), {
      properties: [{ type: 0x4000, value: 1 }],
    })
    await world.settle()
    expect(track.rejected).toBe(RequestCode.UNSUPPORTED_EXTENSION)
    expect(world.relay.trackCount).toBe(0)
  })
})
