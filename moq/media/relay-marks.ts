/**
 * The relay's fast path: reads the frame marking, the audio level or the timestamp from the raw bytes of an
 * object's properties without an allocation and without throwing. What is immutable is taken before what is
 * not. Malformed bytes read as absent; whether they end a session is the session's to judge. The bytes are
 * the properties, unless it is said where in them these stand.
 */

import { PropertyType } from '../wire/properties.ts'
import { readVi64, vi64Length } from '../wire/vi64.ts'
import { MarkingBit } from './frame-marking.ts'
import { MediaProperty } from './loc.ts'

/** What the readers return for a property that is not there. */
export const ABSENT = -1

const SHORT = 1 << 24

/**
 * The frame marking as one integer, to be asked by the functions below, or `ABSENT`:
 * first byte | LID << 8 | TL0PICIDX << 16, and bit 24 when there is no TL0PICIDX.
 */
export function readFrameMarking(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const at = locate(bytes, start, end, MediaProperty.VIDEO_FRAME_MARKING)
  if (at === ABSENT) return ABSENT
  const length = integerAt(bytes, at, end)
  const value = at + vi64Length(bytes[at]!)
  if (length < 1 || length > 4) return ABSENT
  const first = bytes[value]!
  if (length === 1) return first | SHORT
  if (length === 2) return first | (bytes[value + 1]! << 8) | SHORT
  return first | (bytes[value + 1]! << 8) | (bytes[value + 2]! << 16)
}

/** The RFC 6464 byte (voice bit, then -dBov in seven bits), or `ABSENT`. */
export function readAudioLevel(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const at = locate(bytes, start, end, MediaProperty.AUDIO_LEVEL)
  if (at === ABSENT) return ABSENT
  const value = integerAt(bytes, at, end)
  return value === ABSENT ? ABSENT : value % 256
}

/** The timestamp, in whatever units the track has (`MediaProperties.timestamp`), or `ABSENT`. */
export function readTimestamp(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const at = locate(bytes, start, end, MediaProperty.TIMESTAMP)
  return at === ABSENT ? ABSENT : integerAt(bytes, at, end)
}

/** The timestamp in µs, of an origin of the publisher's, or `ABSENT`. */
export function readTimestampMicros(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const timestamp = readTimestamp(bytes, start, end)
  if (timestamp === ABSENT) return ABSENT
  const at = locate(bytes, start, end, MediaProperty.TIMESCALE)
  if (at === ABSENT) return timestamp
  const timescale = integerAt(bytes, at, end)
  return timescale > 0 ? (timestamp * 1_000_000) / timescale : ABSENT
}

/** Of what `readFrameMarking` gave: whether this is the first object of its frame. */
export function isFrameStart(marking: number): boolean {
  return (marking & MarkingBit.START) !== 0
}

/** Of what `readFrameMarking` gave: whether this is the last object of its frame. */
export function isFrameEnd(marking: number): boolean {
  return (marking & MarkingBit.END) !== 0
}

/** Of what `readFrameMarking` gave: whether the frame can be decoded without others. */
export function isIndependent(marking: number): boolean {
  return (marking & MarkingBit.INDEPENDENT) !== 0
}

/** Of what `readFrameMarking` gave: whether no other frame needs this one. */
export function isDiscardable(marking: number): boolean {
  return (marking & MarkingBit.DISCARDABLE) !== 0
}

/** Of what `readFrameMarking` gave: the temporal layer, 0..7. */
export function temporalLayerOf(marking: number): number {
  return marking & MarkingBit.TEMPORAL
}

/** TL0PICIDX, or `ABSENT` in the forms without it. */
export function baseIndexOf(marking: number): number {
  return (marking & SHORT) !== 0 ? ABSENT : (marking >>> 16) & 0xff
}

/** Offset of the value (of an odd type: of its length) of a property, whose bytes are all there. */
function locate(bytes: Uint8Array, start: number, end: number, type: number): number {
  const immutable = find(bytes, start, end, PropertyType.IMMUTABLE_PROPERTIES)
  if (immutable !== ABSENT) {
    const length = integerAt(bytes, immutable, end)
    const first = immutable + vi64Length(bytes[immutable]!)
    const inside = find(bytes, first, first + length, type)
    if (inside !== ABSENT) return inside
  }
  return find(bytes, start, end, type)
}

/** Walks Key-Value-Pairs in [offset, end); types ascend, so it stops behind the wanted one. */
function find(source: Uint8Array, offset: number, end: number, wanted: number): number {
  let type = 0
  let at = offset
  while (at < end) {
    const delta = integerAt(source, at, end)
    if (delta === ABSENT) return ABSENT
    type += delta
    if (type > wanted) return ABSENT
    at += vi64Length(source[at]!)
    const value = at
    const integer = integerAt(source, at, end)
    if (integer === ABSENT) {
      // A bigint value of a property that nobody asked for is legal: step over it.
      if (type === wanted || type % 2 === 1 || !isWhole(source, at, end)) return ABSENT
    }
    at += vi64Length(source[at]!)
    if (type % 2 === 1) at += integer
    if (at > end) return ABSENT
    if (type === wanted) return value
  }
  return ABSENT
}

function isWhole(source: Uint8Array, at: number, end: number): boolean {
  return at < end && at + vi64Length(source[at]!) <= end
}

function integerAt(source: Uint8Array, at: number, end: number): number {
  if (!isWhole(source, at, end)) return ABSENT
  const value = readVi64(source, at)
  return typeof value === 'number' ? value : ABSENT
}
