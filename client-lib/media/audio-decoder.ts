/** Opus frames into samples for the playout worklet (WebCodecs `AudioDecoder`), with their level. */

import { AUDIO_CODEC, AUDIO_SAMPLE_RATE } from './codecs.ts'
import { LevelMeter } from './level.ts'
import { Backoff, MediaError } from './media-error.ts'
import type { PcmChunk } from './pcm.ts'

export interface AudioTrackDecoderOptions {
  /** 1 or 2. */
  readonly channels: number
  /** ms, monotonic. */
  readonly now: () => number
  readonly onSamples: (chunk: PcmChunk) => void
  readonly onError: (error: MediaError) => void
}

/** Undecoded frames beyond this are dropped: 50 are a second of sound. */
const FULL_QUEUE = 50

export class AudioTrackDecoder {
  readonly counters = { framesDecoded: 0, framesDropped: 0, errors: 0 }
  /** RMS of the last samples, 0..1. */
  audioLevel = 0
  /** When the last samples came out; ms on the clock given. */
  lastFrameAt: number | null = null
  private readonly options: AudioTrackDecoderOptions
  private readonly backoff: Backoff
  private readonly meter = new LevelMeter()
  private decoder: AudioDecoder | null = null
  private closed = false

  constructor(options: AudioTrackDecoderOptions) {
    this.options = options
    this.backoff = new Backoff(options.now)
  }

  /** @param timestamp µs, passed through to the samples */
  decode(bytes: Uint8Array, timestamp: number): void {
    if (this.closed) return
    const decoder = this.decoder ?? this.createDecoder()
    if (decoder === null || decoder.decodeQueueSize >= FULL_QUEUE) {
      this.counters.framesDropped++
      return
    }
    try {
      decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp, data: bytes }))
    } catch (error) {
      this.counters.framesDropped++
      this.fail(error)
    }
  }

  close(): void {
    this.closed = true
    this.discardDecoder()
  }

  private createDecoder(): AudioDecoder | null {
    if (!this.backoff.ready) return null
    try {
      const decoder = new AudioDecoder({
        output: (data) => {
          this.take(decoder, data)
        },
        error: (error) => {
          if (this.decoder === decoder) this.fail(error)
        },
      })
      this.decoder = decoder
      decoder.configure({
        codec: AUDIO_CODEC,
        sampleRate: AUDIO_SAMPLE_RATE,
        numberOfChannels: this.options.channels,
      })
      return decoder
    } catch (error) {
      this.fail(error)
      return null
    }
  }

  /** What cannot be read is the decoder's fault: in its callback nobody else would catch it. */
  private take(from: AudioDecoder, data: AudioData): void {
    try {
      if (this.decoder === from) this.deliver(data)
    } catch (error) {
      this.fail(error)
    } finally {
      data.close()
    }
  }

  private deliver(data: AudioData): void {
    const channels: Float32Array<ArrayBuffer>[] = []
    for (let planeIndex = 0; planeIndex < data.numberOfChannels; planeIndex++) {
      const samples = new Float32Array(data.numberOfFrames)
      data.copyTo(samples, { planeIndex, format: 'f32-planar' })
      channels.push(samples)
    }
    const [first] = channels
    if (first === undefined) throw new RangeError('sound without a channel')
    this.meter.measure(first)
    this.audioLevel = this.meter.take().rms
    this.backoff.worked()
    this.counters.framesDecoded++
    this.lastFrameAt = this.options.now()
    this.options.onSamples({ timestamp: data.timestamp, sampleRate: data.sampleRate, channels })
  }

  private fail(cause: unknown): void {
    this.counters.errors++
    this.discardDecoder()
    this.options.onError(new MediaError('audio-decoder', this.backoff.failed(), cause))
  }

  private discardDecoder(): void {
    const decoder = this.decoder
    this.decoder = null
    if (decoder !== null && decoder.state !== 'closed') decoder.close()
  }
}
