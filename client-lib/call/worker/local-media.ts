import {
  type Catalog,
  type CatalogTrack,
  type PublisherFeedback,
  TrackName,
} from '../../../moq/media/index.ts'
import type {
  Clock,
  IncomingFetch,
  IncomingSubscribe,
  TrackState,
} from '../../../moq/session/index.ts'
import { type Namespace, textOf, trackOf } from '../../../moq/wire/names.ts'
import type { CodecSupport } from '../../media/codec-support.ts'
import { codecNameOf, type VideoCodecName } from '../../media/codecs.ts'
import type { MediaError } from '../../media/media-error.ts'
import {
  type CaptureFormat,
  type RenditionChoice,
  renditionsOf,
  SCREEN_SETTINGS,
  SCREEN_USUAL_BITRATE,
} from '../../media/renditions.ts'
import { RepairSource } from '../../media/repair-source.ts'
import type { VideoSettings } from '../../media/video-settings.ts'
import type { TrackInfo } from '../types.ts'
import { EncryptedTrack, type EncryptedTrackOptions } from './encrypted-track.ts'
import { AUDIO_FORMAT, LocalAudio } from './local-audio.ts'
import { LocalCatalog } from './local-catalog.ts'
import { LocalVideo } from './local-video.ts'
import type { MediaKeys } from './media-keys.ts'
import { PictureCodec } from './picture-codec.ts'
import { TRACK_NUMBER, TRACK_PRIORITY } from './track-numbers.ts'

export interface LocalMediaOptions {
  readonly namespace: Namespace
  readonly displayName: string
  readonly keys: MediaKeys
  /** Video codecs that are preferred, the best first. */
  readonly videoCodecs?: readonly VideoCodecName[]
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
  readonly onCaptureFailed: (device: CaptureDevice, error: unknown) => void
  readonly onBug: (error: unknown) => void
}

export type CaptureDevice = 'microphone' | 'camera' | 'screen'

type TrackDetails = Pick<
  EncryptedTrackOptions,
  'properties' | 'onGroupRequested' | 'onDemand' | 'onRefused'
>

/** Frames of a camera, and what it said of them when it was opened. */
export interface OpenCamera {
  readonly frames: ReadableStream<VideoFrame>
  readonly format: CaptureFormat
}

/** What we publish: a catalog that says what there is, sound, picture, and a screen while it is shared. */
export class LocalMedia {
  private readonly options: LocalMediaOptions
  private readonly catalog: LocalCatalog
  private readonly muted = { audio: false, video: false }
  private audio: LocalAudio | null = null
  private video: LocalVideo | null = null
  /** Kept when sharing ends: the next time goes on with the keys and groups of these tracks. */
  private screen: LocalVideo | null = null
  private screenAudio: LocalAudio | null = null
  private sharing = { video: false, audio: false }
  private readonly codec: PictureCodec
  private closed = false

  constructor(options: LocalMediaOptions) {
    this.options = options
    const { videoCodecs: preferred, clock, wallClock } = options
    this.codec = new PictureCodec({
      clock,
      ...(preferred && { preferred }),
      onChosen: () => this.applyChoice(),
    })
    const onGroupRequested = () => {
      this.video?.expectViewer()
      this.catalog.publish()
    }
    this.catalog = new LocalCatalog({
      track: this.encryptedTrack(TrackName.CATALOG, 'catalog', { onGroupRequested }),
      wallClock,
      read: () => this.contents(),
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

  /** A camera is open; another one takes the place of the one before, on the tracks that there are. */
  async captureVideo({ frames, format }: OpenCamera): Promise<void> {
    if (this.video) {
      this.video.capture(frames)
      return
    }
    const { renditions } = this.options
    this.video = this.makeVideo('video', renditionsOf(format, renditions), renditions.maxBitrate)
    this.video.setMuted(this.muted.video)
    this.video.capture(frames)
    await this.renewKeys()
  }

  /** A microphone is open; another one takes the place of the one before, on the same track. */
  async captureAudio(samples: ReadableStream<AudioData>): Promise<void> {
    if (this.audio) {
      this.audio.capture(samples)
      return
    }
    this.audio = this.makeAudio(TrackName.AUDIO, 'audio', 'microphone')
    this.audio.setMuted(this.muted.audio)
    this.audio.capture(samples)
    await this.renewKeys()
  }

  /** Reads no more of a device, which lets go of what was given of it. */
  release(kind: 'audio' | 'video'): void {
    if (kind === 'audio') this.audio?.rest()
    else this.video?.rest()
  }

  /** What this browser can encode and decode. */
  setCodecSupport(support: CodecSupport): void {
    if (this.closed) return
    this.codec.setSupport(support)
    this.catalog.publish()
  }

  /** Names of the video codecs that each of the others can decode. */
  setReceivers(receivers: readonly (readonly string[])[]): void {
    if (this.closed) return
    this.codec.setReceivers(receivers)
  }

  /** A screen is shared, perhaps with sound; another one takes the place of the one before. */
  async share(frames: ReadableStream<VideoFrame>, sound: ReadableStream<AudioData> | null) {
    if (this.closed) return
    this.sharing = { video: true, audio: sound !== null }
    this.screen ??= this.makeVideo('screen', [SCREEN_SETTINGS])
    this.screen.capture(frames)
    this.screen.setMuted(false)
    if (sound) {
      this.screenAudio ??= this.makeAudio(TrackName.SCREEN_AUDIO, 'screen-audio', 'screen')
      this.screenAudio.capture(sound)
    } else this.screenAudio?.rest()
    await this.renewKeys()
  }

  /** The others see and hear nothing of the screen any more. */
  unshare(): void {
    this.sharing = { video: false, audio: false }
    this.screen?.rest()
    this.screen?.setMuted(true)
    this.screenAudio?.rest()
    this.catalog.publish()
  }

  /** Holds for a device that is opened later, too. */
  setMuted(kind: 'audio' | 'video', muted: boolean): void {
    this.muted[kind] = muted
    if (kind === 'audio') this.audio?.setMuted(muted)
    else this.video?.setMuted(muted)
    this.catalog.publish()
  }

  /** What the relay says of our uplink, and of what is wanted. */
  onFeedback(feedback: PublisherFeedback): void {
    const { video, screen } = this
    // The smallest face first, then the screen, then larger faces.
    screen?.onFeedback(leaving(feedback, video?.leastBitrate ?? 0))
    video?.onFeedback(leaving(feedback, screen?.plannedBitrate ?? 0))
  }

  /** Nothing more may go out under the old keys; the next ones are about to come. */
  revokeKeys(): void {
    this.catalog.track.revokeKey()
    for (const { track } of this.sounds()) track.revokeKey()
    for (const picture of this.pictures()) picture.revokeKey()
  }

  async renewKeys(): Promise<void> {
    await Promise.all([
      this.catalog.track.renewKey(),
      ...this.sounds().map((sound) => sound.renewKey()),
      ...this.pictures().map((picture) => picture.renewKey()),
    ])
    this.catalog.publish()
  }

  infos(): TrackInfo[] {
    const { audio, video, screen, screenAudio } = this
    return [
      ...(audio ? [audio.info()] : []),
      ...(video?.infos() ?? []),
      ...(screen && this.sharing.video ? screen.infos() : []),
      ...(screenAudio && this.sharing.audio ? [screenAudio.info()] : []),
    ]
  }

  close(): void {
    this.closed = true
    this.codec.close()
    for (const sound of this.sounds()) sound.close()
    for (const picture of this.pictures()) picture.close()
    this.catalog.close()
  }

  private applyChoice(): void {
    const { name } = this.codec
    const differ = this.entries().some(({ role, codec: sent }) => {
      return role === 'video' && sent !== undefined && codecNameOf(sent) !== name
    })
    for (const picture of this.pictures()) this.applyCodec(picture)
    // It is out before the first picture: who reads it first needs no second key frame.
    if (differ) this.catalog.publish()
  }

  private applyCodec(picture: LocalVideo): void {
    picture.setCodec(this.codec.name, this.codec.mostLayers)
  }

  private trackNamed(name: string | null): EncryptedTrack | undefined {
    if (name === null) return undefined
    if (name === TrackName.CATALOG) return this.catalog.track
    for (const sound of this.sounds()) if (sound.name === name) return sound.track
    for (const picture of this.pictures()) {
      const track = picture.track(name)
      if (track) return track
    }
    return undefined
  }

  private sounds(): LocalAudio[] {
    return [this.audio, this.screenAudio].filter((sound) => sound !== null)
  }

  private pictures(): LocalVideo[] {
    return [this.video, this.screen].filter((picture) => picture !== null)
  }

  private makeAudio(name: string, kind: 'audio' | 'screen-audio', device: CaptureDevice) {
    const { clock, wallClock, onMediaError, onCaptureFailed } = this.options
    return new LocalAudio({
      name,
      track: this.encryptedTrack(name, kind, {}),
      clock,
      wallClock,
      onError: onMediaError,
      onCaptureFailed: (error) => onCaptureFailed(device, error),
    })
  }

  private makeVideo(
    kind: 'video' | 'screen',
    sizes: readonly VideoSettings[],
    maxBitrate?: number,
  ): LocalVideo {
    const { clock, wallClock, maxDatagramSize, onMediaError } = this.options
    const { onWithdrawn, onCaptureFailed } = this.options
    const picture = new LocalVideo({
      kind,
      sizes,
      ...(maxBitrate !== undefined && { maxBitrate }),
      ...(kind === 'screen' && { usualBitrate: SCREEN_USUAL_BITRATE }),
      trackOf: (name, rendition, properties, events) =>
        this.encryptedTrack(name, kind, { properties, ...events }, rendition),
      clock,
      wallClock,
      maxDatagramSize,
      onError: onMediaError,
      onWithdrawn: (name, error) => {
        onWithdrawn(name, error)
        this.catalog.publish()
      },
      onCaptureFailed: (error) => onCaptureFailed(kind === 'screen' ? 'screen' : 'camera', error),
    })
    this.applyCodec(picture)
    return picture
  }

  /** @param further of several tracks of a kind, which one: 0 is the first */
  private encryptedTrack(
    name: string,
    kind: keyof typeof TRACK_PRIORITY,
    options: TrackDetails,
    further = 0,
  ): EncryptedTrack {
    return new EncryptedTrack({
      track: trackOf(this.options.namespace, name),
      number: TRACK_NUMBER[kind] + further,
      priority: TRACK_PRIORITY[kind] + further,
      keys: this.options.keys,
      onError: this.options.onBug,
      ...((kind === 'video' || kind === 'screen') && {
        repairs: this.repairSource(TRACK_PRIORITY[kind] + further),
      }),
      ...options,
    })
  }

  private repairSource(priority: number): RepairSource {
    return new RepairSource({ now: () => this.options.clock.now(), priority })
  }

  private contents(): Catalog {
    const { decodes } = this.codec
    return {
      displayName: this.options.displayName,
      ...(decodes && { decodes: [...decodes] }),
      tracks: this.entries(),
    }
  }

  private entries(): CatalogTrack[] {
    const { audio, video, screen, screenAudio } = this
    return [
      ...(audio ? [audioEntry(audio)] : []),
      ...(video?.entries ?? []),
      ...(screen && this.sharing.video ? screen.entries : []),
      ...(screenAudio && this.sharing.audio ? [audioEntry(screenAudio)] : []),
    ]
  }
}

function audioEntry({ name, muted }: LocalAudio): CatalogTrack {
  return { name, role: 'audio', live: true, channelConfig: '1', muted, ...AUDIO_FORMAT }
}

/** The feedback, with so many bits a second of the uplink kept for something else. */
function leaving(feedback: PublisherFeedback, bitrate: number): PublisherFeedback {
  const { estimate } = feedback
  return estimate === null ? feedback : { ...feedback, estimate: Math.max(0, estimate - bitrate) }
}
