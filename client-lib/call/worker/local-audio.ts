import { TrackName } from '../../../moq/media/index.ts'
import type { Clock } from '../../../moq/session/index.ts'
import { AudioTrackEncoder } from '../../media/audio-encoder.ts'
import { AUDIO_CODEC, AUDIO_SAMPLE_RATE } from '../../media/codecs.ts'
import { firstGroupAt } from '../../media/first-group.ts'
import type { MediaError } from '../../media/media-error.ts'
import { AudioPacketizer } from '../../media/packetize.ts'
import { readTrack } from '../../media/track-reader.ts'
import type { TrackInfo } from '../types.ts'
import type { EncryptedTrack } from './encrypted-track.ts'

export interface LocalAudioOptions {
  readonly name: string
  readonly track: EncryptedTrack
  readonly clock: Clock
  readonly wallClock: () => number
  readonly onError: (error: MediaError) => void
  /** The device's stream failed, e.g. because it was unplugged. */
  readonly onCaptureFailed: (error: unknown) => void
}

/** Our microphone, or the sound of what we share: samples → Opus → objects on streams, a few frames a group. */
export class LocalAudio {
  readonly name: string
  readonly track: EncryptedTrack
  private readonly clock: Clock
  private readonly encoder: AudioTrackEncoder
  private readonly packetizer: AudioPacketizer
  private reading = new AbortController()
  private readonly onCaptureFailed: (error: unknown) => void
  private lastFrameAt: number | null = null
  muted = false

  constructor(options: LocalAudioOptions) {
    this.name = options.name
    this.track = options.track
    this.clock = options.clock
    this.packetizer = new AudioPacketizer({ firstGroup: firstGroupAt(options.wallClock()) })
    this.onCaptureFailed = options.onCaptureFailed
    this.encoder = new AudioTrackEncoder({
      now: () => options.clock.now(),
      wallClock: options.wallClock,
      onError: options.onError,
      onFrame: (frame) => {
        this.lastFrameAt = this.clock.now()
        this.track.switchKey()
        this.track.send(this.packetizer.packetize(frame))
      },
    })
  }

  /** Reads a captured track to its end; another one takes the place of the one before. */
  capture(samples: ReadableStream<AudioData>): void {
    this.rest()
    this.reading = new AbortController()
    const { signal } = this.reading
    this.encoder.startSource()
    readTrack(samples, (data) => this.encoder.encode(data), signal).catch(this.onCaptureFailed)
  }

  /** Reads no more, until another track is captured. */
  rest(): void {
    this.reading.abort()
  }

  setMuted(muted: boolean): void {
    this.muted = muted
    this.encoder.setMuted(muted)
    if (muted) this.packetizer.startGroup()
  }

  /** The key of a new epoch is taken with the next frame. */
  async renewKey(): Promise<void> {
    await this.track.renewKey()
  }

  info(): TrackInfo {
    const { objects, bytes } = this.track.counters
    return {
      name: this.name,
      kind: this.name === TrackName.SCREEN_AUDIO ? 'screen-audio' : 'audio',
      direction: 'send',
      codec: AUDIO_CODEC,
      rendition: null,
      temporalLayers: null,
      muted: this.muted,
      objects,
      bytes,
      framesDecoded: 0,
      framesDropped: this.encoder.counters.missing,
      decryptFailures: 0,
      lastFrameAgeMs: this.lastFrameAt === null ? null : this.clock.now() - this.lastFrameAt,
      audioLevel: this.encoder.level,
      epoch: this.track.epoch,
    }
  }

  close(): void {
    this.rest()
    this.encoder.close()
    this.track.close()
  }
}

/** For the catalog. */
export const AUDIO_FORMAT = { codec: AUDIO_CODEC, samplerate: AUDIO_SAMPLE_RATE } as const
