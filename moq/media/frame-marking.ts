/**
 * Video Frame Marking (RFC 9626), the value of the LOC property 0x09: what a relay needs to know of
 * an encrypted frame. The short form (one byte) is for a stream without layers, the long form (three
 * bytes) adds the layer ids and TL0PICIDX, the running number of base-layer frames modulo 256.
 *
 *      0 1 2 3 4 5 6 7
 *     |S|E|I|D|B| TID |   LID   | TL0PICIDX |
 */

import { MediaFormatError } from './errors.ts'

export interface FrameMarking {
  /** First object of the frame (S); false in a later fragment. */
  readonly start: boolean
  /** Last object of the frame (E). */
  readonly end: boolean
  /** Decodable without any earlier frame (I). */
  readonly independent: boolean
  /** No other frame depends on it (D). */
  readonly discardable: boolean
  /** Null in a stream without layers. */
  readonly layer: LayerMarking | null
}

/** Where a frame stands among the layers of its video (RFC 9626). */
export interface LayerMarking {
  /** TID, 0..7; 0 is the base. */
  readonly temporal: number
  /** LID, 0..255. */
  readonly spatial: number
  /**
   * TL0PICIDX, 0..255: the number of this frame in the base layer, else of the base frame it depends
   * on; null where the sender leaves it out.
   */
  readonly baseIndex: number | null
  /** Depends on the base layer only (B); false in the base layer itself. */
  readonly baseSync: boolean
}

/** Bits of the first byte. */
export const MarkingBit = {
  START: 0x80,
  END: 0x40,
  INDEPENDENT: 0x20,
  DISCARDABLE: 0x10,
  BASE_SYNC: 0x08,
  TEMPORAL: 0x07,
} as const

const MAX_BYTES = 4

/** The value of the property (RFC 9626). */
export function encodeFrameMarking(marking: FrameMarking): Uint8Array {
  const flags =
    (marking.start ? MarkingBit.START : 0) |
    (marking.end ? MarkingBit.END : 0) |
    (marking.independent ? MarkingBit.INDEPENDENT : 0) |
    (marking.discardable ? MarkingBit.DISCARDABLE : 0)
  const layer = marking.layer
  if (layer === null) return Uint8Array.of(flags)
  const first =
    flags | (layer.baseSync ? MarkingBit.BASE_SYNC : 0) | (layer.temporal & MarkingBit.TEMPORAL)
  return layer.baseIndex === null
    ? Uint8Array.of(first, layer.spatial)
    : Uint8Array.of(first, layer.spatial, layer.baseIndex)
}

/** @throws MediaFormatError unless it has 1 to 4 bytes; bytes behind the third are ignored */
export function decodeFrameMarking(bytes: Uint8Array): FrameMarking {
  if (bytes.length === 0 || bytes.length > MAX_BYTES) {
    throw new MediaFormatError(`frame marking of ${bytes.length} bytes`)
  }
  const flags = bytes[0]!
  return {
    start: (flags & MarkingBit.START) !== 0,
    end: (flags & MarkingBit.END) !== 0,
    independent: (flags & MarkingBit.INDEPENDENT) !== 0,
    discardable: (flags & MarkingBit.DISCARDABLE) !== 0,
    layer: decodeLayer(bytes),
  }
}

function decodeLayer(bytes: Uint8Array): LayerMarking | null {
  const flags = bytes[0]!
  const temporal = flags & MarkingBit.TEMPORAL
  const baseSync = (flags & MarkingBit.BASE_SYNC) !== 0
  if (bytes.length === 1 && temporal === 0 && !baseSync) return null
  return { temporal, spatial: bytes[1] ?? 0, baseIndex: bytes[2] ?? null, baseSync }
}
