/**
 * Independent MoQT libraries and our own client with each other, over the relay. Real: the relay's
 * process, QUIC, Chromium and its WebTransport. What a library leaves out, and where one and the draft
 * differ, is in `moq/INTEROP.md`.
 */

import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { drain, startInteropRelay } from './relay.ts'
import { ARRIVAL, arrives, group, MAKERS, type Maker, NAMES, Stage } from './stage.ts'

vi.setConfig({ testTimeout: 10_000 })

let stage: Stage

beforeAll(async () => {
  stage = await Stage.set()
})

afterEach(({ task }) => stage.clear(task.result?.state === 'fail'))

afterAll(() => stage?.strike())

/** Those that have datagrams, REQUEST_UPDATE, PUBLISH, the end of a track, SUBSCRIBE_TRACKS, TRACK_STATUS and FETCH. */
const WHOLE: readonly Maker[] = ['ours', 'moqt']

function each(
  [publishers, subscribers]: readonly [from: readonly Maker[], to: readonly Maker[]],
  title: (from: string, to: string) => string,
  run: (from: Maker, to: Maker) => Promise<void>,
): void {
  for (const from of publishers) {
    for (const to of subscribers) it(title(NAMES[from], NAMES[to]), () => run(from, to))
  }
}

describe('groups on streams (section 11.4.2)', () => {
  each(
    [MAKERS, MAKERS],
    (from, to) => `go from ${from} to ${to}`,
    async (from, to) => {
      const { track, publisher, subscriber } = await stage.pair(from, to)
      await publisher.sendGroup(track, 0, ['one', 'two', 'three'])
      await arrives(subscriber, track, group(0, 'one', 'two', 'three'))
      await publisher.sendGroup(track, 1, ['four'])
      await arrives(subscriber, track, [...group(0, 'one', 'two', 'three'), ...group(1, 'four')])
    },
  )
})

describe('objects in datagrams (section 11.3.1)', () => {
  each(
    [WHOLE, WHOLE],
    (from, to) => `go from ${from} to ${to}`,
    async (from, to) => {
      const { track, publisher, subscriber } = await stage.pair(from, to)
      await publisher.sendDatagram(track, 0, 0, 'first')
      await publisher.sendDatagram(track, 0, 1, 'second')
      await arrives(subscriber, track, [
        { group: 0, object: 0, payload: 'first', datagram: true },
        { group: 0, object: 1, payload: 'second', datagram: true },
      ])
    },
  )
})

describe('a namespace (sections 6.1 and 6.2)', () => {
  each(
    [MAKERS, MAKERS],
    (from, to) => `of ${from} comes and goes for ${to}`,
    async (from, to) => {
      const { namespace } = stage.freshTrack()
      const [publisher, watcher] = await Promise.all([stage.connect(from), stage.connect(to)])
      await watcher.subscribeNamespace(namespace.slice(0, 1))
      await publisher.publishNamespace(namespace)
      const whole = namespace.join('/')
      await expect.poll(() => watcher.namespaces(), ARRIVAL).toContain(whole)
      await publisher.withdrawNamespace(namespace)
      await expect.poll(() => watcher.namespaces(), ARRIVAL).not.toContain(whole)
    },
  )
})

describe('a refusal (section 10.6)', () => {
  for (const maker of MAKERS) {
    it(`of a SUBSCRIBE reaches ${NAMES[maker]} and costs it nothing else`, async () => {
      const track = stage.freshTrack()
      const subscriber = await stage.connect(maker)
      await expect(subscriber.subscribe(track)).rejects.toThrow(/no publisher|not exist|nobody/i)
      const publisher = await stage.publisher('ours', track)
      const other = { ...track, name: 'other' }
      await publisher.serve(other)
      await subscriber.subscribe(other)
      await publisher.sendGroup(other, 0, ['still here'])
      await arrives(subscriber, other, group(0, 'still here'))
    })
  }
})

describe('REQUEST_UPDATE (section 10.9)', () => {
  each(
    [WHOLE, WHOLE],
    (from, to) => `with FORWARD stops and starts what ${from} sends to ${to}`,
    async (from, to) => {
      const { track, publisher, subscriber } = await stage.pair(from, to)
      // Keeps the relay's own subscription forwarding, and shows what it had.
      const witness = await stage.connect('ours')
      await witness.subscribe(track)
      await publisher.sendGroup(track, 0, ['before'])
      await arrives(subscriber, track, group(0, 'before'))
      await subscriber.forward(track, false)
      await publisher.sendGroup(track, 1, ['meanwhile'])
      await arrives(witness, track, [...group(0, 'before'), ...group(1, 'meanwhile')])
      await subscriber.forward(track, true)
      await publisher.sendGroup(track, 2, ['after'])
      await arrives(subscriber, track, [...group(0, 'before'), ...group(2, 'after')])
    },
  )
})

describe('PUBLISH_DONE (section 10.11)', () => {
  each(
    [MAKERS, WHOLE],
    (from, to) => `of ${from} ends the track for ${to}, after its objects`,
    async (from, to) => {
      const { track, publisher, subscriber } = await stage.pair(from, to)
      await publisher.sendGroup(track, 0, ['last'])
      await arrives(subscriber, track, group(0, 'last'))
      await publisher.end(track)
      await subscriber.ended(track)
    },
  )
})

describe('TRACK_STATUS (section 10.14)', () => {
  each(
    [WHOLE, WHOLE],
    (from, to) => `tells ${to} of the largest object of ${from}`,
    async (from, to) => {
      const { track, publisher, subscriber } = await stage.pair(from, to)
      expect(await subscriber.trackStatus(track)).toBeNull()
      await publisher.sendGroup(track, 7, ['one', 'two'])
      await arrives(subscriber, track, group(7, 'one', 'two'))
      expect(await subscriber.trackStatus(track)).toEqual({ group: 7, object: 1 })
    },
  )
})

describe('GOAWAY (section 10.4)', () => {
  it('of a relay that drains reaches its clients', async () => {
    const relay = await startInteropRelay()
    try {
      const clients = await Promise.all(WHOLE.map((maker) => stage.connect(maker, relay)))
      const told = clients.map((client) => client.goaway())
      await drain(relay)
      await Promise.all(told)
    } finally {
      await relay.process.stop()
    }
  })
})

describe('PUBLISH and SUBSCRIBE_TRACKS (sections 10.10 and 10.19)', () => {
  each(
    [WHOLE, WHOLE],
    (from, to) => `bring a track of ${from} to ${to}`,
    async (from, to) => {
      const track = stage.freshTrack()
      const [publisher, subscriber] = await Promise.all([stage.connect(from), stage.connect(to)])
      await subscriber.subscribeTracks(track.namespace)
      await publisher.publish(track)
      await publisher.wanted(track)
      await publisher.sendGroup(track, 0, ['pushed'])
      await arrives(subscriber, track, group(0, 'pushed'))
    },
  )

  each(
    [WHOLE, WHOLE],
    (from, to) => `a track that ${from} publishes can be subscribed to by ${to}`,
    async (from, to) => {
      const track = stage.freshTrack()
      const [publisher, subscriber] = await Promise.all([stage.connect(from), stage.connect(to)])
      await publisher.publish(track)
      await subscriber.subscribe(track)
      await publisher.wanted(track)
      await publisher.sendGroup(track, 0, ['asked for'])
      await arrives(subscriber, track, group(0, 'asked for'))
    },
  )
})

describe('FETCH (section 10.12)', () => {
  each(
    [WHOLE, WHOLE],
    (from, to) => `gives ${to} the groups that ${from} published before`,
    async (from, to) => {
      const { track, publisher, subscriber } = await stage.pair(from, 'ours')
      await publisher.sendGroup(track, 0, ['a', 'b'])
      await publisher.sendGroup(track, 1, ['c', 'd'])
      const live = [...group(0, 'a', 'b'), ...group(1, 'c', 'd')]
      await arrives(subscriber, track, live)
      const late = await stage.connect(to)
      expect(await late.fetch(track, { firstGroup: 0, lastGroup: 1 })).toEqual(live)
      expect(await late.fetch(track, { firstGroup: 1, lastGroup: 1 })).toEqual(group(1, 'c', 'd'))
    },
  )

  each(
    [WHOLE, WHOLE],
    (from, to) => `of ${to} goes on to ${from} for groups that the relay never saw`,
    async (from, to) => {
      const track = stage.freshTrack()
      const publisher = await stage.publisher(from, track)
      await publisher.sendGroup(track, 0, ['a', 'b'])
      await publisher.sendGroup(track, 1, ['c'])
      const subscriber = await stage.connect(to)
      const groups = await subscriber.fetch(track, { firstGroup: 0, lastGroup: 1 })
      expect(groups).toEqual([...group(0, 'a', 'b'), ...group(1, 'c')])
    },
  )

  each(
    [WHOLE, WHOLE],
    (from, to) => `joining, gives ${to} what ${from} sent just before it subscribed, once`,
    async (from, to) => {
      const { track, publisher, subscriber } = await stage.pair(from, 'ours')
      await publisher.sendGroup(track, 0, ['a', 'b'])
      await publisher.sendGroup(track, 1, ['c', 'd'])
      await arrives(subscriber, track, [...group(0, 'a', 'b'), ...group(1, 'c', 'd')])
      const late = await stage.connect(to)
      await late.subscribe(track)
      expect(await late.joiningFetch(track, 0)).toEqual(group(1, 'c', 'd'))
      expect(await late.joiningFetch(track, 1)).toHaveLength(4)
      await publisher.sendGroup(track, 2, ['e'])
      await arrives(late, track, group(2, 'e'))
    },
  )
})
