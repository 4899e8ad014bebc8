import {
  type CatalogTrack,
  type PublisherFeedback,
  renditionProperty,
  TrackName,
  videoTrackName,
} from '../../../moq/media/index.ts'
import type { Clock } from '../../../moq/session/index.ts'
import type { Property } from '../../../moq/wire/properties.ts'
import type { ObjectPlan } from '../../media/frames.ts'
import type { MediaError } from '../../media/media-error.ts'
import { limitsOf } from '../../media/renditions.ts'
import { StillRepeater } from '../../media/still-repeater.ts'
import { readTrack } from '../../media/track-reader.ts'
import type { VideoSettings } from '../../media/video-settings.ts'
import type { TrackInfo } from '../types.ts'
import type { EncryptedTrack } from './encrypted-track.ts'
import { LocalRendition } from './local-rendition.ts'
import { LocalUplink } from './local-uplink.ts'

/** What a rendition's track asks of it. */
export interface RenditionTrackEvents {
  onGroupRequested(): void
  onDemand(): void
  onRefused(plan: ObjectPlan): void
}

export interface LocalVideoOptions {
  readonly kind: 'video' | 'screen'
  /** The smallest first; of a screen one. */
  readonly sizes: readonly VideoSettings[]
  /** Bits a second of all renditions together. */
  readonly maxBitrate?: number
  /** Bits a second that the relay is to expect until it has measured; default: what the sizes are worth. */
  readonly usualBitrate?: number
  /** Makes the track of a rendition. */
  readonly trackOf: (
    name: string,
    rendition: number,
    properties: readonly Property[],
    events: RenditionTrackEvents,
  ) => EncryptedTrack
  readonly clock: Clock
  readonly wallClock: () => number
  /** Largest datagram that the transport takes now, bytes. */
  readonly maxDatagramSize: () => number
  readonly onError: (error: MediaError) => void
  /** A rendition could not be encoded here; the others go on. */
  readonly onWithdrawn: (name: string, error: MediaError) => void
  /** The device's stream failed, e.g. because it was unplugged. */
  readonly onCaptureFailed: (error: unknown) => void
}

/** Failures of an encoder in a row, without a frame between, that are not to be mended by another try. */
const MOST_FAILURES = 3

/**
 * Our camera in its renditions, `video/0` the smallest, or our screen: each frame is read once, and given
 * to every rendition that is encoded now. Each is a track of its own, and fails for itself. A screen is
 * captured only when it changes: its last picture is sent again now and then, for whoever came meanwhile.
 */
export class LocalVideo {
  muted = false
  private readonly options: LocalVideoOptions
  private readonly renditions: LocalRendition[]
  private readonly uplink: LocalUplink
  private readonly repeater: StillRepeater | null
  private reading = new AbortController()

  constructor(options: LocalVideoOptions) {
    this.options = options
    const { kind, sizes, maxBitrate, clock } = options
    this.repeater =
      kind === 'screen'
        ? new StillRepeater({ clock, onFrame: (frame) => this.encode(frame) })
        : null
    this.renditions = sizes.map((settings, rendition) => this.makeRendition(rendition, settings))
    this.uplink = new LocalUplink({
      renditions: [...this.renditions],
      clock,
      ...(maxBitrate !== undefined && { maxBitrate }),
    })
  }

  get entries(): CatalogTrack[] {
    return this.renditions.map(({ entry }) => entry)
  }

  track(name: string): EncryptedTrack | undefined {
    return this.renditions.find((rendition) => rendition.name === name)?.track
  }

  /** Reads a captured track to its end; another device's takes the place of the one before. */
  capture(frames: ReadableStream<VideoFrame>): void {
    this.rest()
    this.reading = new AbortController()
    const { signal } = this.reading
    const take = (frame: VideoFrame) =>
      this.repeater ? this.repeater.push(frame) : this.encode(frame)
    for (const rendition of this.renditions) rendition.startSource()
    readTrack(frames, take, signal).catch(this.options.onCaptureFailed)
  }

  /** Somebody has come who is likely to watch in a moment. */
  expectViewer(): void {
    this.renditions[0]?.expectViewer()
  }

  /** Reads no more, until another track is captured. */
  rest(): void {
    this.reading.abort()
    this.repeater?.clear()
  }

  /** Bits a second that the smallest rendition is not to be denied; 0 while nobody watches it. */
  get leastBitrate(): number {
    const smallest = this.renditions[0]
    return smallest?.active ? limitsOf(smallest.name, smallest.settings).minBitrate : 0
  }

  /** Bits a second that are planned now. */
  get plannedBitrate(): number {
    return this.renditions.reduce((sum, rendition) => sum + rendition.plannedBitrate, 0)
  }

  /** @param mostLayers temporal layers that the codec can have here */
  setCodec(codec: VideoSettings['codec'], mostLayers: VideoSettings['temporalLayers']): void {
    for (const rendition of this.renditions) rendition.setCodec(codec, mostLayers)
  }

  setMuted(muted: boolean): void {
    this.muted = muted
    for (const rendition of this.renditions) rendition.setMuted(muted)
  }

  /** What the relay says of our uplink, and of what is wanted. */
  onFeedback(feedback: PublisherFeedback): void {
    this.uplink.onFeedback(feedback)
  }

  /** Nothing more may go out under the old key: what can be read under the next begins at a key frame. */
  revokeKey(): void {
    for (const rendition of this.renditions) rendition.revokeKey()
  }

  async renewKey(): Promise<void> {
    await Promise.all(this.renditions.map((rendition) => rendition.renewKey()))
  }

  infos(): TrackInfo[] {
    return this.renditions.map((rendition) => rendition.info())
  }

  close(): void {
    this.rest()
    this.uplink.close()
    for (const rendition of this.renditions) rendition.close()
  }

  private encode(frame: VideoFrame): void {
    try {
      for (const rendition of this.renditions) {
        if (rendition.active) rendition.encode(frame.clone())
      }
    } finally {
      frame.close()
    }
  }

  private makeRendition(number: number, settings: VideoSettings): LocalRendition {
    const { kind, trackOf, clock, wallClock, maxDatagramSize } = this.options
    const { usualBitrate: bitrate = settings.bitrate } = this.options
    const name = kind === 'screen' ? TrackName.SCREEN : videoTrackName(number)
    const rendition: LocalRendition = new LocalRendition({
      name,
      kind,
      rendition: number,
      settings,
      track: trackOf(name, number, [renditionProperty({ ...settings, bitrate })], {
        onGroupRequested: () => rendition.requestKeyFrame(),
        onDemand: () => {
          rendition.onDemand()
          this.uplink.onDemand()
        },
        onRefused: (plan) => rendition.onRefused(plan),
      }),
      clock,
      wallClock,
      maxDatagramSize,
      onError: (error, failures) => this.onEncoderFailed(rendition, error, failures),
    })
    return rendition
  }

  /** The last rendition is never given up: it is tried again and again. */
  private onEncoderFailed(rendition: LocalRendition, error: MediaError, failures: number): void {
    const { onError, onWithdrawn } = this.options
    if (failures < MOST_FAILURES || this.renditions.length === 1) {
      onError(error)
      return
    }
    this.renditions.splice(this.renditions.indexOf(rendition), 1)
    rendition.withdraw('it cannot be encoded here')
    onWithdrawn(rendition.name, error)
  }
}
