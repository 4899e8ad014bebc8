import { type CatalogTrack, parseTrackName } from '../../../moq/media/index.ts'
import { AudioTrackDecoder } from '../../media/audio-decoder.ts'
import { type AudioObject, AudioSequence } from '../../media/audio-sequence.ts'
import type { PcmChunk } from '../../media/pcm.ts'
import type { TrackInfo } from '../types.ts'
import { ReceivedTrack } from './received-track.ts'
import type { RemoteTrack, RemoteTrackOptions } from './remote-track.ts'

/** Before every picture (draft-18 section 7). */
const PRIORITY = 32

/** Sound of somebody else's: put in order and decoded. */
export class RemoteAudio implements RemoteTrack {
  private entry: CatalogTrack
  private readonly options: RemoteTrackOptions
  private readonly received: ReceivedTrack
  private readonly decoder: AudioTrackDecoder
  private readonly sequence: AudioSequence

  constructor(
    options: RemoteTrackOptions,
    entry: CatalogTrack,
    onSamples: (chunk: PcmChunk) => void,
  ) {
    this.options = options
    this.entry = entry
    const now = () => options.clock.now()
    this.decoder = new AudioTrackDecoder({
      channels: entry.channelConfig === '2' ? 2 : 1,
      now,
      onSamples,
      onError: options.onError,
    })
    this.sequence = new AudioSequence({
      now,
      onFrame: (frame: AudioObject) => this.decoder.decode(frame.payload, frame.timestamp),
    })
    this.received = new ReceivedTrack({
      ...options,
      name: options.nameOf(entry.name),
      parameters: { filter: { kind: 'largest-object' }, subscriberPriority: PRIORITY },
      onPlaintext: ({ group, object }, { timestamp = 0 }, payload) =>
        this.sequence.push({ group, object, timestamp, payload }),
    })
  }

  update([entry]: readonly CatalogTrack[]): boolean {
    if (!entry || entry.codec !== this.entry.codec || this.received.ended) return false
    this.entry = entry
    return true
  }

  keysChanged(): void {
    this.received.keysChanged()
  }

  poll(): void {
    this.sequence.poll()
  }

  arrivals() {
    const { objects, delay } = this.received
    return [{ received: objects, lost: 0, delay }]
  }

  info(): TrackInfo {
    const { entry, received, decoder, sequence } = this
    const { lastFrameAt, counters } = decoder
    const queueMs = received.delay.latestMs
    return {
      name: entry.name,
      kind: parseTrackName(entry.name)?.kind === 'screen-audio' ? 'screen-audio' : 'audio',
      direction: 'receive',
      codec: entry.codec ?? '',
      rendition: null,
      temporalLayers: null,
      muted: entry.muted ?? false,
      objects: received.objects,
      bytes: received.bytes,
      framesDecoded: counters.framesDecoded,
      framesDropped: counters.framesDropped + sequence.counters.late,
      decryptFailures: received.decryptFailures,
      decryptFailuresByReason: { ...received.decryptFailuresByReason },
      lastFrameAgeMs: lastFrameAt === null ? null : this.options.clock.now() - lastFrameAt,
      audioLevel: decoder.audioLevel,
      epoch: received.epoch,
      queueMs: queueMs === null ? null : Math.round(queueMs),
      lost: sequence.counters.missing,
    }
  }

  close(): void {
    this.received.close()
    this.decoder.close()
  }
}
