import {
  encodeCatalog,
  encodeMediaProperties,
  type PublisherFeedback,
  TrackName,
  videoTrackName,
} from '../../../moq/media/index.ts'
import type {
  Clock,
  IncomingFetch,
  IncomingSubscribe,
  TrackState,
} from '../../../moq/session/index.ts'
import { type Namespace, textOf, trackOf } from '../../../moq/wire/names.ts'
import { firstGroupAt } from '../../media/first-group.ts'
import type { MediaError } from '../../media/media-error.ts'
import type { CaptureFormat, RenditionChoice } from '../../media/renditions.ts'
import { RepairSource } from '../../media/repair-source.ts'
import type { TrackInfo } from '../types.ts'
import type { CapturedVideo } from '../worker-protocol.ts'
import { EncryptedTrack, type EncryptedTrackOptions } from './encrypted-track.ts'
import { AUDIO_FORMAT, LocalAudio } from './local-audio.ts'
import { LocalVideo } from './local-video.ts'
import type { MediaKeys } from './media-keys.ts'

export interface LocalMediaOptions {
  readonly namespace: Namespace
  readonly displayName: string
  readonly keys: MediaKeys
  /** How the camera is sent. */
  readonly renditions: RenditionChoice
  readonly clock: Clock
  /** ms since the Unix epoch. */
  readonly wallClock: () => number
  /** Largest datagram that the transport takes now, bytes. */
  readonly maxDatagramSize: () => number
  readonly onMediaError: (error: MediaError) => void
  /** A rendition of the camera cannot be encoded here; the others go on. */
  readonly onWithdrawn: (track: string, error: MediaError) => void
  readonly onCaptureFailed: (device: 'microphone' | 'camera', error: unknown) => void
  readonly onBug: (error: unknown) => void
}

/**
 * Our tracks by number: MoQT alias and SFrame context at once. What is said to the delivery service and
 * to members of other forks, on `mls` and `verify`, is not encrypted.
 */
export const TRACK_NUMBER = {
  mls: 0,
  catalog: 1,
  audio: 2,
  /** Of the smallest rendition; the others, 16 at most, follow it. */
  video: 3,
  chat: 32,
  verify: 33,
  report: 34,
} as const
/** Publisher priorities: state, sound, picture; of pictures the smallest first. */
const PRIORITY = { catalog: 8, audio: 32, video: 96 } as const

type TrackDetails = Pick<
  EncryptedTrackOptions,
  'properties' | 'onGroupRequested' | 'onDemand' | 'onRefused'
>

/** What we publish: a catalog that says what there is, sound, and picture. */
export class LocalMedia {
  private readonly options: LocalMediaOptions
  private readonly catalog: EncryptedTrack
  private readonly muted = { audio: false, video: false }
  private audio: LocalAudio | null = null
  private video: LocalVideo | null = null
  private catalogGroup: number
  private closed = false

  constructor(options: LocalMediaOptions) {
    this.options = options
    this.catalogGroup = firstGroupAt(options.wallClock())
    this.catalog = this.encryptedTrack(TrackName.CATALOG, 'catalog', {
      onGroupRequested: () => this.publishCatalog(),
    })
  }

  /** Answers a subscription to one of our media tracks; false when we have no such track. */
  accept(request: IncomingSubscribe): boolean {
    const track = this.trackNamed(textOf(request.track.name))
    track?.accept(request)
    return track !== undefined
  }

  /** Answers a FETCH from one of our media tracks; false when we have no such track. */
  fetch(request: IncomingFetch): boolean {
    if (request.range.kind !== 'standalone') return false
    const track = this.trackNamed(textOf(request.range.track.name))
    track?.fetch(request)
    return track !== undefined
  }

  /** The state of one of our media tracks; null when we have no such track. */
  status(name: string | null): TrackState | null {
    return this.trackNamed(name)?.status ?? null
  }

  /** Devices are open. */
  async capture(
    video: CapturedVideo | null,
    audio: ReadableStream<AudioData> | null,
  ): Promise<void> {
    if (audio) this.addAudio(audio)
    if (video) this.addVideo(video)
    await this.renewKeys()
  }

  /** Holds for a device that is opened later, too. */
  setMuted(kind: 'audio' | 'video', muted: boolean): void {
    this.muted[kind] = muted
    if (kind === 'audio') this.audio?.setMuted(muted)
    else this.video?.setMuted(muted)
    this.publishCatalog()
  }

  /** What the relay says of our uplink, and of what is wanted. */
  onFeedback(feedback: PublisherFeedback): void {
    this.video?.onFeedback(feedback)
  }

  /** Nothing more may go out under the old keys; the next ones are about to come. */
  revokeKeys(): void {
    this.catalog.revokeKey()
    this.audio?.track.revokeKey()
    this.video?.revokeKey()
  }

  async renewKeys(): Promise<void> {
    await Promise.all([
      this.catalog.renewKey(),
      this.audio?.track.renewKey(),
      this.video?.renewKey(),
    ])
    this.publishCatalog()
  }

  infos(): TrackInfo[] {
    return [...(this.audio ? [this.audio.info()] : []), ...(this.video?.infos() ?? [])]
  }

  close(): void {
    this.closed = true
    this.audio?.close()
    this.video?.close()
    this.catalog.close()
  }

  private trackNamed(name: string | null): EncryptedTrack | undefined {
    if (name === null) return undefined
    if (name === TrackName.CATALOG) return this.catalog
    return this.audio?.name === name ? this.audio.track : this.video?.track(name)
  }

  private addAudio(samples: ReadableStream<AudioData>): void {
    const { clock, wallClock, onMediaError, onCaptureFailed } = this.options
    this.audio = new LocalAudio({
      name: TrackName.AUDIO,
      track: this.encryptedTrack(TrackName.AUDIO, 'audio', {}),
      clock,
      wallClock,
      onError: onMediaError,
      onCaptureFailed: (error) => onCaptureFailed('microphone', error),
    })
    this.audio.setMuted(this.muted.audio)
    this.audio.capture(samples)
  }

  /** Another camera takes the place of the one before, on the tracks that there are. */
  private addVideo({ frames, format }: CapturedVideo): void {
    this.video ??= this.makeVideo(format)
    this.video.capture(frames)
  }

  private makeVideo(format: CaptureFormat): LocalVideo {
    const { renditions, clock, wallClock, maxDatagramSize, onMediaError } = this.options
    const { onWithdrawn, onCaptureFailed } = this.options
    const video = new LocalVideo({
      format,
      choice: renditions,
      trackOf: (rendition, properties, events) =>
        this.encryptedTrack(
          videoTrackName(rendition),
          'video',
          { properties, ...events },
          rendition,
        ),
      clock,
      wallClock,
      maxDatagramSize,
      onError: onMediaError,
      onWithdrawn: (name, error) => {
        onWithdrawn(name, error)
        this.publishCatalog()
      },
      onCaptureFailed: (error) => onCaptureFailed('camera', error),
    })
    video.setMuted(this.muted.video)
    return video
  }

  /** @param further of several tracks of a kind, which one: 0 is the first */
  private encryptedTrack(
    name: string,
    kind: keyof typeof PRIORITY,
    options: TrackDetails,
    further = 0,
  ): EncryptedTrack {
    return new EncryptedTrack({
      track: trackOf(this.options.namespace, name),
      number: TRACK_NUMBER[kind] + further,
      priority: PRIORITY[kind] + further,
      keys: this.options.keys,
      onError: this.options.onBug,
      ...(kind === 'video' && { repairs: this.repairSource(PRIORITY[kind] + further) }),
      ...options,
    })
  }

  private repairSource(priority: number): RepairSource {
    return new RepairSource({ now: () => this.options.clock.now(), priority })
  }

  /** A new group for whoever subscribed, and whenever it changed or has a new key. */
  private publishCatalog(): void {
    this.catalog.switchKey()
    if (!this.catalog.canSend || this.closed) return
    this.catalog.send({
      ...encodeMediaProperties({ timestamp: this.options.wallClock() * 1000 }),
      group: this.catalogGroup++,
      object: 0,
      delivery: 'stream',
      subgroup: 0,
      temporalLayer: 0,
      last: true,
      payload: encodeCatalog({
        displayName: this.options.displayName,
        tracks: [...this.audioEntry(), ...(this.video?.entries ?? [])],
      }),
    })
  }

  private audioEntry() {
    if (!this.audio) return []
    const { name, muted } = this.audio
    return [{ name, role: 'audio', live: true, channelConfig: '1', muted, ...AUDIO_FORMAT }]
  }
}
