/**
 * Error codes of WebTransport (draft-ietf-webtrans-http3, Section 4.4): a stream's application code
 * takes its place in a range of HTTP/3 codes that leaves out the reserved ones (0x1f * N + 0x21).
 */

import type { StreamCodes } from '../stream-codes.ts'

const FIRST = 0x52e4a40fa8db
const LAST = 0x52e5ac983162

/** A stream or datagram came for a session that is not there, and could not wait for it. */
export const BUFFERED_STREAM_REJECTED = 0x3994bd84
/** The session of a stream is over. */
export const SESSION_GONE = 0x170d7b68

/** @param code application code, 0 to 2^32 - 1; larger ones are cut off there */
export function toHttp3Code(code: number): number {
  const within = Math.min(Math.max(code, 0), 0xffff_ffff)
  return FIRST + within + Math.floor(within / 0x1e)
}

/** The application code, or null where the code belongs to HTTP/3 itself. */
export function fromHttp3Code(code: number): number | null {
  if (code < FIRST || code > LAST || (code - 0x21) % 0x1f === 0) return null
  const shifted = code - FIRST
  return shifted - Math.floor(shifted / 0x1f)
}

export const WEBTRANSPORT_CODES: StreamCodes = {
  toWire: toHttp3Code,
  fromWire: (code) => fromHttp3Code(code) ?? 0,
}
