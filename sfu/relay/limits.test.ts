import { describe, expect, it } from 'vitest'
import { RequestCode } from '../../moq/wire/codes.ts'
import { formatTrack, namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { RETRY_AFTER_MS } from './limits.ts'
import { ManualPublisher, ManualSubscriber, type ManualTrack } from './test-peers.ts'
import { RelayWorld, Subscriber, sealed } from './test-world.ts'

const news = namespaceOf('live', 'news')
const track = (name: string) => trackOf(news, name)
const [a, b, c] = [track('a'), track('b'), track('c')]

describe('what a session may take up', () => {
  it('bounds its subscriptions, also those that wait and those by PUBLISH', async () => {
    const world = new RelayWorld({ limits: { maxSubscriptions: 2 } })
    const publisher = new ManualPublisher(world)
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    publisher.publish(a)
    const waiting = subscriber.subscribe(b, { rendezvousTimeout: 5000 })
    const served = subscriber.subscribe(a)
    await world.settle()
    const refused = subscriber.subscribe(c)
    await world.settle()
    expect(refused.rejected).toBe(RequestCode.EXCESSIVE_LOAD)
    expect(refused.retryAfterMs).toBe(RETRY_AFTER_MS)
    subscriber.watchTracks(news)
    publisher.publish(c)
    await world.settle()
    expect(subscriber.blocked).toEqual([formatTrack(c)])
    expect(world.hits).toEqual(['subscriptions', 'subscriptions'])
    // One that ends makes room, as does one that waited.
    served.subscription!.unsubscribe()
    waiting.subscription!.unsubscribe()
    await world.settle()
    const [again, also] = [subscriber.subscribe(a), subscriber.subscribe(c)]
    await world.settle()
    expect([again.rejected, also.rejected]).toEqual([null, null])
    // Another session has its own share.
    const other = new ManualSubscriber(world).subscribe(a)
    await world.settle()
    expect(other.rejected).toBeNull()
  })

  it('bounds the tracks that it publishes', async () => {
    const world = new RelayWorld({ limits: { maxPublishedTracks: 1 } })
    const publisher = new ManualPublisher(world)
    await world.settle()
    const [first, second] = [publisher.publish(a), publisher.publish(b)]
    await world.settle()
    expect([first.rejected, second.rejected]).toEqual([null, RequestCode.EXCESSIVE_LOAD])
    first.done()
    await world.settle()
    const third = publisher.publish(b)
    await world.settle()
    expect(third.rejected).toBeNull()
    expect(world.hits).toEqual(['published-tracks'])
  })

  it('bounds its namespaces, and its subscriptions to namespaces and to tracks each', async () => {
    const world = new RelayWorld({ limits: { maxNamespaces: 1, maxWatches: 1 } })
    const codes: number[] = []
    const onRejected = (error: { code: number }) => codes.push(error.code)
    const { session } = new Subscriber(world)
    for (const name of ['x', 'y']) {
      session.publishNamespace(namespaceOf(name), { onRejected })
      session.subscribeNamespace(namespaceOf(name), {
        onRejected,
        onNamespace: () => {},
        onNamespaceDone: () => {},
      })
      session.subscribeTracks(namespaceOf(name), { onRejected })
    }
    await world.settle()
    expect(codes).toEqual(Array(3).fill(RequestCode.EXCESSIVE_LOAD))
    expect(world.hits).toEqual(['namespaces', 'watches', 'watches'])
  })

  it('bounds what SUBSCRIBE_TRACKS of everything costs, however often it is asked', async () => {
    const world = new RelayWorld({
      limits: { maxSubscriptions: 2 },
      sessionLimits: { controlBytesPerSecond: 10_000, controlBurstBytes: 100_000 },
    })
    const publishers = Array.from({ length: 4 }, () => new ManualPublisher(world))
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    for (let i = 0; i < 360; i++) publishers[i % 4]!.publish(track(`${i}`))
    await world.settle()
    expect(world.relay.trackCount).toBe(360)
    const everything = namespaceOf()
    let watch = subscriber.watchTracks(everything)
    await world.settle()
    // The first of them come at once, in the order of their names.
    const first = subscriber.offers.map((offer) => offer.track)
    expect(first).toEqual([track('0'), track('1')].map(formatTrack))
    expect(subscriber.blocked.length).toBe(30)
    for (let i = 0; i < 100; i++) {
      watch.cancel()
      watch = subscriber.watchTracks(everything)
      await world.settle()
      world.clock.advance(10)
      await world.settle()
    }
    // 75000 bytes at once and 10000 in the second that it took, for which there are so many answers.
    expect(subscriber.blocked.length).toBeGreaterThan(100)
    expect(subscriber.blocked.length).toBeLessThan(180)
    // An honest peer is told all in the end, and its other requests are not held up.
    const status = new Promise((resolve) =>
      subscriber.session.trackStatus(track('0'), { onStatus: resolve, onRejected: resolve }),
    )
    await world.settle()
    await status
    subscriber.blocked.length = 0
    for (let i = 0; i < 600; i++) {
      world.clock.advance(50)
      await world.settle()
    }
    const known = new Set(subscriber.blocked)
    expect(known.size).toBe(subscriber.blocked.length)
    expect(subscriber.blocked.length).toBeGreaterThan(300)
    expect(watch.over).toBe(false)
  })

  it('does not offer a track after PUBLISH_BLOCKED while it lives, and forgets it then', async () => {
    const world = new RelayWorld({ limits: { maxSubscriptions: 0 } })
    const publisher = new ManualPublisher(world)
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    const watch = subscriber.watchTracks(news)
    const published = publisher.publish(a)
    await world.settle()
    expect(subscriber.blocked).toEqual([formatTrack(a)])
    // Neither another publisher nor another prefix is a reason to tell it again.
    const other = new ManualPublisher(world)
    other.publish(a)
    watch.update({ namespacePrefix: namespaceOf('live') })
    await world.settle()
    expect(subscriber.blocked.length).toBe(1)
    published.done()
    other.session.close(0, '')
    await world.settle()
    expect(world.relay.trackCount).toBe(0)
    publisher.publish(a)
    await world.settle()
    expect(subscriber.blocked.length).toBe(2)
    expect(subscriber.offers).toEqual([])
  })

  it('bounds its fetches', async () => {
    const world = new RelayWorld({ limits: { maxFetches: 1 } })
    const publisher = new ManualPublisher(world)
    const { session } = new Subscriber(world)
    await world.settle()
    publisher.publish(a, { largest: { group: 3, object: 0 } })
    await world.settle()
    const codes: number[] = []
    const range = {
      kind: 'standalone' as const,
      track: a,
      start: { group: 0, object: 0 },
      end: { group: 2, object: 0 },
    }
    for (let i = 0; i < 2; i++) {
      session.fetch(range, {
        onObject: () => {},
        onRejected: (error) => codes.push(error.code),
      })
    }
    await world.settle()
    expect(codes).toContain(RequestCode.EXCESSIVE_LOAD)
    expect(world.hits).toEqual(['fetches'])
  })

  it('does not bound a service of our own, which speaks for all rooms', async () => {
    const world = new RelayWorld({ limits: { maxNamespaces: 1 } })
    const service = world.client({}, true)
    const codes: number[] = []
    for (const name of ['x', 'y']) {
      service.publishNamespace(namespaceOf(name), { onRejected: (error) => codes.push(error.code) })
    }
    await world.settle()
    expect(codes).toEqual([])
    expect(world.relay.publishedNamespaces()).toHaveLength(2)
  })
})

describe('what a track may take up', () => {
  it('bounds its subscribers', async () => {
    const world = new RelayWorld({ limits: { maxSubscribersPerTrack: 1 } })
    const publisher = new ManualPublisher(world)
    await world.settle()
    publisher.publish(a)
    const [first, second] = [new ManualSubscriber(world), new ManualSubscriber(world)]
    await world.settle()
    const served = first.subscribe(a)
    await world.settle()
    const refused = second.subscribe(a)
    second.watchTracks(news)
    await world.settle()
    expect(served.rejected).toBeNull()
    expect(refused.rejected).toBe(RequestCode.EXCESSIVE_LOAD)
    expect(second.blocked).toEqual([formatTrack(a)])
    expect(world.hits).toEqual(['track-subscribers', 'track-subscribers'])
  })

  it('bounds the time for which a subscriber waits', async () => {
    const world = new RelayWorld({ limits: { maxRendezvousMs: 100 } })
    const seen = new ManualSubscriber(world).subscribe(a, { rendezvousTimeout: 5000 })
    await world.settle()
    expect(world.hits).toEqual(['rendezvous'])
    world.clock.advance(100)
    await world.settle()
    expect(seen.rejected).toBe(RequestCode.TIMEOUT)
  })

  it('bounds what is kept of it and of all tracks', async () => {
    for (const [limits, name] of [
      [{ maxCacheBytes: 150 }, 'cache-bytes'],
      [{ maxCacheBytesPerTrack: 150 }, 'cache-track-bytes'],
      [{ maxCacheObjects: 8 }, 'cache-objects'],
      [{ maxCacheObjectsPerTrack: 8 }, 'cache-track-objects'],
    ] as const) {
      const world = new RelayWorld({ limits })
      const publisher = new ManualPublisher(world)
      const subscriber = new ManualSubscriber(world)
      await world.settle()
      const seen = subscriber.subscribe(a, { rendezvousTimeout: 1000 })
      publisher.publish(a)
      await world.settle()
      for (let group = 0; group < 20; group++) {
        publisher.track(a).stream(group, 0).object(0, 'x'.repeat(40)).fin()
        await world.settle()
      }
      expect(new Set(world.hits)).toEqual(new Set([name]))
      expect(world.relay.cacheBytes).toBeLessThan(500)
      expect(world.relay.cacheObjects).toBeLessThanOrEqual(40)
      // Only what is kept is bounded: every object was forwarded.
      expect(seen.objects).toHaveLength(20)
    }
  })

  it('bounds the participants of a room that are listened to', async () => {
    const world = new RelayWorld({ limits: { maxVoices: 1 } })
    const names = ['ann', 'bob'].map((who) => trackOf(namespaceOf('sotto', 'r', who), 'audio'))
    const [first, second] = names.map((name) => {
      const publisher = new ManualPublisher(world)
      publisher.publish(name)
      return { session: publisher.session, track: publisher.track(name) }
    })
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    for (const name of names) subscriber.subscribe(name)
    await world.settle()
    const speak = async (track: ManualTrack, from: number, dbov: number) => {
      for (let group = from; group < from + 50; group++) {
        const level = { type: 0x0c, value: (dbov < 50 ? 0x80 : 0) | dbov }
        track
          .stream(group, 0)
          .object(0, sealed(group % 128, 'x'), [level])
          .fin()
        await world.settle()
        world.clock.advance(20)
      }
    }
    await speak(first!.track, 0, 80)
    await speak(second!.track, 0, 80)
    await speak(second!.track, 50, 20)
    expect(world.relay.speakers.of('r')).toEqual([])
    expect(world.hits).toEqual(['voices'])
    first!.session.close(0, 'gone')
    await world.settle()
    await speak(second!.track, 100, 80)
    await speak(second!.track, 150, 20)
    expect(world.relay.speakers.of('r')).toEqual([{ participant: 'bob', speaking: true }])
  })

  it('bounds the bytes that wait for a session', async () => {
    const world = new RelayWorld({ room: () => world.room, limits: { maxEgressBytes: 1000 } })
    const publisher = new ManualPublisher(world)
    const subscriber = new ManualSubscriber(world)
    await world.settle()
    const seen = subscriber.subscribe(a, { rendezvousTimeout: 1000 })
    publisher.publish(a)
    await world.settle()
    world.room = 0
    for (let group = 0; group < 20; group++) {
      publisher.track(a).stream(group, 0).object(0, 'x'.repeat(200)).fin()
      await world.settle()
    }
    expect(world.relay.waitingBytes).toBeLessThanOrEqual(1000)
    expect(world.counters.drops.overflow).toBeGreaterThan(0)
    expect(seen.done).toBeNull()
  })
})
