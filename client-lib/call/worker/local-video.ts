import type { Clock } from '../../../moq/session/index.ts'
import { ResetCode } from '../../../moq/wire/codes.ts'
import { videoCodecString } from '../../media/codecs.ts'
import { firstGroupAt } from '../../media/first-group.ts'
import type { EncodedVideo } from '../../media/frames.ts'
import type { MediaError } from '../../media/media-error.ts'
import { VideoPacketizer } from '../../media/packetize.ts'
import { readTrack } from '../../media/track-reader.ts'
import { VideoTrackEncoder } from '../../media/video-encoder.ts'
import type { VideoSettings } from '../../media/video-settings.ts'
import type { TrackInfo } from '../types.ts'
import type { EncryptedTrack } from './encrypted-track.ts'

export interface LocalVideoOptions {
  readonly name: string
  readonly rendition: number
  readonly settings: VideoSettings
  readonly track: EncryptedTrack
  readonly clock: Clock
  readonly wallClock: () => number
  /** Largest datagram that the transport takes now, bytes. */
  readonly maxDatagramSize: () => number
  readonly onError: (error: MediaError) => void
  /** The device's stream failed, e.g. because it was unplugged. */
  readonly onCaptureFailed: (error: unknown) => void
}

/** Bytes waiting for the uplink from which enhancement layers stop, and from which the group ends. */
const SKIP_ENHANCEMENT_BYTES = 24 * 1024
const GIVE_UP_BYTES = 192 * 1024

/**
 * Our camera: frames → layered video → the base layer on a stream, the rest as datagrams. It encodes
 * only while somebody watches.
 */
export class LocalVideo {
  readonly name: string
  readonly track: EncryptedTrack
  readonly settings: VideoSettings
  muted = false
  private readonly options: LocalVideoOptions
  private readonly encoder: VideoTrackEncoder
  private readonly packetizer: VideoPacketizer
  private readonly ended = new AbortController()
  private lastFrameAt: number | null = null
  private dropped = 0
  /** Nothing may be sent before the next key frame. */
  private needKey = true

  constructor(options: LocalVideoOptions) {
    this.options = options
    this.name = options.name
    this.track = options.track
    this.settings = options.settings
    this.packetizer = new VideoPacketizer({
      temporalLayers: options.settings.temporalLayers,
      firstGroup: firstGroupAt(options.wallClock()),
    })
    this.encoder = new VideoTrackEncoder({
      settings: options.settings,
      now: () => options.clock.now(),
      wallClock: options.wallClock,
      onError: options.onError,
      onFrame: (frame) => this.onFrame(frame),
    })
    this.onDemand(false)
  }

  get codecString(): string {
    const { codec, width, height } = this.settings
    return videoCodecString(codec, width, height)
  }

  /** Reads a captured track to its end. */
  capture(frames: ReadableStream<VideoFrame>): void {
    readTrack(frames, (frame) => this.encoder.encode(frame), this.ended.signal).catch(
      this.options.onCaptureFailed,
    )
  }

  setMuted(muted: boolean): void {
    this.muted = muted
    this.onDemand(this.track.wanted)
  }

  /** Somebody watches, or nobody does. */
  onDemand(wanted: boolean): void {
    const pause = this.muted || !wanted
    this.encoder.setMuted(pause)
    if (!pause) this.encoder.requestKeyFrame()
  }

  requestKeyFrame(): void {
    this.encoder.requestKeyFrame()
  }

  /** Nothing more may go out under the old key: what can be read under the next begins at a key frame. */
  revokeKey(): void {
    this.track.revokeKey()
    this.needKey = true
    this.encoder.requestKeyFrame()
  }

  async renewKey(): Promise<void> {
    await this.track.renewKey()
    this.encoder.requestKeyFrame()
  }

  info(): TrackInfo {
    const { objects, bytes } = this.track.counters
    const { clock, rendition, settings } = this.options
    return {
      name: this.name,
      kind: 'video',
      direction: 'send',
      codec: this.codecString,
      rendition,
      temporalLayers: settings.temporalLayers,
      muted: this.muted,
      objects,
      bytes,
      framesDecoded: 0,
      framesDropped: this.dropped + this.encoder.counters.dropped,
      decryptFailures: 0,
      lastFrameAgeMs: this.lastFrameAt === null ? null : clock.now() - this.lastFrameAt,
      audioLevel: null,
    }
  }

  close(): void {
    this.ended.abort()
    this.encoder.close()
    this.track.close()
  }

  private onFrame(frame: EncodedVideo): void {
    this.lastFrameAt = this.options.clock.now()
    if (frame.key) {
      this.track.switchKey()
      this.needKey = false
    }
    if (this.needKey || !this.bears(frame)) {
      this.dropped++
      this.packetizer.leaveOut(frame)
      return
    }
    const size = this.options.maxDatagramSize()
    for (const plan of this.packetizer.packetize(frame, size)) this.track.send(plan)
  }

  /** Whether the uplink bears this frame; the least needed goes first. */
  private bears(frame: EncodedVideo): boolean {
    const { buffered } = this.track
    if (buffered > GIVE_UP_BYTES) {
      this.track.abandon(0, ResetCode.DELIVERY_TIMEOUT)
      this.needKey = true
      this.encoder.requestKeyFrame()
      return false
    }
    return frame.temporalLayer === 0 || buffered <= SKIP_ENHANCEMENT_BYTES
  }
}
