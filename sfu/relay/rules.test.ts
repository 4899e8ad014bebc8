/** What draft-18 demands of a relay, where no test of a single room shows it. */

import { describe, expect, it } from 'vitest'
import type { Publication } from '../../moq/session/index.ts'
import { RawPeer } from '../../moq/session/test-pair.ts'
import { DoneCode, RequestCode, ResetCode } from '../../moq/wire/codes.ts'
import type { FetchObject } from '../../moq/wire/fetch.ts'
import { formatNamespace, formatTrack, namespaceOf, trackOf } from '../../moq/wire/names.ts'
import type { MoqObject } from '../../moq/wire/object.ts'
import { encodeProperties, type Property, PropertyType } from '../../moq/wire/properties.ts'
import { encodeSubgroupBody } from '../../moq/wire/subgroup.ts'
import { Fetcher, Origin } from './fetch-test-world.ts'
import { ManualPublisher, ManualSubscriber } from './test-peers.ts'
import { RelayWorld, Subscriber } from './test-world.ts'

const news = namespaceOf('live', 'news')
const video = trackOf(news, 'video')

const DYNAMIC: Property[] = [{ type: PropertyType.DYNAMIC_GROUPS, value: 1 }]

describe('properties at the relay', () => {
  it('of an object go on as they came, live and from the cache (sections 2.5, 12.7 to 12.9)', async () => {
    const world = new RelayWorld()
    const [publisher, fetcher] = [new ManualPublisher(world), new Fetcher(world)]
    const session = world.client({})
    await world.settle()
    const track = publisher.publish(video)
    const received: MoqObject[] = []
    await world.settle()
    session.subscribe(video, {}, { onObject: (object) => received.push(object) })
    await world.settle()
    const properties = Uint8Array.of(
      // Immutable Properties (0x0b): TIMESTAMP-like 0x10 in two bytes where one would do.
      ...[0x0b, 4, 0x80, 0x10, 0x80, 0x05],
      // Of applications: 0x39, then PRIOR_OBJECT_ID_GAP 2 (0x3e), then an unknown 0x9d.
      ...[0x2e, 3, 1, 2, 3, 0x05, 2, 0x5f, 1, 9],
    )
    const stream = track.stream(3, 0)
    stream.writer.write(5, encodeSubgroupBody(properties, Uint8Array.of(7, 8)))
    stream.fin()
    await world.settle()
    const fetched = fetcher.standalone(video, [3, 5], [3, 6], { fillTimeout: 0 })
    await world.settle()
    const ofFetch: FetchObject[] = fetched.objects
    expect(fetched.done).toBe(true)
    for (const object of [received[0]!, ofFetch[0]!]) {
      expect([...object.properties]).toEqual([...properties])
      expect([...object.payload]).toEqual([7, 8])
    }
  })

  it('of an object are those that came first, not a mixture (section 2.5)', async () => {
    const world = new RelayWorld()
    const [one, two] = [new ManualPublisher(world), new ManualPublisher(world)]
    const fetcher = new Fetcher(world)
    await world.settle()
    const [a, b] = [one.publish(video), two.publish(video)]
    fetcher.subscribe(video)
    await world.settle()
    a.stream(0, 0).object(0, 'same', [{ type: 0x38, value: 1 }])
    await world.settle()
    b.stream(0, 0).object(0, 'same', [{ type: 0x3a, value: 2 }])
    await world.settle()
    const fetched = fetcher.standalone(video, [0, 0], [0, 1])
    await world.settle()
    expect(fetched.objects.map(({ properties }) => [...properties])).toEqual([
      [...encodeProperties([{ type: 0x38, value: 1 }])],
    ])
  })

  it('of a track stand in each PUBLISH, SUBSCRIBE_OK, TRACK_STATUS_OK and FETCH_OK (section 9.6)', async () => {
    const world = new RelayWorld()
    const offered: (readonly Property[])[] = []
    const watcher = world.client({
      onPublish: (request) => {
        offered.push(request.properties)
        request.reject(RequestCode.UNINTERESTED, 'seen')
      },
    })
    const publisher = new ManualPublisher(world)
    const [subscriber, asker] = [new ManualSubscriber(world), new Subscriber(world)]
    const fetcher = new Fetcher(world)
    watcher.subscribeTracks(news, {})
    await world.settle()
    const properties = [
      { type: PropertyType.IMMUTABLE_PROPERTIES, value: encodeProperties([{ type: 8, value: 9 }]) },
      { type: 0x3801, value: Uint8Array.of(1) },
      { type: 0x9d00, value: 5 },
    ]
    const track = publisher.publish(video, { properties })
    await world.settle()
    const seen = subscriber.subscribe(video)
    await world.settle()
    track.stream(0, 0).object(0)
    await world.settle()
    asker.askStatus(video)
    const fetched = fetcher.standalone(video, [0, 0], [0, 1])
    await world.settle()
    expect(offered).toEqual([properties])
    expect(seen.accepted?.properties).toEqual(properties)
    expect(asker.states[0]?.properties).toEqual(properties)
    expect(fetched.ok?.properties).toEqual(properties)
  })

  it('that are mandatory and unknown end a fetch that has begun to be served (section 2.5.1)', async () => {
    const world = new RelayWorld()
    const origin = new Origin(world, video)
    origin.has(0, 0)
    origin.has(0, 1)
    origin.answering = 'hold'
    const fetcher = new Fetcher(world)
    await world.settle()
    const fetched = fetcher.standalone(video, [0, 0], [0, 2])
    await world.settle()
    const upstream = origin.fetches[0]!
    upstream.openStream(20, 128, 'ascending')!.object(origin.objects.get('0/0')!)
    await world.settle()
    expect(fetched.got).toEqual(['0/0'])
    upstream.accept({
      endOfTrack: false,
      end: { group: 0, object: 2 },
      properties: [{ type: 0x4001, value: Uint8Array.of(1) }],
    })
    await world.settle()
    expect(fetched.reset).toBe(ResetCode.INTERNAL_ERROR)
    expect([fetched.done, fetched.got]).toEqual([false, ['0/0']])
    expect(origin.cancelled).toBe(1)
    expect(world.relay.fetchCount).toBe(0)
  })
})

describe('a SUBSCRIBE at the relay', () => {
  it('is accepted when a publisher has accepted, and not before (section 9.4)', async () => {
    const world = new RelayWorld()
    const publisher = new ManualPublisher(world, news)
    publisher.willServe(video, { largest: { group: 4, object: 2 } })
    publisher.silent = true
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    const seen = subscriber.subscribe(video)
    await world.settle()
    expect(publisher.asked).toEqual([formatTrack(video)])
    expect([seen.accepted, seen.rejected]).toEqual([null, null])
    publisher.answer(publisher.requests[0]!)
    await world.settle()
    expect(seen.accepted?.largest).toEqual({ group: 4, object: 2 })
  })

  it('keeps its parameters to itself but for the new group (sections 7.3 and 10.2)', async () => {
    const world = new RelayWorld()
    const [publisher, subscriber] = [new ManualPublisher(world, news), new ManualSubscriber(world)]
    publisher.willServe(video)
    await world.settle()
    subscriber.subscribe(video, {
      objectDeliveryTimeout: 5,
      subgroupDeliveryTimeout: 6,
      rendezvousTimeout: 7,
      subscriberPriority: 8,
      groupOrder: 'descending',
      filter: { kind: 'next-group-start' },
      newGroupRequest: 9,
      authorizationTokens: [{ kind: 'use-value', type: 0, value: Uint8Array.of(1) }],
    })
    await world.settle()
    const parameters = publisher.requests.map((request) => request.parameters)
    expect(parameters).toEqual([{ forward: true, newGroupRequest: 9 }])
  })

  it('has an alias of its own in the session (section 11.1)', async () => {
    const world = new RelayWorld()
    const [publisher, subscriber] = [new ManualPublisher(world, news), new ManualSubscriber(world)]
    const tracks = ['a', 'b', 'c'].map((name) => trackOf(news, name))
    for (const track of tracks) publisher.willServe(track)
    await world.settle()
    const seen = tracks.map((track) => subscriber.subscribe(track))
    await world.settle()
    const aliases = seen.map(({ subscription }) => subscription!.trackAlias)
    expect(new Set(aliases).size).toBe(3)
    expect(aliases).not.toContain(null)
  })

  it('finds publishers by whole fields of their namespace (section 9.5)', async () => {
    const world = new RelayWorld()
    const publishers = [namespaceOf('foo'), namespaceOf('foo', 'bar'), namespaceOf('foobar')].map(
      (namespace) => new ManualPublisher(world, namespace),
    )
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    subscriber.subscribe(trackOf(namespaceOf('foo', 'bar'), 'x'))
    await world.settle()
    expect(publishers.map(({ asked }) => asked.length)).toEqual([1, 1, 0])
  })

  it('turns the Forward State on at every publisher that has it off (section 9.5)', async () => {
    const world = new RelayWorld()
    const publishers = [new ManualPublisher(world), new ManualPublisher(world)]
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    const tracks = publishers.map((publisher) => publisher.publish(video))
    await world.settle()
    expect(tracks.map(({ answer }) => answer)).toEqual(Array(2).fill({ forward: false }))
    subscriber.subscribe(video, { forward: false })
    await world.settle()
    expect(tracks.map(({ updates }) => updates)).toEqual([[], []])
    new ManualSubscriber(world).subscribe(video)
    await world.settle()
    expect(tracks.map(({ updates }) => updates)).toEqual(Array(2).fill([{ forward: true }]))
  })

  it('asks for new groups only of tracks that have them (section 10.2.13)', async () => {
    for (const properties of [[], DYNAMIC]) {
      const dynamic = properties.length > 0
      const world = new RelayWorld()
      const publisher = new ManualPublisher(world)
      const [waiting, later] = [new ManualSubscriber(world), new ManualSubscriber(world)]
      await world.settle()
      waiting.subscribe(video, { rendezvousTimeout: 1000, newGroupRequest: 3 })
      await world.settle()
      const track = publisher.publish(video, { properties })
      await world.settle()
      expect(track.answer).toEqual({ forward: true, ...(dynamic && { newGroupRequest: 3 }) })
      track.stream(5, 0).object(0)
      await world.settle()
      later.subscribe(video, { newGroupRequest: 0 })
      await world.settle()
      expect(track.updates).toEqual(dynamic ? [{ newGroupRequest: 0 }] : [])
    }
  })

  it('ends behind what still waits for it (sections 5.1.1 and 10.11)', async () => {
    const world = new RelayWorld({ room: () => world.room })
    const [publisher, subscriber] = [new ManualPublisher(world, news), new ManualSubscriber(world)]
    publisher.willServe(video)
    await world.settle()
    const seen = subscriber.subscribe(video)
    await world.settle()
    world.room = 0
    publisher.track(video).stream(0, 0).object(0).object(1).fin()
    await world.settle()
    publisher.track(video).done()
    await world.settle()
    expect([seen.objects, seen.done]).toEqual([[], null])
    world.room = 10_000
    world.offerRoom()
    await world.settle()
    expect([seen.objects, seen.done]).toEqual([['0/0', '0/1'], DoneCode.TRACK_ENDED])
    expect(seen.streams.map(({ end }) => end)).toEqual(['fin'])
  })

  it('gets one stream a subgroup, and one subgroup a stream (section 2.2)', async () => {
    const world = new RelayWorld()
    const [publisher, subscriber] = [new ManualPublisher(world, news), new ManualSubscriber(world)]
    publisher.willServe(video)
    await world.settle()
    const seen = subscriber.subscribe(video)
    await world.settle()
    const track = publisher.track(video)
    const [even, odd] = [track.stream(0, 0), track.stream(0, 1)]
    for (const id of [0, 2, 4]) {
      even.object(id)
      odd.object(id + 1)
      await world.settle()
    }
    even.fin()
    odd.fin()
    await world.settle()
    expect(seen.streams.map(({ header, objects }) => [header.subgroup, objects])).toEqual([
      [0, [0, 2, 4]],
      [1, [1, 3, 5]],
    ])
    expect(seen.streams.every(({ header }) => header.firstObject)).toBe(true)
  })
})

describe('MAX_CACHE_DURATION (section 12.3)', () => {
  it('bounds how long an object may wait to be forwarded', async () => {
    const world = new RelayWorld({ room: () => world.room })
    const [publisher, subscriber] = [new ManualPublisher(world, news), new ManualSubscriber(world)]
    const properties = [{ type: PropertyType.MAX_CACHE_DURATION, value: 100 }]
    publisher.willServe(video, { properties })
    await world.settle()
    const seen = subscriber.subscribe(video)
    await world.settle()
    world.room = 0
    publisher.track(video).stream(0, 0).object(0).fin()
    publisher.track(video).datagram(1, 0, 'old')
    await world.settle()
    world.clock.advance(101)
    publisher.track(video).stream(2, 0).object(0).fin()
    await world.settle()
    world.room = 10_000
    world.offerRoom()
    await world.settle()
    expect(seen.objects).toEqual(['2/0'])
  })
})

describe('OBJECT_DELIVERY_TIMEOUT (section 8)', () => {
  it('counts from the first byte of an object, not from the last', async () => {
    const world = new RelayWorld({ room: () => world.room })
    const publisher = new RawPeer(world.connect())
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    const seen = subscriber.subscribe(video, {
      rendezvousTimeout: 1000,
      objectDeliveryTimeout: 100,
    })
    publisher.request({
      type: 'PUBLISH',
      requestId: 0,
      track: video,
      trackAlias: 1,
      parameters: {},
      properties: [],
    })
    await world.settle()
    expect(seen.accepted).not.toBeNull()
    for (const [group, gapMs] of [
      [0, 60],
      [1, 30],
    ] as const) {
      const stream = publisher.transport.openUni(1)!
      // Object 0 with two bytes of payload, the second later than the first.
      stream.write(Uint8Array.of(0x70, 1, group, 0, 2, 8))
      await world.settle()
      world.clock.advance(gapMs)
      world.room = 0
      stream.write(Uint8Array.of(9))
      await world.settle()
      world.clock.advance(60)
      world.room = 10_000
      world.offerRoom()
      await world.settle()
    }
    expect(seen.objects).toEqual(['1/0'])
  })
})

describe('SUBGROUP_DELIVERY_TIMEOUT of a track (section 12.1)', () => {
  it('bounds how long a subgroup may wait behind its FIN, unless the subscriber bounds it more', async () => {
    const world = new RelayWorld({ room: () => world.room })
    const publisher = new ManualPublisher(world, news)
    const properties = [{ type: PropertyType.SUBGROUP_DELIVERY_TIMEOUT, value: 100 }]
    publisher.willServe(video, { properties })
    const [patient, hasty] = [new ManualSubscriber(world), new ManualSubscriber(world)]
    await world.settle()
    const slow = patient.subscribe(video, { subgroupDeliveryTimeout: 0 })
    const fast = hasty.subscribe(video, { subgroupDeliveryTimeout: 20 })
    await world.settle()
    world.room = 0
    publisher.track(video).stream(0, 0).object(0).fin()
    await world.settle()
    world.clock.advance(50)
    publisher.track(video).stream(1, 0).object(0).fin()
    await world.settle()
    world.clock.advance(50)
    publisher.track(video).stream(2, 0).object(0).fin()
    await world.settle()
    world.room = 10_000
    world.offerRoom()
    await world.settle()
    expect(slow.objects).toEqual(['1/0', '2/0'])
    expect(fast.objects).toEqual(['2/0'])
  })
})

describe('a joining FETCH (section 10.12.2)', () => {
  it('sees the updates that were sent before it', async () => {
    const world = new RelayWorld()
    const [publisher, fetcher] = [new ManualPublisher(world), new Fetcher(world)]
    const other = new ManualSubscriber(world)
    await world.settle()
    const track = publisher.publish(video)
    other.subscribe(video)
    const subscription = fetcher.subscribe(video, { forward: false })
    await world.settle()
    track.stream(1, 0).object(0).object(1)
    await world.settle()
    subscription.update({ forward: true })
    const fetched = fetcher.fetch({
      kind: 'relative-joining',
      joiningRequestId: subscription.requestId,
      joiningStart: 0,
    })
    await world.settle()
    expect([fetched.code, fetched.got]).toEqual([null, ['object 0', 'object 1']])
    track.stream(2, 0).object(0)
    await world.settle()
    expect(fetcher.received).toEqual(['2/0'])
  })
})

describe('the right to a track that many subscribe to (section 13)', () => {
  it('is each subscriber’s own, though they share one subscription upstream', async () => {
    const world = new RelayWorld()
    const [one, two] = [new ManualSubscriber(world), new ManualSubscriber(world)]
    const publisher = new ManualPublisher(world, news)
    publisher.willServe(video)
    await world.settle()
    const [first, second] = [one.subscribe(video), two.subscribe(video)]
    await world.settle()
    world.peers[0]!.maySubscribe = () => false
    world.relay.onNarrowed(world.peers[0]!)
    await world.settle()
    publisher.track(video).stream(0, 0).object(0)
    await world.settle()
    expect(publisher.asked).toHaveLength(1)
    expect([first.done, first.objects]).toEqual([DoneCode.UNAUTHORIZED, []])
    expect([second.done, second.objects]).toEqual([null, ['0/0']])
  })
})

describe('a FETCH of which nobody knows anything (section 10.12.3)', () => {
  it('is reset with UNKNOWN_OBJECT_STATUS', async () => {
    const world = new RelayWorld()
    const origin = new Origin(world, video)
    origin.answering = 'hold'
    const fetcher = new Fetcher(world)
    await world.settle()
    const fetched = fetcher.standalone(video, [0, 0], [0, 9])
    await world.settle()
    const writer = origin.fetches[0]!.openStream(20, 128, 'ascending')!
    writer.rangeEnd({ group: 0, object: 3, kind: 'unknown' })
    await world.settle()
    expect(fetched.got).toEqual(['unknown 0/3'])
    writer.reset(ResetCode.INTERNAL_ERROR)
    await world.settle()
    expect(fetched.reset).toBe(ResetCode.UNKNOWN_OBJECT_STATUS)
    expect(world.relay.fetchCount).toBe(0)
  })
})

describe('namespaces at the relay', () => {
  it('are found under a prefix (section 10.18)', async () => {
    const world = new RelayWorld()
    const meeting = namespaceOf('example.com', 'meeting=123')
    const [publisher, watcher] = [new Subscriber(world), new Subscriber(world)]
    const names = ['participant=100', 'participant=200']
    for (const name of names) {
      const namespace = [...meeting, ...namespaceOf(name)]
      publisher.session.publishNamespace(namespace, {})
    }
    publisher.session.publishNamespace(namespaceOf('example.com', 'meeting=1234'), {})
    await world.settle()
    watcher.watch(meeting)
    await world.settle()
    expect(watcher.namespaces).toEqual(
      names.map((name) => formatNamespace([...meeting, ...namespaceOf(name)])),
    )
  })

  it('of a session are asked for by no other (section 3.2.2)', async () => {
    const world = new RelayWorld()
    const everything = new ManualPublisher(world, [])
    const [subscriber, fetcher] = [new ManualSubscriber(world), new Fetcher(world)]
    let status = 0
    everything.session.subscribeTracks([], {})
    await world.settle()
    const track = trackOf(namespaceOf('.session'), 'x')
    const seen = subscriber.subscribe(track, { rendezvousTimeout: 1000 })
    const fetched = fetcher.standalone(track, [0, 0], [1, 0])
    fetcher.session.trackStatus(track, {
      onStatus() {},
      onRejected: (error) => {
        status = error?.code ?? 0
      },
    })
    await world.settle()
    const codes = [seen.rejected, fetched.code, status]
    expect(codes).toEqual(Array(3).fill(RequestCode.DOES_NOT_EXIST))
    expect([everything.asked, everything.statusRequests]).toEqual([[], 0])
  })
})

describe('the relay (section 4)', () => {
  it('supports every request', async () => {
    const world = new RelayWorld()
    const publisher = new ManualPublisher(world)
    const { session } = new Subscriber(world)
    await world.settle()
    publisher.publish(video, { largest: { group: 1, object: 1 } })
    await world.settle()
    const codes: number[] = []
    const onRejected = (error: { code: number } | null) => codes.push(error?.code ?? -1)
    const start = { group: 0, object: 0 }
    const own = namespaceOf('own')
    session.subscribe(video, {}, { onObject() {}, onRejected })
    session.publish(trackOf(own, 'x'), { trackAlias: 1, largest: null }, { onRejected })
    session.fetch(
      { kind: 'standalone', track: video, start, end: { group: 1, object: 1 } },
      { onObject() {}, onRejected },
    )
    session.trackStatus(video, { onStatus() {}, onRejected })
    session.publishNamespace(own, { onRejected })
    session.subscribeNamespace(news, { onRejected, onNamespace() {}, onNamespaceDone() {} })
    session.subscribeTracks(news, { onRejected })
    await world.settle()
    expect(codes).not.toContain(RequestCode.NOT_SUPPORTED)
    expect(session.closed).toBe(false)
  })

  it('passes on nothing that ended a session: an object is whole before it goes (section 9.5)', async () => {
    const world = new RelayWorld()
    const publications: Publication[] = []
    const hostile = world.client({
      onSubscribe: (request) => {
        publications.push(request.accept({ trackAlias: 1, largest: null }, {}))
      },
    })
    hostile.publishNamespace(news, {})
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    const seen = subscriber.subscribe(video)
    await world.settle()
    const header = {
      trackAlias: 1,
      group: 0,
      subgroup: 0,
      priority: null,
      hasProperties: false,
      endOfGroup: false,
      firstObject: true,
    }
    const writer = publications[0]!.openSubgroup(header, 1)!
    writer.write(0, encodeSubgroupBody(null, Uint8Array.of(1)))
    await world.settle()
    // Status 9 is none: a protocol violation.
    writer.write(1, Uint8Array.of(0, 9))
    await world.settle()
    expect(hostile.closed).toBe(true)
    expect(seen.objects).toEqual(['0/0'])
    expect(seen.streams.map(({ end }) => end)).not.toContain('fin')
    expect(subscriber.session.closed).toBe(false)
  })
})
