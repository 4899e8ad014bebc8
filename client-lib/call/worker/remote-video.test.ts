/** Renditions of a camera over sessions in memory: encrypted by real tracks, decoded by stand-ins. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type CatalogTrack,
  participantNamespace,
  videoTrackName,
} from '../../../moq/media/index.ts'
import type { IncomingFetch } from '../../../moq/session/index.ts'
import { TestLink } from '../../../moq/session/test-pair.ts'
import { textOf, trackOf } from '../../../moq/wire/names.ts'
import { nobleProvider } from '../../../sframe/index.ts'
import type { EpochKeys } from '../../keys/index.ts'
import { type FakeChunk, FakeCodec, stubCodecs } from '../../media/fake-codecs.ts'
import { VideoPacketizer } from '../../media/packetize.ts'
import { RepairSource } from '../../media/repair-source.ts'
import { EncryptedTrack } from './encrypted-track.ts'
import { MediaKeys } from './media-keys.ts'
import { RemoteVideo } from './remote-video.ts'

const SIZES = [
  [320, 180],
  [640, 360],
  [1280, 720],
] as const
const PATTERN = [0, 2, 1, 2] as const
const FRAME_MS = 33
const SHOWN = { width: 0, height: 0, hidden: false }

beforeEach(stubCodecs)
afterEach(() => vi.unstubAllGlobals())

function epoch(baseKey: Uint8Array, leaf: number): EpochKeys {
  const since = { epoch: 0, time: 0 }
  return {
    groupId: Uint8Array.of(1),
    epoch: 1,
    suite: 'classical',
    baseKey: baseKey.slice(),
    epochAuthenticator: new Uint8Array(32),
    verificationCode: '',
    leaf,
    roster: [
      { leaf: 0, participantId: 'ann', fingerprint: 'a', since },
      { leaf: 1, participantId: 'bob', fingerprint: 'b', since },
    ],
    removed: [],
    reason: 'updated',
  }
}

/** Ann sends three renditions in three temporal layers; Bob shows her. The link stands for a relay. */
class World {
  /** Says of each datagram whether it is lost. */
  loses: () => boolean = () => false
  fetches = 0
  refuseFetches = false
  readonly link = new TestLink({ loseDatagram: () => this.loses() })
  readonly tracks: EncryptedTrack[] = []
  readonly groupRequests = [0, 0, 0]
  readonly errors: unknown[] = []
  /** What was shown: rendition by codec, and capture time, ms. */
  readonly pictures: string[] = []
  private readonly packetizers: VideoPacketizer[] = []
  private readonly keys = this.makeKeys()
  private readonly heard = this.makeKeys()
  private readonly given = new Map<FakeCodec, number>()
  private readonly session = this.link.session('client', {})
  private open = 0

  constructor() {
    SIZES.forEach((_, id) => {
      this.tracks.push(this.makeTrack(id))
      this.packetizers.push(new VideoPacketizer({ temporalLayers: 3, firstGroup: 100 * id }))
    })
    this.link.session('server', {
      onSubscribe: (request) => this.trackOf(textOf(request.track.name)).accept(request),
      onFetch: (request) => this.onFetch(request),
    })
  }

  static async begin(): Promise<World> {
    const world = new World()
    await world.link.settle()
    const baseKey = Uint8Array.from({ length: 32 }, () => Math.random() * 256)
    await world.keys.install(epoch(baseKey, 0))
    await world.heard.install(epoch(baseKey, 1))
    await Promise.all(world.tracks.map((track) => track.renewKey()))
    return world
  }

  show(managed: boolean, shown = SHOWN): RemoteVideo {
    return new RemoteVideo(
      {
        session: this.session,
        participantId: 'ann',
        nameOf: (track) => trackOf(participantNamespace('room', 'ann'), track),
        keys: this.heard,
        clock: this.link.clock,
        rttMs: () => 20,
        onError: (error) => this.errors.push(error),
      },
      SIZES.map((_, id) => entryOf(id)),
      { shown, managed },
      (picture) => {
        this.pictures.push(picture as unknown as string)
      },
    )
  }

  /** A frame of each of the renditions goes out, and what comes is shown; then time passes. */
  async frame(video: RemoteVideo, ids: readonly number[], number: number, key = false) {
    const layer = key ? 0 : PATTERN[number % 4]!
    for (const id of ids) {
      const timestamp = number * FRAME_MS * 1000
      const bytes = new Uint8Array(1500)
      const frame = { bytes, timestamp, key, temporalLayer: layer }
      for (const plan of this.packetizers[id]!.packetize(frame, 1200)) this.tracks[id]!.send(plan)
    }
    await this.settle(video)
    for (let ms = 0; ms < FRAME_MS; ms += 11) {
      this.link.clock.advance(11)
      await this.settle(video)
    }
  }

  async frames(video: RemoteVideo, ids: readonly number[], from: number, to: number) {
    for (let number = from; number < to; number++) {
      await this.frame(video, ids, number, number === from)
    }
  }

  async settle(video: RemoteVideo): Promise<void> {
    for (let round = 0; round < 4; round++) {
      await this.link.settle()
      await new Promise<void>((resolve) => setImmediate(resolve))
      video.poll()
      this.decode()
    }
  }

  get openPictures(): number {
    return this.open - this.pictures.length
  }

  private decode(): void {
    for (const codec of FakeCodec.made) {
      for (let at = this.given.get(codec) ?? 0; at < codec.inputs.length; at++) {
        this.given.set(codec, at + 1)
        if (codec.state === 'closed') continue
        const { timestamp } = codec.inputs[at]!.item as unknown as FakeChunk
        this.open++
        const name = `${codec.configs[0]!.codec as string}@${timestamp / 1000 / FRAME_MS}`
        codec.emit(Object.assign(new String(name), { timestamp, close: () => this.open-- }))
      }
    }
  }

  private trackOf(name: string | null): EncryptedTrack {
    return this.tracks.find((_, id) => videoTrackName(id) === name)!
  }

  private onFetch(request: IncomingFetch): void {
    this.fetches++
    if (request.range.kind !== 'standalone' || this.refuseFetches) request.reject(0x3, 'no')
    else this.trackOf(textOf(request.range.track.name)).fetch(request)
  }

  private makeTrack(id: number): EncryptedTrack {
    return new EncryptedTrack({
      track: trackOf(participantNamespace('room', 'ann'), videoTrackName(id)),
      number: 3 + id,
      priority: 96,
      keys: this.keys,
      onError: (error) => this.errors.push(error),
      onGroupRequested: () => {
        this.groupRequests[id]!++
      },
      repairs: new RepairSource({ now: () => this.link.clock.now(), priority: 96 }),
    })
  }

  private makeKeys(): MediaKeys {
    const events = { onInstalled: () => {}, onRevoked: () => {}, onSwitch: () => {} }
    return new MediaKeys(this.link.clock, events, nobleProvider)
  }
}

function entryOf(id: number): CatalogTrack {
  const [width, height] = SIZES[id]!
  const format = { width, height, framerate: 30, temporalLayers: 3 }
  return { name: videoTrackName(id), role: 'video', codec: `v${id}`, live: true, ...format }
}

const shownOf = (world: World) => world.pictures.map(String)

describe('a remote picture of which the relay forwards one rendition at a time', () => {
  it('is one: it changes over at a key frame, with its own decoder, and no frame is out of order', async () => {
    const world = await World.begin()
    const video = world.show(true)
    await world.settle(video)
    await world.frames(video, [0], 0, 8)
    expect(video.info()).toMatchObject({ name: 'video/0', rendition: 0, temporalLayers: 3 })
    await world.frames(video, [2], 8, 12)
    await world.frames(video, [1], 12, 16)
    expect(shownOf(world)).toEqual([
      ...[0, 1, 2, 3, 4, 5, 6, 7].map((number) => `v0@${number}`),
      ...[8, 9, 10, 11].map((number) => `v2@${number}`),
      ...[12, 13, 14, 15].map((number) => `v1@${number}`),
    ])
    expect(FakeCodec.made.map(({ state }) => state)).toEqual(['closed', 'closed', 'configured'])
    expect(video.info()).toMatchObject({
      name: 'video/1',
      codec: 'v1',
      rendition: 1,
      framesDecoded: 16,
      framesDropped: 0,
      decryptFailures: 0,
    })
    expect(world.openPictures).toBe(0)
    expect(world.errors).toEqual([])
  })

  it('goes on with the old one when the new one cannot be decoded, and asks for a key frame of it', async () => {
    const world = await World.begin()
    const video = world.show(true)
    await world.settle(video)
    await world.frames(video, [0], 0, 4)
    const asked = world.groupRequests[1]!
    FakeCodec.refuse = new Error('no such codec')
    await world.frame(video, [0, 1], 4, true)
    FakeCodec.refuse = null
    await world.frame(video, [0], 5)
    expect(shownOf(world).slice(-2)).toEqual(['v0@4', 'v0@5'])
    expect(world.groupRequests[1]).toBeGreaterThan(asked)
  })

  it('keeps to one by itself when several come all the same', async () => {
    const world = await World.begin()
    const video = world.show(true, { width: 640, height: 384, hidden: false })
    await world.settle(video)
    for (let group = 0; group < 10; group++) {
      await world.frames(video, [0, 1, 2], group * 8, group * 8 + 8)
    }
    expect(world.tracks.map(({ wanted }) => wanted)).toEqual([false, true, false])
    expect(video.info().rendition).toBe(1)
  })
})

describe('a remote picture whose relay does not choose', () => {
  it('asks for the rendition that fills the tile, and for no other', async () => {
    const world = await World.begin()
    const video = world.show(false, { width: 320, height: 192, hidden: false })
    await world.settle(video)
    expect(world.tracks.map(({ wanted }) => wanted)).toEqual([true, false, false])
  })

  it('changes over without a gap: the old one goes on until the new one is shown', async () => {
    const world = await World.begin()
    const video = world.show(false, { width: 320, height: 192, hidden: false })
    await world.settle(video)
    await world.frames(video, [0], 0, 4)
    video.setView({ width: 1280, height: 768, hidden: false })
    await world.settle(video)
    expect(world.tracks.map(({ wanted }) => wanted)).toEqual([true, false, true])
    expect(world.groupRequests[2]).toBe(1)
    await world.frame(video, [0], 4)
    await world.frame(video, [0, 2], 5, true)
    await world.frame(video, [0, 2], 6)
    expect(shownOf(world).slice(-3)).toEqual(['v0@5', 'v2@5', 'v2@6'])
    expect(world.tracks.map(({ wanted }) => wanted)).toEqual([false, false, true])
  })

  it('asks for nothing while it is hidden, and gives the choice to a relay that begins to make it', async () => {
    const world = await World.begin()
    const video = world.show(false)
    await world.settle(video)
    video.setView({ width: 640, height: 384, hidden: true })
    await world.settle(video)
    expect(world.tracks.map(({ wanted }) => wanted)).toEqual([false, false, false])
    video.setManaged(true)
    await world.settle(video)
    expect(world.tracks.map(({ wanted }) => wanted)).toEqual([true, true, true])
  })
})

describe('lost datagrams of a remote picture', () => {
  /** Loses the datagrams at these places, counted from 0. */
  function losing(world: World, ...places: number[]): void {
    let sent = 0
    world.loses = () => places.includes(sent++)
  }

  it('are asked for again, and the frames come in order and whole', async () => {
    const world = await World.begin()
    const video = world.show(true)
    await world.settle(video)
    // Two datagrams a frame: one of frame 5, and all of frame 7.
    losing(world, 7, 10, 11)
    await world.frames(video, [0], 0, 16)
    expect(shownOf(world)).toEqual(Array.from({ length: 16 }, (_, number) => `v0@${number}`))
    expect(video.info()).toMatchObject({
      framesDropped: 0,
      decryptFailures: 0,
      repairs: { repaired: 3, late: 0, givenUp: 0 },
    })
    expect(world.fetches).toBe(2)
  })

  it('are let go where FETCH is refused, and not asked for any more', async () => {
    const world = await World.begin()
    const video = world.show(true)
    await world.settle(video)
    world.refuseFetches = true
    losing(world, 7, 17)
    await world.frames(video, [0], 0, 24)
    expect(world.fetches).toBe(1)
    expect(video.info()).toMatchObject({ framesDropped: 2, framesDecoded: 22 })
  })

  it('are not asked for where the relay leaves out a layer', async () => {
    const world = await World.begin()
    const video = world.show(true)
    await world.settle(video)
    await world.frames(video, [0], 0, 8)
    // All frames of the top layer from now on: the first and the third pair of datagrams of four frames.
    let sent = 0
    world.loses = () => Math.floor(sent++ / 2) % 3 !== 1
    await world.frames(video, [0], 8, 88)
    const { repairs, temporalLayers, framesDecoded } = video.info()
    expect(temporalLayers).toBe(2)
    expect(framesDecoded).toBeGreaterThanOrEqual(48)
    // Some, until it was clear.
    expect(world.fetches).toBeLessThan(8)
    expect(repairs!.givenUp).toBeLessThan(12)
  })
})
