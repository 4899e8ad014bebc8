import {
  encodeCatalog,
  encodeMediaProperties,
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
import { RepairSource } from '../../media/repair-source.ts'
import { DEFAULT_VIDEO } from '../../media/video-settings.ts'
import type { TrackInfo } from '../types.ts'
import { EncryptedTrack } from './encrypted-track.ts'
import { AUDIO_FORMAT, LocalAudio } from './local-audio.ts'
import { LocalVideo } from './local-video.ts'
import type { MediaKeys } from './media-keys.ts'

export interface LocalMediaOptions {
  readonly namespace: Namespace
  readonly displayName: string
  readonly keys: MediaKeys
  readonly clock: Clock
  /** ms since the Unix epoch. */
  readonly wallClock: () => number
  /** Largest datagram that the transport takes now, bytes. */
  readonly maxDatagramSize: () => number
  readonly onMediaError: (error: MediaError) => void
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
  video: 3,
  chat: 32,
  verify: 33,
  report: 34,
} as const
/** Publisher priorities: state, sound, picture. */
const PRIORITY = { catalog: 8, audio: 32, video: 96 } as const

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
    video: ReadableStream<VideoFrame> | null,
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
    return [this.audio?.info(), this.video?.info()].filter((info) => info !== undefined)
  }

  close(): void {
    this.closed = true
    this.audio?.close()
    this.video?.close()
    this.catalog.close()
  }

  private trackNamed(name: string | null): EncryptedTrack | undefined {
    if (name === TrackName.CATALOG) return this.catalog
    return [this.audio, this.video].find((media) => media?.name === name)?.track
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

  private addVideo(frames: ReadableStream<VideoFrame>): void {
    const { clock, wallClock, maxDatagramSize, onMediaError, onCaptureFailed } = this.options
    const name = videoTrackName(0)
    const video: LocalVideo = new LocalVideo({
      name,
      rendition: 0,
      settings: DEFAULT_VIDEO,
      track: this.encryptedTrack(name, 'video', {
        onGroupRequested: () => video.requestKeyFrame(),
        onDemand: (wanted) => video.onDemand(wanted),
      }),
      clock,
      wallClock,
      maxDatagramSize,
      onError: onMediaError,
      onCaptureFailed: (error) => onCaptureFailed('camera', error),
    })
    this.video = video
    video.setMuted(this.muted.video)
    video.capture(frames)
  }

  private encryptedTrack(
    name: string,
    kind: keyof typeof PRIORITY,
    events: { onGroupRequested?: () => void; onDemand?: (wanted: boolean) => void },
  ): EncryptedTrack {
    return new EncryptedTrack({
      track: trackOf(this.options.namespace, name),
      number: TRACK_NUMBER[kind],
      priority: PRIORITY[kind],
      keys: this.options.keys,
      onError: this.options.onBug,
      ...(kind === 'video' && { repairs: this.repairSource(PRIORITY[kind]) }),
      ...events,
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
        tracks: [...this.audioEntry(), ...this.videoEntry()],
      }),
    })
  }

  private audioEntry() {
    if (!this.audio) return []
    const { name, muted } = this.audio
    return [{ name, role: 'audio', live: true, channelConfig: '1', muted, ...AUDIO_FORMAT }]
  }

  private videoEntry() {
    if (!this.video) return []
    const { name, muted, codecString, settings } = this.video
    const { width, height, framerate, bitrate, temporalLayers } = settings
    const format = { codec: codecString, width, height, framerate, bitrate, temporalLayers }
    return [{ name, role: 'video', live: true, altGroup: 1, muted, ...format }]
  }
}
