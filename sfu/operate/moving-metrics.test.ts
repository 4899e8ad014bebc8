/** What an operator watches, with a relay and a delivery service behind it: each figure moves. */

import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { encodeHeader } from '../../sframe/header.ts'
import { mlsKid } from '../../sframe/index.ts'
import { Sequencer } from '../delivery/index.ts'
import { registerDeliveryMetrics } from '../delivery/metrics.ts'
import { found, type Handshake, join } from '../delivery/mls-fixture.ts'
import { relayLevels } from '../relay/index.ts'
import { Camera } from '../relay/test-camera.ts'
import { Publisher, RelayWorld, Subscriber } from '../relay/test-world.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { makeLevels } from './test-levels.ts'

const alice = namespaceOf('sotto', 'demo', 'alice')
const bob = namespaceOf('sotto', 'demo', 'bob')
const camera = trackOf(alice, 'video/0')

let metrics: Metrics
let world: RelayWorld

beforeEach(() => {
  metrics = createMetrics({
    version: '1',
    engine: () => 'quiche',
    levels: () => makeLevels(relayLevels(world.relay)),
  })
  world = new RelayWorld({
    counters: metrics.counters,
    room: () => world.room,
    congestion: () => ({
      ...{ rttMs: 30, congestionWindow: 20_000, bytesInFlight: 0, deliveryRate: 1e6 },
      lostPackets: lost,
    }),
  })
  lost = 0
})
afterEach(() => metrics.close())

let lost = 0

/** All samples, by name and labels as Prometheus reads them. */
async function scrape(): Promise<Map<string, number>> {
  const lines = (await metrics.registry.metrics()).split('\n')
  const samples = lines.filter((line) => line.startsWith('sotto_'))
  return new Map(
    samples.map((line) => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), Number(line.slice(at + 1))]
    }),
  )
}

/** By how much each sample changes while something happens. */
async function changes(happen: () => unknown): Promise<(name: string) => number> {
  const before = await scrape()
  await happen()
  const after = await scrape()
  return (name) => {
    expect(after.has(name), name).toBe(true)
    return after.get(name)! - before.get(name)!
  }
}

async function pass(ms: number): Promise<void> {
  await world.settle()
  for (let passed = 0; passed < ms; passed += 10) {
    world.clock.advance(10)
    await world.settle()
  }
}

async function watchedCamera() {
  const sender = new Camera(world, alice)
  const watcher = new Subscriber(world)
  await world.settle()
  watcher.subscribe(camera)
  await world.settle()
  return { sender, watcher }
}

describe('who is there', () => {
  it('is in sessions, rooms, participants, tracks, subscriptions and requests', async () => {
    const change = await changes(watchedCamera)
    expect(change('sotto_sessions{transport="memory"}')).toBe(2)
    expect(change('sotto_rooms')).toBe(1)
    expect(change('sotto_participants')).toBe(1)
    expect(change('sotto_tracks')).toBe(1)
    expect(change('sotto_subscriptions')).toBe(1)
    expect(change('sotto_namespaces')).toBe(1)
    expect(change('sotto_requests')).toBeGreaterThan(1)
  })
})

describe('what is forwarded', () => {
  it('is in objects and bytes by direction, class and delivery, in latency and in the cache', async () => {
    const { sender } = await watchedCamera()
    const change = await changes(async () => {
      sender.key()
      await world.settle()
      sender.enhancement()
      sender.base()
      await world.settle()
    })
    for (const direction of ['received', 'sent']) {
      const base = `{direction="${direction}",class="base",delivery="stream"}`
      expect(change(`sotto_objects_total${base}`)).toBe(2)
      expect(change(`sotto_object_bytes_total${base}`)).toBe(2)
      const above = `{direction="${direction}",class="enhancement",delivery="datagram"}`
      expect(change(`sotto_objects_total${above}`)).toBe(1)
    }
    expect(change('sotto_forward_latency_seconds_count{class="base"}')).toBe(2)
    expect(change('sotto_cache_bytes')).toBeGreaterThan(0)
    expect(change('sotto_cache_objects')).toBeGreaterThan(1)
    expect(change('sotto_gate_openings_total')).toBe(1)
  })

  it('is in the age of what waits, and in drops by reason and class when that was too long', async () => {
    const publisher = new Publisher(world, namespaceOf('sotto', 'demo', 'alice', 'plain'))
    publisher.track('audio')
    const watcher = new Subscriber(world)
    await world.settle()
    watcher.subscribe(trackOf(namespaceOf('sotto', 'demo', 'alice', 'plain'), 'audio'), {
      objectDeliveryTimeout: 300,
    })
    await world.settle()
    world.room = 0
    const waits = await changes(async () => {
      publisher.stream('audio', 0, 0, 'sound')
      await pass(200)
    })
    const of = [...(await scrape())].filter(([name]) => name.startsWith('sotto_queue_oldest'))
    expect(Math.max(...of.map(([, age]) => age))).toBeCloseTo(0.2, 2)
    expect(waits('sotto_buffered_bytes')).toBeGreaterThan(0)
    expect(waits('sotto_window_limited_seconds_total')).toBeGreaterThan(0)
    const late = await changes(async () => {
      await pass(300)
      world.room = 65_536
      world.offerRoom()
      await world.settle()
    })
    expect(late('sotto_objects_dropped_total{reason="deadline"}')).toBe(1)
  })

  it('is in round-trip times and packets lost of its paths', async () => {
    const { sender } = await watchedCamera()
    const change = await changes(async () => {
      sender.key()
      await pass(100)
      lost = 3
      sender.base()
      await pass(1500)
    })
    expect(change('sotto_path_rtt_seconds_count')).toBeGreaterThan(0)
    // Of each of the two paths.
    expect(change('sotto_packets_lost_total')).toBe(6)
  })

  it('is in resets of streams by code', async () => {
    const { sender } = await watchedCamera()
    sender.key()
    await world.settle()
    const change = await changes(async () => {
      sender.track.abandon(0, 2)
      await world.settle()
    })
    expect(change('sotto_stream_resets_total{direction="received",code="DELIVERY_TIMEOUT"}')).toBe(
      1,
    )
  })
})

describe('what holds a picture back', () => {
  it('is in key frames that were asked for, in wishes that another request stands for, and in time gated', async () => {
    const { sender } = await watchedCamera()
    sender.key()
    await pass(3000)
    const asked = await changes(async () => {
      for (let joiner = 0; joiner < 3; joiner++) new Subscriber(world).subscribe(camera)
      await world.settle()
      sender.base()
      await world.settle()
    })
    expect(asked('sotto_key_frame_requests_total')).toBe(1)
    expect(asked('sotto_key_frame_requests_coalesced_total')).toBeGreaterThan(0)
    expect(asked('sotto_gate_drops_total{reason="key-frame"}')).toBe(3)
    await pass(200)
    const opened = await changes(async () => {
      sender.key()
      await world.settle()
    })
    expect(opened('sotto_gate_openings_total')).toBe(3)
    expect(opened('sotto_gated_seconds_total')).toBeCloseTo(3 * 0.2)
  })
})

describe('keys', () => {
  const utf8 = new TextEncoder()
  /** A frame of sound under a KID of its own leaf. */
  const speak = (publisher: Publisher, leaf: number, epoch: number, counter: number) => {
    const header = encodeHeader(mlsKid({ context: 0, leaf, epoch }), counter)
    const payload = new Uint8Array([...header, ...utf8.encode('sound')])
    const group = 10 * epoch + counter
    publisher.tracks
      .get('audio')!
      .writeStream(0, { group, object: 0, properties: new Uint8Array(0), payload })
  }

  it('are in changes of epoch, how long all take to follow, and headers that are refused', async () => {
    const [one, two] = [new Publisher(world, alice), new Publisher(world, bob)]
    const watcher = new Subscriber(world)
    for (const publisher of [one, two]) publisher.track('audio')
    await world.settle()
    for (const namespace of [alice, bob]) watcher.subscribe(trackOf(namespace, 'audio'))
    await world.settle()
    speak(one, 0, 1, 0)
    speak(two, 1, 1, 0)
    await world.settle()
    const change = await changes(async () => {
      speak(one, 0, 2, 0)
      await pass(50)
      speak(two, 1, 2, 0)
      await world.settle()
    })
    expect(change('sotto_epoch_changes_total')).toBe(1)
    expect(change('sotto_epoch_change_seconds_count')).toBe(1)
    expect(change('sotto_epoch_change_seconds_sum')).toBeCloseTo(0.05)
    const again = await changes(async () => {
      // The counter of an object before, in another group: no stream of the same sender does that.
      speak(one, 0, 2, 1)
      await world.settle()
      const payload = encodeHeader(mlsKid({ context: 0, leaf: 0, epoch: 2 }), 0)
      one.tracks
        .get('audio')!
        .writeStream(0, { group: 40, object: 0, properties: new Uint8Array(0), payload })
      await world.settle()
    })
    expect(again('sotto_key_troubles_total{reason="replayed"}')).toBe(1)
  })
})

describe('the delivery service', () => {
  let ann: Handshake
  beforeAll(async () => {
    ann = await found('ann')
  })

  it('is in commits, conflicts and rejects', async () => {
    const sequencer = new Sequencer()
    registerDeliveryMetrics(metrics.registry, sequencer)
    const submit = (who: string, { submission }: Handshake) =>
      sequencer.submit('demo', who, submission, 1_000_000)
    const [cyn, dan] = [await join('cyn', ann.state), await join('dan', ann.state)]
    const change = await changes(() => {
      submit('dan', dan)
      submit('ann', ann)
      submit('cyn', cyn)
      submit('dan', dan)
    })
    expect(change('sotto_delivery_groups')).toBe(1)
    expect(change('sotto_delivery_members')).toBe(2)
    expect(change('sotto_delivery_accepted_total{kind="create"}')).toBe(1)
    expect(change('sotto_delivery_accepted_total{kind="commit"}')).toBe(1)
    expect(change('sotto_delivery_refused_total{reason="stale-epoch"}')).toBe(1)
    expect(change('sotto_delivery_refused_total{reason="no-group"}')).toBe(1)
  })
})
