/**
 * Assembled frames into pictures (WebCodecs `VideoDecoder`). After an error it asks for a key frame and
 * goes on there; when it falls behind, it drops what nothing depends on, and at worst goes to the next
 * key frame.
 */

import type { AssembledFrame } from './assemble.ts'
import { Backoff, MediaError } from './media-error.ts'

export interface VideoTrackDecoderOptions {
  /** WebCodecs codec string, as in the catalog. */
  readonly codec: string
  /** ms, monotonic. */
  readonly now: () => number
  /** The receiver closes the frame. Its timestamp is that of the assembled frame. */
  readonly onFrame: (frame: VideoFrame) => void
  readonly onKeyFrameNeeded: () => void
  readonly onError: (error: MediaError) => void
}

/** Queued frames from which on discardable ones are dropped, and from which on all are. */
const BUSY_QUEUE = 6
const FULL_QUEUE = 30

export class VideoTrackDecoder {
  readonly counters = { framesDecoded: 0, framesDropped: 0, errors: 0 }
  /** When the last picture came out; ms on the clock given. */
  lastFrameAt: number | null = null
  private readonly options: VideoTrackDecoderOptions
  private readonly backoff: Backoff
  private decoder: VideoDecoder | null = null
  private keyNeeded = true
  private config: Uint8Array | undefined
  private closed = false

  constructor(options: VideoTrackDecoderOptions) {
    this.options = options
    this.backoff = new Backoff(options.now)
  }

  decode(frame: AssembledFrame): void {
    if (this.closed) return
    const queued = this.decoder?.decodeQueueSize ?? 0
    if (queued >= FULL_QUEUE && !this.keyNeeded) this.needKeyFrame()
    const busy = queued >= BUSY_QUEUE && frame.discardable
    if (busy || (this.keyNeeded && !frame.key)) {
      this.counters.framesDropped++
      return
    }
    const decoder = this.decoderFor(frame)
    if (decoder === null) {
      // Too soon after a failure for this key frame: another one is needed.
      this.counters.framesDropped++
      this.needKeyFrame()
      return
    }
    this.keyNeeded = false
    try {
      decoder.decode(
        new EncodedVideoChunk({
          type: frame.key ? 'key' : 'delta',
          timestamp: frame.timestamp,
          data: frame.bytes,
        }),
      )
    } catch (error) {
      this.counters.framesDropped++
      this.fail(error)
    }
  }

  /** Has the codec ready before the first frame comes: browsers take a while to find one. */
  prepare(): void {
    if (!this.closed && this.decoder === null && this.backoff.ready) this.createDecoder()
  }

  /** Lets go of the codec, and of what it holds, until a key frame comes; asks for none. */
  rest(): void {
    this.discardDecoder()
    this.keyNeeded = true
  }

  close(): void {
    this.closed = true
    this.discardDecoder()
  }

  /** Key frames may bring a configuration with which the decoder must be set up anew. */
  private decoderFor(frame: AssembledFrame): VideoDecoder | null {
    if (frame.key && frame.config && !sameBytes(frame.config, this.config)) {
      this.config = frame.config
      this.discardDecoder()
    }
    if (this.decoder !== null) return this.decoder
    if (!this.backoff.ready) return null
    return this.createDecoder()
  }

  private createDecoder(): VideoDecoder | null {
    try {
      const decoder = new VideoDecoder({
        output: (picture) => {
          if (this.decoder === decoder) this.take(picture)
          else picture.close()
        },
        error: (error) => {
          if (this.decoder === decoder) this.fail(error)
        },
      })
      this.decoder = decoder
      decoder.configure({
        codec: this.options.codec,
        optimizeForLatency: true,
        ...(this.config ? { description: this.config } : {}),
      })
      return decoder
    } catch (error) {
      this.fail(error)
      return null
    }
  }

  private take(picture: VideoFrame): void {
    this.backoff.worked()
    this.counters.framesDecoded++
    this.lastFrameAt = this.options.now()
    try {
      this.options.onFrame(picture)
    } catch (error) {
      // In the decoder's callback nobody else would catch it.
      picture.close()
      this.fail(error)
    }
  }

  private fail(cause: unknown): void {
    this.counters.errors++
    this.discardDecoder()
    this.options.onError(new MediaError('video-decoder', this.backoff.failed(), cause))
    this.needKeyFrame()
  }

  private needKeyFrame(): void {
    this.keyNeeded = true
    this.options.onKeyFrameNeeded()
  }

  private discardDecoder(): void {
    const decoder = this.decoder
    this.decoder = null
    if (decoder !== null && decoder.state !== 'closed') decoder.close()
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i])
}
