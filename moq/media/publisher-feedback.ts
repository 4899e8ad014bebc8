/**
 * What a relay tells a publisher of its uplink and of what is wanted: the one object of each group of
 * the track `feedback/<participant>`. Only the newest matters.
 *
 *     version (vi64) = 1, arrival rate (vi64), estimate (vi64, 0: none yet), track count (vi64), then each:
 *     name (length, UTF-8), arrival rate (vi64), loss (vi64), jitter (vi64), layers (vi64), flags (8)
 */

import type { Reader } from '../wire/reader.ts'
import type { Writer } from '../wire/writer.ts'
import { MediaFormatError } from './errors.ts'
import { beginRecord, readRecord, readText, readUpTo, rounded, writeText } from './relay-record.ts'

export interface PublisherFeedback {
  /** Payload bits a second that arrive, all tracks together. */
  readonly bitrate: number
  /** What the uplink bears, payload bits a second; null while it is not known. */
  readonly estimate: number | null
  readonly tracks: readonly TrackFeedback[]
}

/** What the relay tells a publisher of one of its tracks. */
export interface TrackFeedback {
  /** Within the participant's namespace. */
  readonly name: string
  /** Payload bits a second that arrive. */
  readonly bitrate: number
  /** Objects that did not come, in thousandths of those sent. */
  readonly lossPermille: number
  /** How much the time on the way varies, ms (RFC 3550 section 6.4.1). */
  readonly jitterMs: number
  /** Temporal layers that somebody takes, from the base up: 0 when nobody watches. */
  readonly layers: number
  /** Somebody waits for a key frame. */
  readonly keyFrameWanted: boolean
}

/** Most tracks that feedback to one publisher tells of. */
export const MAX_FEEDBACK_TRACKS = 64
/** Temporal layers that a frame marking can tell (RFC 9626). */
export const MAX_LAYERS = 8
/** Longest name of a track that is told of, in bytes of UTF-8. */
export const MAX_FEEDBACK_NAME_BYTES = 255
const KEY_FRAME_WANTED = 0x01

/** Numbers are rounded. @throws RangeError for what `decodePublisherFeedback` would refuse */
export function encodePublisherFeedback(feedback: PublisherFeedback): Uint8Array {
  const { bitrate, estimate, tracks } = feedback
  if (tracks.length > MAX_FEEDBACK_TRACKS)
    throw new RangeError(`feedback on ${tracks.length} tracks`)
  const writer = beginRecord().vi64(rounded(bitrate))
  // Zero is kept for "not known": an estimate of nothing is as good as one of a bit.
  writer.vi64(estimate === null ? 0 : Math.max(1, rounded(estimate))).vi64(tracks.length)
  for (const track of tracks) writeTrack(writer, track)
  return writer.finish()
}

/** @throws MediaFormatError for what is no feedback of this version, or breaks a bound */
export function decodePublisherFeedback(bytes: Uint8Array): PublisherFeedback {
  return readRecord('feedback', bytes, (reader) => {
    const bitrate = reader.vi64('arrival rate')
    const estimate = reader.vi64('estimate')
    const tracks: TrackFeedback[] = []
    const names = new Set<string>()
    for (let left = readUpTo(reader, MAX_FEEDBACK_TRACKS, 'track count'); left > 0; left--) {
      const track = readTrack(reader)
      if (names.has(track.name)) throw new MediaFormatError('feedback names a track twice')
      names.add(track.name)
      tracks.push(track)
    }
    return { bitrate, estimate: estimate === 0 ? null : estimate, tracks }
  })
}

function writeTrack(writer: Writer, track: TrackFeedback): void {
  const { name, bitrate, lossPermille, jitterMs, layers, keyFrameWanted } = track
  if (!(layers >= 0 && layers <= MAX_LAYERS)) throw new RangeError(`${layers} layers`)
  writeText(writer, name, MAX_FEEDBACK_NAME_BYTES)
  writer
    .vi64(rounded(bitrate))
    .vi64(Math.min(1000, rounded(lossPermille)))
    .vi64(rounded(jitterMs))
    .vi64(layers)
    .uint8(keyFrameWanted ? KEY_FRAME_WANTED : 0)
}

function readTrack(reader: Reader): TrackFeedback {
  return {
    name: readText(reader, MAX_FEEDBACK_NAME_BYTES, 'track name'),
    bitrate: reader.vi64('arrival rate'),
    lossPermille: readUpTo(reader, 1000, 'loss'),
    jitterMs: reader.vi64('jitter'),
    layers: readUpTo(reader, MAX_LAYERS, 'layers'),
    // Other bits are for versions that add to this one without changing it.
    keyFrameWanted: (reader.uint8() & KEY_FRAME_WANTED) !== 0,
  }
}
