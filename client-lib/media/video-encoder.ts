/**
 * A camera's or screen's frames into layered video (WebCodecs `VideoEncoder`, which scales each frame to
 * the size it was configured for: https://www.w3.org/TR/webcodecs/#dom-videoencoderconfig-width). Real
 * time first: when the encoder falls behind, input is dropped, never queued. After an error it makes
 * itself anew. Muted, it encodes nothing. Every frame handed in is closed here.
 */

import { CaptureClock } from './capture-clock.ts'
import { FrameTimes } from './frame-times.ts'
import { FramerateLimit } from './framerate-limit.ts'
import type { EncodedVideo } from './frames.ts'
import { Backoff, MediaError } from './media-error.ts'
import { encoderConfig, fitInside, type VideoSettings } from './video-settings.ts'

export interface VideoTrackEncoderOptions {
  readonly settings: VideoSettings
  /** ms, monotonic. */
  readonly now: () => number
  /** ms since the Unix epoch. */
  readonly wallClock: () => number
  readonly onFrame: (frame: EncodedVideo) => void
  readonly onError: (error: MediaError) => void
  /** A key frame at least this often; ms, default 10,000. */
  readonly keyFrameIntervalMs?: number
  /** Requested key frames no more often than this; ms, default 250. */
  readonly keyFrameGapMs?: number
}

export interface VideoEncoderCounters {
  /** Frames handed in while not muted, but for those above the frame rate that was asked for. */
  input: number
  encoded: number
  keyFrames: number
  /** Input dropped because the encoder was behind or being made anew. */
  dropped: number
  errors: number
}

const MAX_QUEUE = 2

export class VideoTrackEncoder {
  readonly counters: VideoEncoderCounters = {
    input: 0,
    encoded: 0,
    keyFrames: 0,
    dropped: 0,
    errors: 0,
  }
  private readonly options: VideoTrackEncoderOptions
  private clock: CaptureClock
  private readonly times = new FrameTimes()
  private readonly backoff: Backoff
  private readonly limit = new FramerateLimit()
  private settings: VideoSettings
  /** Fewer frames than the camera gives; null: all of them. */
  private framerate: number | null = null
  private encoder: VideoEncoder | null = null
  private sourceWidth = 0
  private sourceHeight = 0
  private keyWanted = true
  private keyAt = Number.NEGATIVE_INFINITY
  private muted = false
  private closed = false

  constructor(options: VideoTrackEncoderOptions) {
    this.options = options
    this.settings = options.settings
    this.clock = new CaptureClock(options.wallClock)
    this.backoff = new Backoff(options.now)
  }

  /** Takes a frame and closes it. */
  encode(frame: VideoFrame): void {
    try {
      if (!this.closed && !this.muted) this.submit(frame)
    } finally {
      frame.close()
    }
  }

  /** What comes now is of another device: a picture of its own, with times of its own. */
  startSource(): void {
    this.clock = new CaptureClock(this.options.wallClock)
    this.keyWanted = true
  }

  /**
   * The next frame is a key frame, or, within `keyFrameGapMs` of the last, the first one after it.
   * @param atOnce also within that gap
   */
  requestKeyFrame(atOnce = false): void {
    this.keyWanted = true
    if (atOnce) this.keyAt = Number.NEGATIVE_INFINITY
  }

  /**
   * @param bitrate bits a second
   * @param framerate frames a second; at least what the encoder was made for: all that come
   */
  setRate(bitrate: number, framerate = this.options.settings.framerate): void {
    this.framerate = framerate < this.options.settings.framerate ? framerate : null
    if (bitrate === this.settings.bitrate && framerate === this.settings.framerate) return
    this.configure({ ...this.settings, bitrate, framerate })
  }

  /** Changes anything of the encoding; more than its rates changes with a key frame. */
  configure(settings: VideoSettings): void {
    const { bitrate: _bits, framerate: _frames, ...before } = this.settings
    const { bitrate: _newBits, framerate: _newFrames, ...after } = settings
    this.settings = settings
    if (JSON.stringify(before) !== JSON.stringify(after)) this.keyWanted = true
    this.reconfigure()
  }

  /** Another codec, from the next frame on, which is a key frame. */
  setCodec(codec: VideoSettings['codec'], temporalLayers: VideoSettings['temporalLayers']): void {
    this.configure({ ...this.settings, codec, temporalLayers })
  }

  /** Muted frames are dropped unseen; the picture comes back with a key frame. */
  setMuted(muted: boolean): void {
    if (this.muted && !muted) this.keyWanted = true
    this.muted = muted
  }

  /** Muted, and without an encoder: some machines have only a few. */
  stop(): void {
    this.muted = true
    this.discardEncoder()
  }

  close(): void {
    this.closed = true
    this.discardEncoder()
  }

  private submit(frame: VideoFrame): void {
    const { framerate } = this
    if (framerate !== null && !this.limit.takes(frame.timestamp, framerate)) return
    this.counters.input++
    this.clock.arrived(frame.timestamp)
    this.fitTo(frame)
    const encoder = this.encoder ?? this.createEncoder()
    if (encoder === null || encoder.encodeQueueSize > MAX_QUEUE) {
      this.counters.dropped++
      return
    }
    const keyFrame = this.isKeyDue()
    this.times.add(frame.timestamp, this.clock.toWallClock(frame.timestamp))
    try {
      encoder.encode(frame, { keyFrame })
    } catch (error) {
      this.counters.dropped++
      this.fail(error)
      return
    }
    if (!keyFrame) return
    this.keyWanted = false
    this.keyAt = this.options.now()
  }

  /** The device was turned or changed: another shape. */
  private fitTo(frame: VideoFrame): void {
    const { displayWidth, displayHeight } = frame
    if (displayWidth === this.sourceWidth && displayHeight === this.sourceHeight) return
    this.sourceWidth = displayWidth
    this.sourceHeight = displayHeight
    this.keyWanted = true
    this.reconfigure()
  }

  private reconfigure(): void {
    if (this.encoder === null) return
    try {
      this.encoder.configure(this.config())
    } catch (error) {
      this.fail(error)
    }
  }

  private config(): VideoEncoderConfig {
    const size = fitInside(this.settings, this.sourceWidth, this.sourceHeight)
    return encoderConfig({ ...this.settings, ...size })
  }

  private isKeyDue(): boolean {
    const since = this.options.now() - this.keyAt
    return (
      (this.keyWanted && since >= (this.options.keyFrameGapMs ?? 250)) ||
      since >= (this.options.keyFrameIntervalMs ?? 10_000)
    )
  }

  private createEncoder(): VideoEncoder | null {
    if (!this.backoff.ready) return null
    try {
      const encoder = new VideoEncoder({
        output: (chunk, metadata) => {
          if (this.encoder === encoder) this.deliver(chunk, metadata)
        },
        error: (error) => {
          if (this.encoder === encoder) this.fail(error)
        },
      })
      this.encoder = encoder
      encoder.configure(this.config())
      // A new encoder has no reference frames: its first frame must be a key frame, gap or not.
      this.keyWanted = true
      this.keyAt = Number.NEGATIVE_INFINITY
      return encoder
    } catch (error) {
      this.fail(error)
      return null
    }
  }

  private deliver(chunk: EncodedVideoChunk, metadata?: EncodedVideoChunkMetadata): void {
    const bytes = new Uint8Array(chunk.byteLength)
    chunk.copyTo(bytes)
    const key = chunk.type === 'key'
    this.backoff.worked()
    this.counters.encoded++
    if (key) {
      this.counters.keyFrames++
      this.keyAt = this.options.now()
    }
    this.options.onFrame({
      bytes,
      timestamp: this.times.take(chunk.timestamp) ?? this.clock.toWallClock(chunk.timestamp),
      key,
      temporalLayer: metadata?.svc?.temporalLayerId ?? 0,
      config: copyOf(metadata?.decoderConfig?.description),
    })
  }

  private fail(cause: unknown): void {
    this.counters.errors++
    this.discardEncoder()
    this.options.onError(new MediaError('video-encoder', this.backoff.failed(), cause))
  }

  private discardEncoder(): void {
    const encoder = this.encoder
    this.encoder = null
    if (encoder !== null && encoder.state !== 'closed') encoder.close()
  }
}

function copyOf(source: AllowSharedBufferSource | undefined): Uint8Array | undefined {
  if (source === undefined) return undefined
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice()
    : new Uint8Array(source).slice()
}
