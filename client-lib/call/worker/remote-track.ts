import {
  type CatalogTrack,
  decodeMediaProperties,
  type MediaProperties,
  parseTrackName,
} from '../../../moq/media/index.ts'
import type { Clock, Session, Subscription } from '../../../moq/session/index.ts'
import type { FullTrackName } from '../../../moq/wire/names.ts'
import type { MoqObject } from '../../../moq/wire/object.ts'
import type { Parameters } from '../../../moq/wire/parameters.ts'
import { FrameAssembler } from '../../media/assemble.ts'
import { AudioTrackDecoder } from '../../media/audio-decoder.ts'
import { type AudioObject, AudioSequence } from '../../media/audio-sequence.ts'
import type { MediaError } from '../../media/media-error.ts'
import type { PcmChunk } from '../../media/pcm.ts'
import { VideoTrackDecoder } from '../../media/video-decoder.ts'
import type { TrackInfo, TrackKind } from '../types.ts'
import { Decryption } from './decryption.ts'
import type { MediaKeys } from './media-keys.ts'

export interface RemoteTrackOptions {
  readonly session: Session
  readonly participantId: string
  readonly name: FullTrackName
  readonly entry: CatalogTrack
  readonly keys: MediaKeys
  readonly clock: Clock
  readonly onError: (error: MediaError) => void
  /** The receiver closes the picture. */
  readonly onPicture: (frame: VideoFrame) => void
  readonly onSamples: (chunk: PcmChunk) => void
}

/** What differs between sound and picture behind decryption. */
interface Sink {
  readonly kind: TrackKind
  readonly parameters: Parameters
  push(object: MoqObject, media: MediaProperties, payload: Uint8Array): void
  /** Acts on what is due; called often. */
  poll(): void
  close(): void
  figures(): Pick<
    TrackInfo,
    'framesDecoded' | 'framesDropped' | 'audioLevel' | 'rendition' | 'temporalLayers'
  > & { lastFrameAt: number | null }
}

/** Subscriber priorities: sound before picture (draft-18 section 7). */
const AUDIO_PRIORITY = 32
const VIDEO_PRIORITY = 96

/** A track of somebody else's: subscribed to, decrypted, put in order, decoded. */
export class RemoteTrack {
  /** What the participant's newest catalog says of it. */
  entry: CatalogTrack
  private readonly options: RemoteTrackOptions
  private readonly sink: Sink
  private readonly subscription: Subscription
  private readonly decryption: Decryption
  private objects = 0
  private bytes = 0
  private largestGroup = -1
  private over = false

  constructor(options: RemoteTrackOptions) {
    this.options = options
    this.entry = options.entry
    const audio = options.entry.role === 'audio'
    this.sink = audio ? this.audioSink() : this.videoSink()
    this.decryption = new Decryption({
      participantId: options.participantId,
      track: options.name,
      keys: options.keys,
      clock: options.clock,
      onPlaintext: (object, immutable, payload) => this.onPlaintext(object, immutable, payload),
    })
    this.subscription = options.session.subscribe(options.name, this.sink.parameters, {
      onObject: (object) => {
        this.objects++
        this.bytes += object.payloadLength
        this.largestGroup = Math.max(this.largestGroup, object.group)
        this.decryption.push(object)
      },
      onRejected: () => {
        this.over = true
      },
      onDone: () => {
        this.over = true
      },
    })
  }

  /** The publisher refused or ended the track. */
  get ended(): boolean {
    return this.over
  }

  keysChanged(): void {
    this.decryption.retry()
  }

  poll(): void {
    this.sink.poll()
  }

  info(): TrackInfo {
    const { lastFrameAt, ...figures } = this.sink.figures()
    return {
      name: this.entry.name,
      kind: this.sink.kind,
      direction: 'receive',
      codec: this.entry.codec ?? '',
      muted: this.entry.muted ?? false,
      objects: this.objects,
      bytes: this.bytes,
      decryptFailures: this.decryption.failures,
      lastFrameAgeMs: lastFrameAt === null ? null : this.options.clock.now() - lastFrameAt,
      ...figures,
    }
  }

  close(): void {
    this.over = true
    this.subscription.unsubscribe()
    this.decryption.close()
    this.sink.close()
  }

  private onPlaintext(object: MoqObject, immutable: Uint8Array, payload: Uint8Array): void {
    if (this.over) return
    this.sink.push(object, decodeMediaProperties(immutable), payload)
  }

  private requestKeyFrame(): void {
    this.subscription.update({ newGroupRequest: this.largestGroup + 1 })
  }

  private audioSink(): Sink {
    const { clock, entry, onError, onSamples } = this.options
    const decoder = new AudioTrackDecoder({
      channels: entry.channelConfig === '2' ? 2 : 1,
      now: () => clock.now(),
      onSamples,
      onError,
    })
    const sequence = new AudioSequence({
      now: () => clock.now(),
      onFrame: (frame: AudioObject) => decoder.decode(frame.payload, frame.timestamp),
    })
    return {
      kind: parseTrackName(entry.name)?.kind === 'screen-audio' ? 'screen-audio' : 'audio',
      parameters: { filter: { kind: 'largest-object' }, subscriberPriority: AUDIO_PRIORITY },
      push: ({ group, object }, { timestamp = 0 }, payload) =>
        sequence.push({ group, object, timestamp, payload }),
      poll: () => sequence.poll(),
      close: () => decoder.close(),
      figures: () => ({
        framesDecoded: decoder.counters.framesDecoded,
        framesDropped: decoder.counters.framesDropped + sequence.counters.late,
        audioLevel: decoder.audioLevel,
        lastFrameAt: decoder.lastFrameAt,
        rendition: null,
        temporalLayers: null,
      }),
    }
  }

  private videoSink(): Sink {
    const { clock, entry, onError, onPicture } = this.options
    const assembler = new FrameAssembler({
      now: () => clock.now(),
      onFrame: (frame) => decoder.decode(frame),
      onKeyFrameNeeded: () => this.requestKeyFrame(),
    })
    const decoder = new VideoTrackDecoder({
      codec: entry.codec ?? 'vp8',
      now: () => clock.now(),
      onFrame: onPicture,
      onKeyFrameNeeded: () => assembler.requireKeyFrame(),
      onError,
    })
    const name = parseTrackName(entry.name)
    return {
      kind: name?.kind === 'screen' ? 'screen' : 'video',
      // No filter: the relay begins with the newest group where it has it, else asks for a key frame.
      parameters: { subscriberPriority: VIDEO_PRIORITY },
      push: ({ group, object }, media, payload) =>
        assembler.push({ group, object, media, payload }),
      poll: () => assembler.poll(),
      close: () => decoder.close(),
      figures: () => ({
        framesDecoded: decoder.counters.framesDecoded,
        framesDropped: decoder.counters.framesDropped + droppedFrames(assembler),
        audioLevel: null,
        lastFrameAt: decoder.lastFrameAt,
        rendition: name?.rendition ?? null,
        temporalLayers: entry.temporalLayers ?? null,
      }),
    }
  }
}

function droppedFrames({ counters }: FrameAssembler): number {
  const { lost, incomplete, undecodable, overflow } = counters.dropped
  return lost + incomplete + undecodable + overflow
}
