import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeFrameMarking, MediaProperty, participantNamespace } from '../../moq/media/index.ts'
import { DoneCode } from '../../moq/wire/codes.ts'
import { type FullTrackName, namespaceOf, trackOf } from '../../moq/wire/names.ts'
import { PropertyType } from '../../moq/wire/properties.ts'
import {
  type PoliceRates,
  type PoliceSettings,
  policeSettings,
  UNLIMITED_POLICE_RATES,
} from '../forward/police/index.ts'
import {
  ManualPublisher,
  type ManualStream,
  ManualSubscriber,
  type ManualTrack,
} from './test-peers.ts'
import { RelayWorld, sealed } from './test-world.ts'

const ann = participantNamespace('r', 'ann')
const video = trackOf(ann, 'video/0')
const screen = trackOf(ann, 'screen')
const audio = trackOf(ann, 'audio')
/** Classed as sound, and of no participant: its payloads have no SFrame headers. */
const sound = trackOf([...ann, ...namespaceOf('plain')], 'audio')
const catalog = trackOf(ann, 'catalog')
const plain = trackOf(namespaceOf('live'), 'news')
const BURST_S = 2

const bounded = (rates: Partial<PoliceRates>) =>
  policeSettings({ ...UNLIMITED_POLICE_RATES, ...rates }, 0)

/** What a publisher of a picture sends, and by which an object of it can be judged. */
interface Frame {
  readonly isBase: boolean
  readonly isKey: boolean
  /** The base frame that it builds on, by its place among all frames; -1 for a key frame. */
  readonly buildsOn: number
}

/** A picture of two temporal layers: base frames on the group's stream, the others as datagrams. */
class Camera {
  readonly track: ManualTrack
  /** By location. */
  readonly frames = new Map<string, Frame & { readonly place: number }>()
  private stream: ManualStream | null = null
  private group = -1
  private object = 0
  private epoch = 1
  private counter = 0
  private baseIndex = 0
  private lastBase = -1

  constructor(track: ManualTrack) {
    this.track = track
  }

  /** @param bytes of its payload */
  base(bytes: number, isKey: boolean): void {
    if (isKey || this.group < 0) {
      this.stream?.fin()
      this.group++
      this.object = 0
      // Before the counter needs more than the byte that `sealed` has for it.
      if (this.counter >= 100) {
        this.epoch++
        this.counter = 0
      }
      this.stream = this.track.stream(this.group, 0)
    }
    const key = this.object === 0
    this.baseIndex = (this.baseIndex + 1) & 0xff
    const place = this.note({ isBase: true, isKey: key, buildsOn: key ? -1 : this.lastBase })
    this.lastBase = place
    this.stream!.object(this.object++, this.payload(bytes), [this.marking(0, key)])
  }

  enhancement(bytes: number): void {
    this.note({ isBase: false, isKey: false, buildsOn: this.lastBase })
    const { group } = this
    this.track.datagram(group, this.object++, this.payload(bytes), [this.marking(1, false)])
  }

  finish(): void {
    this.stream?.fin()
    this.stream = null
  }

  private note(frame: Frame): number {
    const place = this.frames.size
    this.frames.set(`${this.group}/${this.object}`, { ...frame, place })
    return place
  }

  private payload(bytes: number): string {
    const header = sealed(this.counter++, '', this.epoch)
    return header + 'x'.repeat(Math.max(0, bytes - header.length))
  }

  private marking(temporal: number, independent: boolean) {
    const value = encodeFrameMarking({
      start: true,
      end: true,
      independent,
      discardable: temporal > 0,
      layer: { temporal, spatial: 0, baseIndex: this.baseIndex, baseSync: temporal > 0 },
    })
    return { type: MediaProperty.VIDEO_FRAME_MARKING, value }
  }
}

async function publishing(police: PoliceSettings, ...names: FullTrackName[]) {
  const world = new RelayWorld({ police })
  const publisher = new ManualPublisher(world)
  for (const name of names) {
    publisher.publish(name, { properties: [{ type: PropertyType.DYNAMIC_GROUPS, value: 1 }] })
  }
  await world.settle()
  const subscriber = new ManualSubscriber(world)
  const seen = names.map((name) => subscriber.subscribe(name))
  await world.settle()
  return { world, publisher, seen, tracks: names.map((name) => publisher.track(name)) }
}

const share = (passed: number, offered: number) => passed / offered

describe('a publisher that sends more than it may', () => {
  it('drops enhancement first, then the base up to a key frame, and never sound', async () => {
    const police = bounded({ sessionKbits: 160 })
    const { world, seen, tracks } = await publishing(police, video, sound)
    const camera = new Camera(tracks[0]!)
    let sounds = 0
    /** 10 s of 5 base frames, 10 others and 50 of sound a second. */
    const send = async (baseBytes: number, restBytes: number) => {
      for (let at = 0; at < 10_000; at += 20) {
        tracks[1]!.stream(sounds++, 0).object(0, 'x'.repeat(100)).fin()
        if (at % 200 === 0) camera.base(baseBytes, at % 1000 === 0)
        if (at % 100 === 60) camera.enhancement(restBytes)
        await world.settle()
        world.clock.advance(20)
      }
    }
    const passed = (isBase: boolean) =>
      seen[0]!.objects.filter((at) => camera.frames.get(at)!.isBase === isBase).length
    await send(2000, 1000)
    expect(passed(true)).toBe(50)
    expect(share(passed(false), 100)).toBeGreaterThan(0.2)
    expect(share(passed(false), 100)).toBeLessThan(0.95)
    await send(6000, 100)
    expect(share(passed(true) - 50, 50)).toBeGreaterThan(0.2)
    expect(share(passed(true) - 50, 50)).toBeLessThan(0.8)
    expectDecodable(camera, seen[0]!.objects)
    expect(seen[1]!.objects).toHaveLength(sounds)
    expect(world.relay.tally.policed['session-bytes']).toBeGreaterThan(0)
    expect(world.relay.tally.policed['cut-group']).toBeGreaterThan(0)
    expect(world.counters.drops.policing).toBe(
      Object.values(world.relay.tally.policed).reduce((sum, count) => sum + count, 0),
    )
    expect(world.relay.tally.malformedTracks).toBe(0)
  })

  it('bounds the objects of a session, of whatever kind', async () => {
    const { world, seen, tracks } = await publishing(bounded({ sessionObjects: 10 }), plain)
    for (let group = 0; group < 100; group++) {
      tracks[0]!.stream(group, 0).object(0, 'news').fin()
      await world.settle()
    }
    expect(seen[0]!.objects.length).toBeLessThan(10 * BURST_S + 1)
    expect(world.relay.tally.policed['session-objects']).toBe(100 - seen[0]!.objects.length)
    world.clock.advance(60_000)
    tracks[0]!.stream(100, 0).object(0, 'news').fin()
    await world.settle()
    expect(seen[0]!.objects.at(-1)).toBe('100/0')
  })

  it('bounds each kind of track by its own rate', async () => {
    for (const [name, rate] of [
      [audio, 'audioKbits'],
      [video, 'videoKbits'],
      [screen, 'screenKbits'],
      [catalog, 'signallingKbits'],
    ] as const) {
      const { world, seen, tracks } = await publishing(bounded({ [rate]: 80 }), name, plain)
      for (let group = 0; group < 100; group++) {
        const text = sealed(group, '').padEnd(1000, 'x')
        tracks[0]!.stream(group, 0).object(0, text).fin()
        tracks[1]!.stream(group, 0).object(0, text).fin()
        await world.settle()
      }
      expect(seen[0]!.objects).toHaveLength(10 * BURST_S)
      expect(world.relay.tally.policed['track-bytes']).toBeGreaterThan(0)
      expect(seen[1]!.objects).toHaveLength(100)
    }
  })

  it('bounds the objects of a track', async () => {
    const { world, seen, tracks } = await publishing(bounded({ trackObjects: 10 }), audio, plain)
    for (let group = 0; group < 100; group++) {
      tracks[0]!.stream(group, 0).object(0, sealed(group, '')).fin()
      tracks[1]!.stream(group, 0).object(0, 'news').fin()
      await world.settle()
    }
    expect(seen[0]!.objects).toHaveLength(10 * BURST_S)
    expect(world.relay.tally.policed['track-objects']).toBe(100 - 10 * BURST_S)
    expect(seen[1]!.objects).toHaveLength(100)
  })

  it('costs no other session anything', async () => {
    const { world, seen, tracks } = await publishing(bounded({ sessionObjects: 10 }), plain)
    const other = new ManualPublisher(world)
    const calm = trackOf(namespaceOf('live'), 'calm')
    other.publish(calm)
    await world.settle()
    const calmly = new ManualSubscriber(world).subscribe(calm)
    await world.settle()
    for (let group = 0; group < 100; group++) {
      for (let i = 0; i < 5; i++)
        tracks[0]!
          .stream(group * 5 + i, 0)
          .object(0, 'flood')
          .fin()
      if (group % 10 === 0) other.track(calm).stream(group, 0).object(0, 'calm').fin()
      await world.settle()
      world.clock.advance(100)
    }
    expect(calmly.objects).toHaveLength(10)
    expect(seen[0]!.objects.length).toBeLessThan(200)
    expect(seen[0]!.done).toBeNull()
    expect(other.session.closed).toBe(false)
  })

  it('is told of, at most once in 10 s and session', async () => {
    const { world, tracks } = await publishing(bounded({ sessionObjects: 10 }), plain)
    for (let group = 0; group < 250; group++) {
      tracks[0]!.stream(group, 0).object(0, 'flood').fin()
      await world.settle()
      world.clock.advance(50)
    }
    // 12.5 s, of which objects are dropped from the 2nd or so on.
    expect(world.policed).toHaveLength(2)
    expect(world.policed.map(([peer]) => peer)).toEqual([0, 0])
    expect(world.policed[0]![1]).toBe(1)
    expect(world.policed[1]![1]).toBeGreaterThan(50)
  })

  it('is asked for a key frame once it would pass, and not more often than may be', async () => {
    const { world, seen, tracks } = await publishing(bounded({ videoKbits: 80 }), video)
    const camera = new Camera(tracks[0]!)
    camera.base(1000, true)
    const asked = () => tracks[0]!.updates.filter((update) => update.newGroupRequest).length
    while (world.relay.tally.policed['track-bytes'] === 0) {
      camera.base(1000, false)
      await world.settle()
    }
    expect(asked()).toBe(0)
    for (let i = 0; i < 50; i++) {
      camera.base(1000, false)
      await world.settle()
      world.clock.advance(20)
    }
    expect(asked()).toBe(1)
    expect(world.relay.tally.policed['cut-group']).toBeGreaterThan(0)
    camera.base(1000, true)
    await world.settle()
    expect(seen[0]!.objects.at(-1)).toBe('1/0')
  })

  it('does not stop another publisher of the same track', async () => {
    const { world, seen, tracks } = await publishing(bounded({ sessionObjects: 5 }), plain)
    const second = new ManualPublisher(world)
    second.publish(plain)
    await world.settle()
    const [stream, again] = [tracks[0]!.stream(0, 0), second.track(plain).stream(0, 0)]
    // The first may send some of them; the second sends the rest, slowly.
    for (let object = 0; object < 20; object++) stream.object(object)
    await world.settle()
    const before = seen[0]!.objects.length
    expect(before).toBeLessThan(20)
    for (let object = 0; object < 20; object++) {
      again.object(object)
      await world.settle()
      world.clock.advance(1000)
    }
    stream.fin()
    again.fin()
    await world.settle()
    expect(seen[0]!.objects).toEqual(Array.from({ length: 20 }, (_, object) => `0/${object}`))
    expect(seen[0]!.streams.at(-1)!.end).toBe('fin')
    expect(world.relay.tally.malformedTracks).toBe(0)
  })

  it('leaves nothing behind', async () => {
    const { world, publisher, tracks } = await publishing(bounded({ trackObjects: 2 }), video)
    const camera = new Camera(tracks[0]!)
    for (let i = 0; i < 50; i++) camera.base(100, i % 10 === 0)
    await world.settle()
    publisher.session.close(0, 'gone')
    await world.settle()
    world.clock.advance(60_000)
    await world.settle()
    expect(world.relay.meters.get('r', 'ann')).toBeNull()
    expect(world.clock.timers).toBe(0)
  })
})

/** Nothing was forwarded without what it builds on. */
function expectDecodable(camera: Camera, objects: readonly string[]): void {
  const had = new Set<number>()
  for (const at of objects) {
    const { place, isKey, buildsOn } = camera.frames.get(at)!
    expect(isKey || had.has(buildsOn), `${at} builds on nothing`).toBe(true)
    had.add(place)
  }
}

const step = fc.record({
  kind: fc.constantFrom('key', 'base', 'base', 'rest', 'rest'),
  bytes: fc.integer({ min: 3, max: 3000 }),
  after: fc.constantFrom(0, 10, 33, 200),
})
const rates = fc.record({
  sessionKbits: fc.integer({ min: 8, max: 400 }),
  sessionObjects: fc.integer({ min: 1, max: 60 }),
  videoKbits: fc.integer({ min: 8, max: 400 }),
  trackObjects: fc.integer({ min: 1, max: 60 }),
})

describe('what policing leaves of a track', () => {
  it('can be decoded, and is no malformed track, whatever is sent', async () => {
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 80 }),
      rates,
      async (steps, bounds) => {
        const { world, seen, tracks } = await publishing(bounded(bounds), video)
        const camera = new Camera(tracks[0]!)
        for (const { kind, bytes, after } of steps) {
          if (kind === 'rest' && camera.frames.size > 0) camera.enhancement(bytes)
          else camera.base(bytes, kind === 'key')
          await world.settle()
          world.clock.advance(after)
        }
        camera.finish()
        world.clock.advance(5000)
        await world.settle()
        expectDecodable(camera, seen[0]!.objects)
        expect(seen[0]!.done).toBeNull()
        expect(world.relay.tally.malformedTracks).toBe(0)
      },
    )
    await fc.assert(property, { numRuns: 150 })
  })

  it('has streams without a hole, finished only where all of it was sent', async () => {
    const sending = fc.array(
      fc.record({
        group: fc.nat(3),
        bytes: fc.nat(2000),
        after: fc.constantFrom(0, 20, 500),
      }),
      { minLength: 1, maxLength: 60 },
    )
    const property = fc.asyncProperty(
      sending,
      rates,
      fc.boolean(),
      async (objects, bounds, isSound) => {
        const name = isSound ? audio : plain
        const { world, seen, tracks } = await publishing(
          bounded({ ...bounds, audioKbits: bounds.videoKbits }),
          name,
        )
        const streams = new Map<number, { readonly stream: ManualStream; next: number }>()
        let counter = 0
        for (const { group, bytes, after } of objects) {
          const open = streams.get(group) ?? { stream: tracks[0]!.stream(group, 0), next: 0 }
          streams.set(group, open)
          open.stream.object(open.next++, sealed(counter++ % 128, 'x'.repeat(bytes)))
          await world.settle()
          world.clock.advance(after)
        }
        for (const { stream } of streams.values()) stream.fin()
        await world.settle()
        world.clock.advance(5000)
        await world.settle()
        for (const { header, objects: ids, end } of seen[0]!.streams) {
          const from = ids[0]!
          expect(ids).toEqual(ids.map((_, index) => from + index))
          if (header.firstObject) expect(from).toBe(0)
          const { next } = streams.get(header.group)!
          if (end === 'fin') expect([from, from + ids.length]).toEqual([0, next])
        }
        expect(new Set(seen[0]!.objects).size).toBe(seen[0]!.objects.length)
        expect(seen[0]!.done).not.toBe(DoneCode.MALFORMED_TRACK)
        expect(world.relay.tally.malformedTracks).toBe(0)
      },
    )
    await fc.assert(property, { numRuns: 150 })
  })
})
