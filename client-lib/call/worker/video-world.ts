/** For tests, with vitest's stand-ins for codecs: a camera in three renditions, from end to end. */

import {
  type CatalogTrack,
  participantNamespace,
  videoTrackName,
} from '../../../moq/media/index.ts'
import type { IncomingFetch, Session, SessionHandler } from '../../../moq/session/index.ts'
import type { ManualClock } from '../../../moq/session/manual-clock.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import { textOf, trackOf } from '../../../moq/wire/names.ts'
import { nobleProvider } from '../../../sframe/index.ts'
import type { EpochKeys } from '../../keys/index.ts'
import { type FakeChunk, FakeCodec } from '../../media/fake-codecs.ts'
import { VideoPacketizer } from '../../media/packetize.ts'
import type { ShownSize } from '../../media/rendition-choice.ts'
import { RepairSource } from '../../media/repair-source.ts'
import { EncryptedTrack } from './encrypted-track.ts'
import { JoinSteps } from './join-steps.ts'
import { MediaKeys } from './media-keys.ts'
import { RemoteVideo } from './remote-video.ts'

const SIZES = [
  [320, 180],
  [640, 360],
  [1280, 720],
] as const
const PATTERN = [0, 2, 1, 2] as const
const FRAME_MS = 33
const SHOWN: ShownSize = { width: 0, height: 0, hidden: false }

const NAMESPACE = participantNamespace('room', 'ann')

/** Of a group of Ann and Bob. @param leaf whose keys these are */
export function firstEpoch(baseKey: Uint8Array, leaf: number): EpochKeys {
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

/** What joins Ann and Bob. */
export interface Wire {
  readonly clock: ManualClock
  /** Runs everything that is under way. */
  settle(): Promise<void>
  publisher(handler: SessionHandler): Session
  receiver(): Session
}

/** Ann sends three renditions in three temporal layers; Bob shows her. */
export class VideoWorld {
  /** That reached Ann. */
  fetches = 0
  refuseFetches = false
  readonly tracks: EncryptedTrack[] = []
  readonly groupRequests = [0, 0, 0]
  readonly errors: unknown[] = []
  /** What was shown: rendition by codec, and capture time, ms. */
  readonly pictures: string[] = []
  private readonly wire: Wire
  private readonly packetizers: VideoPacketizer[] = []
  private readonly keys: MediaKeys
  private readonly heard: MediaKeys
  private readonly given = new Map<FakeCodec, number>()
  private readonly session: Session
  private open = 0

  constructor(wire: Wire) {
    this.wire = wire
    this.keys = this.makeKeys()
    this.heard = this.makeKeys()
    SIZES.forEach((_, id) => {
      this.tracks.push(this.makeTrack(id))
      this.packetizers.push(new VideoPacketizer({ temporalLayers: 3, firstGroup: 100 * id }))
    })
    const publisher = wire.publisher({
      onSubscribe: (request) => {
        const track = this.trackOf(textOf(request.track.name))
        if (track) track.accept(request)
        else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
      },
      onFetch: (request) => this.onFetch(request),
    })
    publisher.publishNamespace(NAMESPACE, {})
    this.session = wire.receiver()
  }

  /** Both have the same keys. */
  async ready(): Promise<void> {
    await this.wire.settle()
    const baseKey = Uint8Array.from({ length: 32 }, () => Math.random() * 256)
    await this.keys.install(firstEpoch(baseKey, 0))
    await this.heard.install(firstEpoch(baseKey, 1))
    await Promise.all(this.tracks.map((track) => track.renewKey()))
  }

  show(managed: boolean, shown = SHOWN): RemoteVideo {
    return new RemoteVideo(
      {
        session: this.session,
        participantId: 'ann',
        nameOf: (track) => trackOf(NAMESPACE, track),
        keys: this.heard,
        clock: this.wire.clock,
        rttMs: () => 20,
        steps: new JoinSteps(() => {}),
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
      this.wire.clock.advance(11)
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
      await this.wire.settle()
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

  private trackOf(name: string | null): EncryptedTrack | undefined {
    return this.tracks.find((_, id) => videoTrackName(id) === name)
  }

  private onFetch(request: IncomingFetch): void {
    this.fetches++
    if (request.range.kind !== 'standalone' || this.refuseFetches) {
      request.reject(RequestCode.NOT_SUPPORTED, 'no')
    } else this.trackOf(textOf(request.range.track.name))!.fetch(request)
  }

  private makeTrack(id: number): EncryptedTrack {
    return new EncryptedTrack({
      track: trackOf(NAMESPACE, videoTrackName(id)),
      number: 3 + id,
      priority: 96,
      keys: this.keys,
      onError: (error) => this.errors.push(error),
      onGroupRequested: () => {
        this.groupRequests[id]!++
      },
      repairs: new RepairSource({ now: () => this.wire.clock.now(), priority: 96 }),
    })
  }

  private makeKeys(): MediaKeys {
    const events = { onInstalled: () => {}, onRevoked: () => {}, onSwitch: () => {} }
    return new MediaKeys(this.wire.clock, events, nobleProvider)
  }
}

function entryOf(id: number): CatalogTrack {
  const [width, height] = SIZES[id]!
  const format = { width, height, framerate: 30, temporalLayers: 3 }
  return { name: videoTrackName(id), role: 'video', codec: `v${id}`, live: true, ...format }
}
