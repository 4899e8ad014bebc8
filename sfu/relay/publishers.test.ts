import { describe, expect, it } from 'vitest'
import { DoneCode, RequestCode, ResetCode } from '../../moq/wire/codes.ts'
import { formatTrack, namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { PropertyType } from '../../moq/wire/properties.ts'
import { ManualPublisher, ManualSubscriber } from './test-peers.ts'
import { RelayWorld } from './test-world.ts'

const live = namespaceOf('live')
const news = namespaceOf('live', 'news')
const video = trackOf(news, 'video')

async function worldWith(publishers: number) {
  const world = new RelayWorld()
  const made = Array.from({ length: publishers }, () => new ManualPublisher(world, news))
  for (const publisher of made) publisher.willServe(video)
  const subscriber = new ManualSubscriber(world)
  await world.settle()
  return { world, publishers: made, subscriber }
}

describe('several publishers of a track', () => {
  it('asks every publisher of the namespace and of its prefixes (section 9.5)', async () => {
    const world = new RelayWorld()
    const [exact, prefix, everything, other] = [
      new ManualPublisher(world, news),
      new ManualPublisher(world, live),
      new ManualPublisher(world, []),
      new ManualPublisher(world, namespaceOf('livestream')),
    ]
    for (const publisher of [exact, prefix, everything, other]) publisher.willServe(video)
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    const seen = subscriber.subscribe(video)
    await world.settle()
    expect([exact, prefix, everything, other].map((publisher) => publisher.asked.length)).toEqual([
      1, 1, 1, 0,
    ])
    expect(seen.accepted).not.toBeNull()
  })

  it('forwards each object once, whoever sends it first (section 9.3)', async () => {
    const { world, publishers, subscriber } = await worldWith(2)
    const seen = subscriber.subscribe(video)
    await world.settle()
    const [one, two] = publishers.map((publisher) => publisher.track(video))
    const [a, b] = [one!.stream(0, 0), two!.stream(0, 0)]
    a.object(0)
    await world.settle()
    b.object(0).object(1)
    await world.settle()
    a.object(1).object(2).fin()
    await world.settle()
    b.object(2).fin()
    one!.datagram(1, 0, 'datagram')
    two!.datagram(1, 0, 'datagram')
    await world.settle()
    expect(seen.objects).toEqual(['0/0', '0/1', '0/2', '1/0'])
    expect(seen.streams).toHaveLength(1)
    expect(seen.streams[0]).toMatchObject({ objects: [0, 1, 2], end: 'fin' })
    expect(world.relay.tally.duplicates).toBe(4)
  })

  it('asks a publisher that appears while the track is subscribed to (section 9.5)', async () => {
    const { world, subscriber } = await worldWith(1)
    const seen = subscriber.subscribe(video)
    await world.settle()
    const late = new ManualPublisher(world, live)
    late.willServe(video)
    await world.settle()
    expect(late.asked).toEqual([formatTrack(video)])
    expect(late.track(video).answer?.forward ?? true).toBe(true)
    late.track(video).stream(3, 0).object(0)
    await world.settle()
    expect(seen.objects).toEqual(['3/0'])
  })

  it('asks one of a short prefix in slices for many tracks that wait, as its session can pay', async () => {
    const world = new RelayWorld({
      sessionLimits: { controlBurstBytes: 64 * 1024, controlBytesPerSecond: 16 * 1024 },
    })
    const subscriber = world.client({}, true)
    const waiting = 600
    for (let i = 0; i < waiting; i++) {
      const track = trackOf(namespaceOf('live', `room ${i}`), 'video')
      subscriber.subscribe(track, { rendezvousTimeout: 600_000 }, { onObject() {} })
    }
    await world.settle()
    const publisher = new ManualPublisher(world)
    const short = publisher.session.publishNamespace(live, {})
    await world.settle()
    expect(publisher.asked.length).toBeGreaterThan(0)
    expect(publisher.asked.length).toBeLessThan(100)
    // Asking again and again is not cheaper.
    short.withdraw()
    for (let i = 0; i < 20; i++) {
      const again = publisher.session.publishNamespace(live, {})
      await world.settle()
      again.withdraw()
      await world.settle()
    }
    expect(publisher.asked.length).toBeLessThan(200)
  })

  it('asks it for all of them in the end, each once', async () => {
    const world = new RelayWorld({ bidiCredit: 1000 })
    const subscriber = world.client({}, true)
    for (let i = 0; i < 600; i++) {
      const track = trackOf(namespaceOf('live', `room ${i}`), 'video')
      subscriber.subscribe(track, { rendezvousTimeout: 20_000 }, { onObject() {} })
    }
    await world.settle()
    const publisher = new ManualPublisher(world, live)
    await world.settle()
    expect(publisher.asked.length).toBeLessThan(100)
    for (let i = 0; i < 40; i++) {
      world.clock.advance(50)
      await world.settle()
    }
    expect(publisher.asked).toHaveLength(600)
    expect(new Set(publisher.asked).size).toBe(600)
  })

  it('goes on with the others when a publisher goes, and ends with the last', async () => {
    const { world, publishers, subscriber } = await worldWith(2)
    const seen = subscriber.subscribe(video)
    await world.settle()
    publishers[0]!.session.close(0, 'gone')
    await world.settle()
    expect(seen.done).toBeNull()
    const track = publishers[1]!.track(video)
    track.stream(0, 0).object(0).fin()
    await world.settle()
    track.done(DoneCode.TRACK_ENDED)
    await world.settle()
    expect(seen.objects).toEqual(['0/0'])
    expect(seen.done).toBe(DoneCode.TRACK_ENDED)
    expect(world.relay.trackCount).toBe(0)
  })

  it('tells the subscriber a code that concerns it, not the relay (section 10.11)', async () => {
    for (const [code, told] of [
      [DoneCode.GOING_AWAY, DoneCode.GOING_AWAY],
      [DoneCode.EXPIRED, DoneCode.EXPIRED],
      [DoneCode.SUBSCRIPTION_ENDED, DoneCode.TRACK_ENDED],
      [DoneCode.UNAUTHORIZED, DoneCode.INTERNAL_ERROR],
      [DoneCode.TOO_FAR_BEHIND, DoneCode.INTERNAL_ERROR],
      [0x3fff, DoneCode.INTERNAL_ERROR],
    ] as const) {
      const { world, publishers, subscriber } = await worldWith(1)
      const seen = subscriber.subscribe(video)
      await world.settle()
      publishers[0]!.track(video).done(code)
      await world.settle()
      expect(seen.done).toBe(told)
    }
  })

  it('serves subscribers by whom accepts, and refuses them when all publishers refuse', async () => {
    const { world, publishers, subscriber } = await worldWith(2)
    publishers[0]!.refusal = RequestCode.UNAUTHORIZED
    const other = trackOf(news, 'audio')
    publishers[1]!.willServe(other)
    const served = subscriber.subscribe(other)
    await world.settle()
    expect(served.accepted).not.toBeNull()
    const refused = subscriber.subscribe(trackOf(news, 'nothing'))
    await world.settle()
    // What says more than DOES_NOT_EXIST is told.
    expect(refused.rejected).toBe(RequestCode.UNAUTHORIZED)
    expect(world.relay.trackCount).toBe(1)
  })

  it('does not ask a publisher again that refused, while another serves', async () => {
    const { world, publishers, subscriber } = await worldWith(2)
    const other = trackOf(news, 'audio')
    publishers[1]!.willServe(other)
    subscriber.subscribe(other)
    await world.settle()
    const second = new ManualSubscriber(world).subscribe(other)
    await world.settle()
    expect(second.accepted).not.toBeNull()
    expect(publishers.map(({ asked }) => asked.length)).toEqual([1, 1])
  })

  it('waits on for a publisher when those that are there have no such track (section 10.2.6)', async () => {
    const { world, subscriber } = await worldWith(1)
    const other = trackOf(news, 'late')
    const seen = subscriber.subscribe(other, { rendezvousTimeout: 5000 })
    await world.settle()
    expect(seen.rejected).toBeNull()
    const publisher = new ManualPublisher(world)
    await world.settle()
    publisher.publish(other)
    await world.settle()
    expect(seen.accepted).not.toBeNull()
    const never = subscriber.subscribe(trackOf(news, 'never'), { rendezvousTimeout: 1000 })
    await world.settle()
    world.clock.advance(1000)
    await world.settle()
    expect(never.rejected).toBe(RequestCode.TIMEOUT)
  })

  it('does not wait forever for a publisher that does not answer', async () => {
    const { world, publishers, subscriber } = await worldWith(1)
    publishers[0]!.silent = true
    const seen = subscriber.subscribe(video)
    await world.settle()
    world.clock.advance(30_000)
    await world.settle()
    expect(seen.rejected).toBe(RequestCode.TIMEOUT)
    expect(world.hits).toEqual(['answer'])
    expect(world.relay.trackCount).toBe(0)
  })

  it('serves a session that subscribes to its own track (section 5.1)', async () => {
    const { world, publishers } = await worldWith(1)
    const { session } = publishers[0]!
    const objects: string[] = []
    session.subscribe(
      video,
      {},
      {
        onObject: (object) => objects.push(`${object.group}/${object.object}`),
      },
    )
    await world.settle()
    publishers[0]!.track(video).stream(0, 0).object(0).object(1)
    await world.settle()
    expect(objects).toEqual(['0/0', '0/1'])
  })

  it('asks nothing new of a publisher that sent GOAWAY, which serves on (section 10.4)', async () => {
    const { world, publishers, subscriber } = await worldWith(1)
    const seen = subscriber.subscribe(video)
    await world.settle()
    publishers[0]!.session.goaway('', 0)
    await world.settle()
    const other = trackOf(news, 'audio')
    publishers[0]!.willServe(other)
    const refused = subscriber.subscribe(other)
    publishers[0]!.track(video).stream(0, 0).object(0)
    await world.settle()
    expect(seen.objects).toEqual(['0/0'])
    expect(refused.rejected).toBe(RequestCode.DOES_NOT_EXIST)
  })

  it('asks all of them for a new group, once (section 10.2.13)', async () => {
    const world = new RelayWorld()
    const properties = [{ type: PropertyType.DYNAMIC_GROUPS, value: 1 }]
    const [one, two] = [new ManualPublisher(world, news), new ManualPublisher(world, live)]
    one.willServe(video, { properties })
    two.willServe(video, { properties })
    const [first, second] = [new ManualSubscriber(world), new ManualSubscriber(world)]
    await world.settle()
    first.subscribe(video)
    await world.settle()
    const seen = second.subscribe(video, { newGroupRequest: 0 })
    await world.settle()
    seen.update({ newGroupRequest: 0 })
    await world.settle()
    for (const publisher of [one, two]) {
      expect(publisher.track(video).updates).toEqual([{ newGroupRequest: 0 }])
    }
    one.track(video).stream(4, 0).object(0)
    await world.settle()
    // A group that is there already is not asked for; the next one is.
    seen.update({ newGroupRequest: 4 })
    seen.update({ newGroupRequest: 5 })
    await world.settle()
    expect(two.track(video).updates).toEqual([{ newGroupRequest: 0 }, { newGroupRequest: 5 }])
  })
})

describe('a publisher that changes its session (section 9.5.1)', () => {
  it('loses and repeats nothing when the second session takes over in the middle of a group', async () => {
    const { world, publishers, subscriber } = await worldWith(1)
    const seen = subscriber.subscribe(video)
    await world.settle()
    const old = publishers[0]!.track(video)
    const before = old.stream(7, 0)
    before.object(0).object(1)
    await world.settle()
    const next = new ManualPublisher(world, news)
    next.willServe(video, { largest: { group: 7, object: 1 } })
    await world.settle()
    const after = next.track(video).stream(7, 0, { firstObject: false })
    before.object(2)
    after.object(2).object(3)
    await world.settle()
    publishers[0]!.session.close(0, 'moved')
    await world.settle()
    after.object(4).fin()
    await world.settle()
    expect(seen.objects).toEqual(['7/0', '7/1', '7/2', '7/3', '7/4'])
    expect(seen.done).toBeNull()
    expect(seen.streams).toHaveLength(1)
    expect(seen.streams[0]).toMatchObject({ objects: [0, 1, 2, 3, 4], end: 'fin' })
  })

  it('keeps a subgroup open for the other publisher when one vanishes, and not for long', async () => {
    const { world, publishers, subscriber } = await worldWith(2)
    const seen = subscriber.subscribe(video)
    await world.settle()
    publishers[0]!.track(video).stream(1, 0).object(0).object(1)
    publishers[0]!.track(video).stream(1, 1).object(10)
    await world.settle()
    publishers[0]!.session.close(0, 'gone')
    await world.settle()
    expect(seen.streams.map(({ end }) => end)).toEqual(['open', 'open'])
    publishers[1]!.track(video).stream(1, 0, { firstObject: false }).object(2).fin()
    await world.settle()
    expect(seen.streams[0]).toMatchObject({ objects: [0, 1, 2], end: 'fin' })
    world.clock.advance(2000)
    await world.settle()
    expect(seen.streams[1]!.end).toBe(ResetCode.CANCELLED)
  })

  it('takes a PUBLISH in the place of its own unanswered SUBSCRIBE (section 5.1)', async () => {
    const { world, publishers, subscriber } = await worldWith(1)
    publishers[0]!.silent = true
    const seen = subscriber.subscribe(video)
    await world.settle()
    const track = publishers[0]!.publish(video)
    await world.settle()
    expect(seen.accepted).not.toBeNull()
    expect(track.rejected).toBeNull()
    track.stream(0, 0).object(0)
    await world.settle()
    expect(seen.objects).toEqual(['0/0'])
  })
})
