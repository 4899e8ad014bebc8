/** Padding: bytes that mean nothing, to probe a path (draft-18 section 11.5). */

import type { TransportSession } from '../transport/transport.ts'
import { PADDING_DATAGRAM } from '../wire/datagram.ts'
import { vi64Size, writeVi64 } from '../wire/vi64.ts'

/** Type of a unidirectional stream that carries padding. */
export const PADDING_STREAM = 0x132b3e28

/** Behind everything else (section 11.5). */
const PADDING_ORDER = 255
const PIECE_BYTES = 16_384
/** Never changed, so that any number of streams share it. */
const ZEROS = new Uint8Array(PIECE_BYTES)

/** @param bytes of the whole datagram; its type takes four at least */
export function paddingDatagram(bytes: number): Uint8Array {
  const datagram = new Uint8Array(Math.max(bytes, vi64Size(PADDING_DATAGRAM)))
  writeVi64(datagram, 0, PADDING_DATAGRAM)
  return datagram
}

/** @returns false without stream credit */
export function sendPaddingStream(transport: TransportSession, bytes: number): boolean {
  const stream = transport.openUni(PADDING_ORDER)
  if (!stream) return false
  const type = new Uint8Array(vi64Size(PADDING_STREAM))
  writeVi64(type, 0, PADDING_STREAM)
  stream.write(type)
  for (let left = bytes - type.length; left > 0; left -= PIECE_BYTES) {
    stream.write(left < PIECE_BYTES ? ZEROS.subarray(0, left) : ZEROS)
  }
  stream.finish()
  return true
}
