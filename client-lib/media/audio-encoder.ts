/**
 * A microphone's samples into Opus frames of 20 ms (WebCodecs `AudioEncoder`), with their level.
 *
 * Muted, it sends nothing at all, and what was captured before is discarded. Not muted, it sends every
 * frame: no discontinuous transmission, so that a gap means loss and the traffic does not tell who
 * speaks. Every `AudioData` handed in is closed here.
 */

import { CaptureClock } from './capture-clock.ts'
import { AUDIO_CODEC } from './codecs.ts'
import type { EncodedAudio } from './frames.ts'
import { LevelMeter } from './level.ts'
import { Backoff, MediaError } from './media-error.ts'

export const FRAME_DURATION_US = 20_000
/** More than this is no loss: the capture's time line begins anew. */
const LONGEST_GAP_US = 5_000_000

export interface AudioTrackEncoderOptions {
  /** Bits a second a channel; default 32,000. */
  readonly bitrate?: number
  /** ms, monotonic. */
  readonly now: () => number
  /** ms since the Unix epoch. */
  readonly wallClock: () => number
  readonly onFrame: (frame: EncodedAudio) => void
  readonly onError: (error: MediaError) => void
}

export class AudioTrackEncoder {
  /** `missing`: frames that the capture left out, as far as its timestamps tell. */
  readonly counters = { encoded: 0, missing: 0, errors: 0 }
  /** RMS of the frame last encoded, 0..1; 0 while muted. */
  level = 0
  private readonly options: AudioTrackEncoderOptions
  private clock: CaptureClock
  private readonly backoff: Backoff
  private readonly meter = new LevelMeter()
  private samples = new Float32Array(0)
  private encoder: AudioEncoder | null = null
  private sampleRate = 0
  private channels = 0
  /** Where on the capture's time line the samples should go on, µs; null: anywhere. */
  private nextTimestamp: number | null = null
  private bitrate: number
  private muted = false
  private closed = false

  constructor(options: AudioTrackEncoderOptions) {
    this.options = options
    this.bitrate = options.bitrate ?? 32_000
    this.clock = new CaptureClock(options.wallClock)
    this.backoff = new Backoff(options.now)
  }

  /** Takes samples and closes them. */
  encode(data: AudioData): void {
    try {
      if (!this.closed && !this.muted) this.submit(data)
    } finally {
      data.close()
    }
  }

  /** What comes now is of another device, with times of its own. */
  startSource(): void {
    this.clock = new CaptureClock(this.options.wallClock)
    this.nextTimestamp = null
    this.discardEncoder()
  }

  /** @param bitrate bits a second a channel */
  setBitrate(bitrate: number): void {
    this.bitrate = bitrate
    this.discardEncoder()
  }

  setMuted(muted: boolean): void {
    this.muted = muted
    if (!muted) return
    // The encoder holds samples from before; unmuting must not send them.
    this.discardEncoder()
    this.nextTimestamp = null
    this.meter.take()
    this.level = 0
  }

  close(): void {
    this.closed = true
    this.discardEncoder()
  }

  private submit(data: AudioData): void {
    this.clock.arrived(data.timestamp)
    const encoder = this.encoderFor(data)
    if (encoder === null) return
    try {
      if (this.samples.length < data.numberOfFrames) {
        this.samples = new Float32Array(data.numberOfFrames)
      }
      const samples = this.samples.subarray(0, data.numberOfFrames)
      data.copyTo(samples, { planeIndex: 0, format: 'f32-planar' })
      this.meter.measure(samples)
      encoder.encode(data)
    } catch (error) {
      this.fail(error)
    }
  }

  /**
   * Another device may bring another rate or channel count. And an encoder counts its timestamps from
   * its first sample on, whatever it is given later: where the capture leaves samples out or starts its
   * time line anew (Chromium does when playout starts), only a new encoder follows.
   */
  private encoderFor(data: AudioData): AudioEncoder | null {
    const gap = this.nextTimestamp === null ? 0 : data.timestamp - this.nextTimestamp
    const broken = Math.abs(gap) >= FRAME_DURATION_US
    if (gap > 0 && gap < LONGEST_GAP_US) {
      this.counters.missing += Math.floor(gap / FRAME_DURATION_US)
    }
    this.nextTimestamp = data.timestamp + data.duration
    const changed = this.sampleRate !== data.sampleRate || this.channels !== data.numberOfChannels
    if (broken || changed) this.discardEncoder()
    if (this.encoder !== null) return this.encoder
    if (!this.backoff.ready) return null
    this.sampleRate = data.sampleRate
    this.channels = data.numberOfChannels
    return this.createEncoder()
  }

  private createEncoder(): AudioEncoder | null {
    try {
      const encoder = new AudioEncoder({
        output: (chunk) => {
          if (this.encoder === encoder) this.deliver(chunk)
        },
        error: (error) => {
          if (this.encoder === encoder) this.fail(error)
        },
      })
      this.encoder = encoder
      encoder.configure({
        codec: AUDIO_CODEC,
        sampleRate: this.sampleRate,
        numberOfChannels: this.channels,
        bitrate: this.bitrate * this.channels,
        opus: { frameDuration: FRAME_DURATION_US, usedtx: false },
      })
      return encoder
    } catch (error) {
      this.fail(error)
      return null
    }
  }

  private deliver(chunk: EncodedAudioChunk): void {
    const bytes = new Uint8Array(chunk.byteLength)
    chunk.copyTo(bytes)
    const { rms, dbov, voice } = this.meter.take()
    this.level = rms
    this.backoff.worked()
    this.counters.encoded++
    const timestamp = this.clock.toWallClock(chunk.timestamp)
    this.options.onFrame({ bytes, timestamp, level: dbov, voice })
  }

  private fail(cause: unknown): void {
    this.counters.errors++
    this.discardEncoder()
    this.options.onError(new MediaError('audio-encoder', this.backoff.failed(), cause))
  }

  private discardEncoder(): void {
    const encoder = this.encoder
    this.encoder = null
    if (encoder !== null && encoder.state !== 'closed') encoder.close()
  }
}
