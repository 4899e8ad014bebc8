/**
 * The facts of an object that gates decide on: read once for all subscribers, plain numbers.
 */

import {
  isFrameStart,
  isIndependent,
  MarkingBit,
  readFrameMarking,
  temporalLayerOf,
} from '../../../moq/media/index.ts'

/** An object as gates see it. */
export interface GatedObject {
  readonly group: number
  readonly object: number
  /** -1 for a datagram. */
  readonly subgroup: number
  /** See `markingOf`. */
  readonly marking: number
  /** Generation of its key phase from `TrackKeys.read`, or `REFUSED`. */
  readonly generation: number
}

/** In a marking: it has no TL0PICIDX, so that frames are told apart by their order alone. */
const NO_BASE_INDEX = 1 << 24
const WHOLE_FRAME = MarkingBit.START | MarkingBit.END | NO_BASE_INDEX

/**
 * The frame marking of a video object as one integer, see `readFrameMarking`. An object without one is
 * a frame of a stream without layers, and the first of a group its key frame.
 * @param object its id
 * @param bytes its properties, unless it is said where in them these stand
 */
export function markingOf(
  bytes: Uint8Array,
  object: number,
  start = 0,
  end = bytes.length,
): number {
  const marking = readFrameMarking(bytes, start, end)
  if (marking >= 0) return marking
  return object === 0 ? WHOLE_FRAME | MarkingBit.INDEPENDENT : WHOLE_FRAME
}

/** Whether a key frame begins with the object. */
export function startsKeyFrame(marking: number): boolean {
  return isIndependent(marking) && isFrameStart(marking) && isBaseLayer(marking)
}

export function isBaseLayer(marking: number): boolean {
  return temporalLayerOf(marking) === 0
}

/** The frame builds on its base frame only (B). */
export function isBaseSync(marking: number): boolean {
  return (marking & MarkingBit.BASE_SYNC) !== 0
}
