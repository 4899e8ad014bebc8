/** Our camera over two sessions in memory, with codecs that do as they are told. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  decodeMediaProperties,
  findRendition,
  immutableOf,
  participantNamespace,
  type TrackFeedback,
  videoTrackName,
} from '../../../moq/media/index.ts'
import type { Subscription } from '../../../moq/session/index.ts'
import { TestLink } from '../../../moq/session/test-pair.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import { textOf, trackOf } from '../../../moq/wire/names.ts'
import type { MoqObject } from '../../../moq/wire/object.ts'
import { decodeHeader, nobleProvider, parseMlsKid } from '../../../sframe/index.ts'
import { FakeChunk, FakeCodec, stubCodecs } from '../../media/fake-codecs.ts'
import { type CaptureFormat, type RenditionChoice, renditionsOf } from '../../media/renditions.ts'
import { LEAST_BITRATE } from '../../media/uplink-controller.ts'
import { EncryptedTrack } from './encrypted-track.ts'
import { LocalVideo } from './local-video.ts'
import { MediaKeys } from './media-keys.ts'

const HD: CaptureFormat = { width: 1280, height: 720, framerate: 30 }
const NAMESPACE = participantNamespace('room', 'ann')
const PATTERN = [0, 2, 1, 2]

beforeEach(stubCodecs)
afterEach(() => vi.unstubAllGlobals())

interface Watcher {
  readonly subscription: Subscription
  readonly objects: MoqObject[]
  ended: { status: number } | null
  facts: ReturnType<typeof findRendition>
}

class World {
  readonly link = new TestLink()
  readonly errors: string[] = []
  readonly withdrawn: string[] = []
  /** The width at which encoders fail. */
  failing = 0
  /** Frames that nobody closed. */
  open = 0
  private camera: ReadableStreamDefaultController<VideoFrame> | null = null
  private readonly client = this.link.session('client', {})
  private readonly keys = new MediaKeys(
    this.link.clock,
    {
      onInstalled: () => {},
      onRevoked: () => this.video.revokeKey(),
      onSwitch: () => void this.video.renewKey(),
    },
    nobleProvider,
  )
  readonly video: LocalVideo
  private readonly emitted = new Map<FakeCodec, number>()

  constructor(format = HD, choice: RenditionChoice = {}) {
    const { clock } = this.link
    this.video = new LocalVideo({
      kind: 'video',
      sizes: renditionsOf(format, choice),
      ...(choice.maxBitrate !== undefined && { maxBitrate: choice.maxBitrate }),
      trackOf: (name, rendition, properties, events) =>
        new EncryptedTrack({
          track: trackOf(NAMESPACE, name),
          number: 3 + rendition,
          priority: 96 + rendition,
          keys: this.keys,
          properties,
          onError: (error) => this.errors.push(String(error)),
          ...events,
        }),
      clock,
      wallClock: () => 1_700_000_000_000 + clock.now(),
      maxDatagramSize: () => 1200,
      onError: (error) => this.errors.push(error.message),
      onWithdrawn: (name) => this.withdrawn.push(name),
      onCaptureFailed: (error) => this.errors.push(String(error)),
    })
    this.link.session('server', {
      onSubscribe: (request) => {
        const track = this.video.track(textOf(request.track.name) ?? '')
        if (track) track.accept(request)
        else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
      },
    })
  }

  static async make(...of: ConstructorParameters<typeof World>): Promise<World> {
    const world = new World(...of)
    await world.keys.install({
      groupId: Uint8Array.of(1),
      epoch: 1,
      suite: 'classical',
      // Each test has its keys to itself: a KID of a base key is given out once.
      baseKey: Uint8Array.from({ length: 32 }, () => Math.random() * 256),
      epochAuthenticator: new Uint8Array(32),
      verificationCode: '',
      leaf: 0,
      roster: [{ leaf: 0, participantId: 'ann', fingerprint: 'a', since: { epoch: 0, time: 0 } }],
      removed: [],
      reason: 'updated',
    })
    await world.settle()
    world.plug()
    return world
  }

  /** Another camera. */
  plug(): void {
    const frames = new ReadableStream<VideoFrame>({
      start: (controller) => {
        this.camera = controller
      },
    })
    this.video.capture(frames)
  }

  async watch(rendition: number): Promise<Watcher> {
    const watcher: Watcher = {
      objects: [],
      ended: null,
      facts: null,
      subscription: this.client.subscribe(
        trackOf(NAMESPACE, videoTrackName(rendition)),
        {},
        {
          onAccepted: ({ properties }) => {
            watcher.facts = findRendition(properties)
          },
          onObject: (object) => watcher.objects.push(object),
          onDone: (end) => {
            watcher.ended = end
          },
        },
      ),
    }
    await this.settle()
    return watcher
  }

  async settle(): Promise<void> {
    for (let i = 0; i < 20; i++) await this.link.settle()
  }

  /** The camera gives so many frames, 30 a second, and the encoders what is made of them. */
  async film(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.link.clock.advance(1000 / 30)
      this.camera!.enqueue(this.frame())
      await this.settle()
      this.encode()
      await this.settle()
    }
  }

  /** What the relay takes the uplink to bear. */
  estimate = 10_000_000

  tell(...layers: readonly number[]): void {
    const tracks = layers.map(
      (count, at): TrackFeedback => ({
        name: `video/${at}`,
        bitrate: 0,
        lossPermille: 0,
        jitterMs: 0,
        layers: count,
        keyFrameWanted: false,
      }),
    )
    this.video.onFeedback({ bitrate: 0, estimate: this.estimate, tracks })
  }

  /** As a relay does, five times a second, while the camera films. */
  async tellFor(ms: number, ...layers: readonly number[]): Promise<void> {
    for (let left = ms; left > 0; left -= 200) {
      this.tell(...layers)
      await this.film(6)
    }
  }

  /** Sizes that are encoded now, by the codecs that are there. */
  get encoded(): number[] {
    return FakeCodec.made
      .filter(({ state }) => state === 'configured')
      .map(({ configs }) => configs.at(-1)!['width'] as number)
      .sort((a, b) => a - b)
  }

  get active(): boolean[] {
    return this.video.infos().map(({ encoding }) => encoding!.active)
  }

  private frame(): VideoFrame {
    this.open++
    const { clock } = this.link
    const frame = {
      timestamp: clock.now() * 1000,
      displayWidth: 1280,
      displayHeight: 720,
      clone: () => this.frame(),
      close: () => void this.open--,
    }
    return frame as unknown as VideoFrame
  }

  private encode(): void {
    for (const codec of FakeCodec.made) {
      for (const { item, options } of codec.inputs.splice(0)) {
        if (codec.configs[0]!['width'] === this.failing) {
          codec.fail('no memory')
          continue
        }
        const isKey = (options as { keyFrame: boolean }).keyFrame
        const at = isKey ? 0 : (this.emitted.get(codec) ?? 0) + 1
        this.emitted.set(codec, at)
        const data = new Uint8Array(100)
        const timestamp = item['timestamp'] as number
        const chunk = new FakeChunk({ type: isKey ? 'key' : 'delta', timestamp, data })
        codec.emit(chunk, { svc: { temporalLayerId: PATTERN[at % PATTERN.length]! } })
      }
    }
  }
}

const layersOf = (objects: readonly MoqObject[]) =>
  objects.map(({ properties }) => {
    const { frameMarking } = decodeMediaProperties(immutableOf(properties))
    return frameMarking!.independent ? 'K' : String(frameMarking!.layer!.temporal)
  })

describe('our camera in its renditions', () => {
  it('is a track each, which says its size, under a key of its own', async () => {
    const world = await World.make()
    const watchers = [await world.watch(0), await world.watch(1), await world.watch(2)]
    expect(watchers.map(({ facts }) => facts?.width)).toEqual([320, 640, 1280])
    expect(world.video.entries).toMatchObject([
      {
        name: 'video/0',
        altGroup: 1,
        width: 320,
        height: 180,
        temporalLayers: 3,
        bitrate: 172_000,
      },
      { name: 'video/1', altGroup: 1, width: 640, height: 360, codec: 'vp8', framerate: 30 },
      { name: 'video/2', altGroup: 1, width: 1280, height: 720, live: true },
    ])
    await world.film(200)
    expect(world.encoded).toEqual([320, 640, 1280])
    const contexts = watchers.map(({ objects }) =>
      parseMlsKid(decodeHeader(objects[0]!.payload).kid),
    )
    expect(contexts.map(({ context }) => context)).toEqual([3, 4, 5])
    for (const { objects } of watchers) {
      expect(layersOf(objects).slice(0, 5)).toEqual(['K', '2', '1', '2', '0'])
      expect(objects[0]!.object).toBe(0)
    }
    expect(world.errors).toEqual([])
  })

  it('encodes nothing that nobody watches, and closes every frame', async () => {
    const world = await World.make()
    await world.film(30)
    expect(FakeCodec.made).toEqual([])
    const watcher = await world.watch(1)
    await world.film(10)
    expect(world.encoded).toEqual([640])
    expect(world.active).toEqual([false, true, false])
    watcher.subscription.unsubscribe()
    await world.settle()
    expect(world.active).toEqual([false, false, false])
    await world.film(5)
    expect(world.encoded).toEqual([])
    expect(world.open).toBe(0)
  })

  it('encodes its smallest size for who is expected, sends nothing of it, and not for long', async () => {
    const world = await World.make()
    world.video.expectViewer()
    await world.film(5)
    expect(world.encoded).toEqual([320])
    expect(world.video.infos().map(({ objects }) => objects)).toEqual([0, 0, 0])
    await world.film(60)
    expect(world.encoded).toEqual([])
    expect(world.open).toBe(0)
  })

  it('begins with a key frame for who was expected, however short ago one was made for nobody', async () => {
    const world = await World.make()
    world.video.expectViewer()
    await world.film(3)
    const watcher = await world.watch(0)
    await world.film(1)
    expect(layersOf(watcher.objects)).toEqual(['K'])
    // Once somebody watches, it goes on.
    await world.film(90)
    expect(world.encoded).toEqual([320])
  })

  it('begins the only picture that is watched at once, and a larger one beside it after proof', async () => {
    const world = await World.make()
    await world.watch(2)
    await world.film(1)
    expect(world.encoded).toEqual([1280])
    const small = await World.make()
    FakeCodec.made = []
    await small.watch(0)
    await small.watch(1)
    await small.film(1)
    expect(small.encoded).toEqual([320])
    await small.film(90)
    expect(small.encoded).toEqual([320, 640])
  })

  it('follows the relay: what it wants is encoded, what it does not want stops, and begins with a key frame', async () => {
    const world = await World.make()
    const watchers = [await world.watch(0), await world.watch(1), await world.watch(2)]
    await world.tellFor(4000, 3, 3, 0)
    expect(world.encoded).toEqual([320, 640])
    await world.tellFor(4000, 0, 3, 0)
    expect(world.encoded).toEqual([640])
    const before = watchers[0]!.objects.length
    await world.tellFor(4000, 3, 3, 0)
    expect(layersOf(watchers[0]!.objects.slice(before))[0]).toBe('K')
    expect(watchers[2]!.objects).toEqual([])
  })

  it('sends no layer that nobody takes, and has it back without a key frame', async () => {
    const world = await World.make()
    const { objects } = await world.watch(0)
    await world.tellFor(1000, 3)
    await world.tellFor(2000, 1)
    objects.length = 0
    await world.tellFor(1000, 1)
    expect(new Set(layersOf(objects))).toEqual(new Set(['0']))
    expect(world.video.infos()[0]).toMatchObject({
      temporalLayers: 1,
      encoding: { framesPerSecond: 30 },
    })
    objects.length = 0
    await world.tellFor(1000, 3)
    const back = layersOf(objects)
    expect(back).toContain('1')
    expect(back.filter((layer) => layer === '2').length).toBeGreaterThan(10)
    expect(back).not.toContain('K')
  })

  it('goes by what is subscribed to of a track that the relay does not tell of', async () => {
    const world = await World.make()
    await world.tellFor(1000, 0)
    await world.watch(0)
    await world.watch(1)
    await world.tellFor(1000, 0)
    expect(world.encoded).toEqual([640])
  })

  it('goes by what is subscribed to where the relay falls silent', async () => {
    const world = await World.make()
    await world.watch(0)
    await world.tellFor(3000, 0)
    expect(world.encoded).toEqual([])
    await world.film(100)
    expect(world.encoded).toEqual([320])
  })

  it('takes a relay that calls the path narrow at its word only when bytes wait on our side, too', async () => {
    const world = await World.make()
    await world.watch(1)
    world.estimate = 50_000
    await world.tellFor(2000, 0, 3)
    const target = () => world.video.infos()[1]!.encoding!.targetBitrate
    expect(target()).toBe(250_000 * 0.9 - 60_000)
    vi.spyOn(EncryptedTrack.prototype, 'buffered', 'get').mockReturnValue(40_000)
    await world.tellFor(10_000, 0, 3)
    vi.restoreAllMocks()
    expect(target()).toBe(LEAST_BITRATE)
  })

  it('comes down by itself where no relay tells it to', async () => {
    const world = await World.make()
    await world.watch(1)
    await world.film(150)
    const target = () => world.video.infos()[1]!.encoding!.targetBitrate
    expect(target()).toBe(600_000)
    vi.spyOn(EncryptedTrack.prototype, 'buffered', 'get').mockReturnValue(150_000)
    await world.film(60)
    vi.restoreAllMocks()
    expect(target()).toBeLessThan(500_000)
    await world.film(1200)
    expect(target()).toBeGreaterThan(550_000)
  })

  it('makes a key frame for whoever asks for a group', async () => {
    const world = await World.make()
    const { subscription, objects } = await world.watch(0)
    await world.film(30)
    objects.length = 0
    subscription.update({ newGroupRequest: 0 })
    await world.settle()
    await world.film(5)
    expect(layersOf(objects)).toContain('K')
  })

  it('stops while muted, without a word of who watches', async () => {
    const world = await World.make()
    const { objects } = await world.watch(0)
    await world.film(10)
    world.video.setMuted(true)
    expect(world.encoded).toEqual([])
    objects.length = 0
    await world.film(10)
    expect(objects).toEqual([])
    world.video.setMuted(false)
    await world.film(10)
    expect(layersOf(objects)[0]).toBe('K')
    expect(world.open).toBe(0)
  })

  it('takes another camera on the tracks that there are', async () => {
    const world = await World.make()
    const { objects, ended } = await world.watch(0)
    await world.film(10)
    world.plug()
    await world.settle()
    const before = objects.length
    await world.film(10)
    expect(objects.length).toBeGreaterThan(before)
    expect(ended).toBeNull()
    expect(world.errors).toEqual([])
  })

  it('withdraws a rendition that cannot be encoded, names it, and goes on with the others', async () => {
    const world = await World.make()
    const watchers = [await world.watch(0), await world.watch(1)]
    await world.film(100)
    world.failing = 640
    // Longer than the encoder waits, each time, before it is made anew.
    await world.film(30)
    expect(world.errors).toHaveLength(2)
    expect(world.errors[0]).toContain('no memory')
    expect(world.withdrawn).toEqual(['video/1'])
    expect(watchers[1]!.ended).not.toBeNull()
    expect(watchers[0]!.ended).toBeNull()
    expect(world.video.entries.map(({ name }) => name)).toEqual(['video/0', 'video/2'])
    expect(world.video.track('video/1')).toBeUndefined()
    watchers[0]!.objects.length = 0
    await world.film(10)
    expect(watchers[0]!.objects.length).toBeGreaterThan(5)
    expect(world.encoded).toEqual([320])
  })

  it('does not give its only rendition up, however often it fails', async () => {
    const world = await World.make({ width: 320, height: 240, framerate: 30 })
    const { objects } = await world.watch(0)
    await world.film(5)
    for (let failure = 0; failure < 5; failure++) {
      FakeCodec.last.fail('lost the device')
      await world.film(60)
    }
    expect(world.withdrawn).toEqual([])
    objects.length = 0
    await world.film(100)
    expect(objects.length).toBeGreaterThan(0)
  })

  it('gives the largest picture up while the machine has no time for it', async () => {
    const world = await World.make()
    for (const rendition of [0, 1, 2]) await world.watch(rendition)
    await world.film(300)
    expect(world.encoded).toEqual([320, 640, 1280])
    const largest = FakeCodec.made.find(({ configs }) => configs[0]!['width'] === 1280)!
    largest.encodeQueueSize = 3
    await world.film(150)
    expect(world.active).toEqual([true, true, false])
    await world.film(40 * 30)
    expect(world.active).toEqual([true, true, true])
  })

  it('is one size without simulcast, and keeps within a limit of ours', async () => {
    const world = await World.make(HD, { simulcast: false, maxBitrate: 300_000 })
    await world.watch(0)
    await world.film(30)
    expect(world.video.infos()).toMatchObject([
      { name: 'video/0', encoding: { width: 1280, targetBitrate: 300_000 } },
    ])
  })

  it('stops everything when it is closed', async () => {
    const world = await World.make()
    await world.watch(0)
    await world.film(10)
    const { timers } = world.link.clock
    world.video.close()
    await world.settle()
    expect(world.encoded).toEqual([])
    expect(world.link.clock.timers).toBe(timers - 1)
  })
})
