/** Frame, stream and setting numbers of HTTP/3 and WebTransport, and how frames are written. */

import { varintLength, varints, writeVarint } from './varint.ts'

/** Frames (RFC 9114, Section 7.2). */
export const FRAME_DATA = 0x00
export const FRAME_HEADERS = 0x01
export const FRAME_SETTINGS = 0x04
/** Frames of HTTP/2 that are forbidden here (RFC 9114, Section 7.2.8). */
export const FRAMES_OF_HTTP2: ReadonlySet<number> = new Set([0x02, 0x06, 0x08, 0x09])

/** Unidirectional streams (RFC 9114, Section 6.2; RFC 9204, Section 4.2). */
export const STREAM_CONTROL = 0x00
export const STREAM_PUSH = 0x01
export const STREAM_QPACK_ENCODER = 0x02
export const STREAM_QPACK_DECODER = 0x03
/** Streams of a WebTransport session (draft-ietf-webtrans-http3, Sections 4.2 and 4.3). */
export const STREAM_WEBTRANSPORT_UNI = 0x54
export const STREAM_WEBTRANSPORT_BIDI = 0x41

/** Settings (RFC 9204, 9220, 9297; draft-ietf-webtrans-http3 in its versions). */
export const SETTING_QPACK_MAX_TABLE_CAPACITY = 0x01
export const SETTING_QPACK_BLOCKED_STREAMS = 0x07
export const SETTING_ENABLE_CONNECT_PROTOCOL = 0x08
export const SETTING_H3_DATAGRAM = 0x33
export const SETTING_ENABLE_WEBTRANSPORT_02 = 0x2b603742
export const SETTING_WEBTRANSPORT_MAX_SESSIONS_07 = 0xc671706a
export const SETTING_WT_MAX_SESSIONS = 0x14e9cd29

/** Type, length and payload as one array: frames and capsules alike. */
export function encodeFrame(type: number, payload: Uint8Array): Uint8Array {
  const header = varintLength(type) + varintLength(payload.length)
  const frame = new Uint8Array(header + payload.length)
  writeVarint(payload.length, frame, writeVarint(type, frame, 0))
  frame.set(payload, header)
  return frame
}

/** What the first bytes of our control stream say: one WebTransport session, no dynamic table. */
export function encodeControlStream(isServer: boolean): Uint8Array {
  const settings = varints(
    ...[SETTING_QPACK_MAX_TABLE_CAPACITY, 0, SETTING_QPACK_BLOCKED_STREAMS, 0],
    ...(isServer ? [SETTING_ENABLE_CONNECT_PROTOCOL, 1] : []),
    ...[SETTING_H3_DATAGRAM, 1, SETTING_ENABLE_WEBTRANSPORT_02, 1],
    ...(isServer ? [SETTING_WEBTRANSPORT_MAX_SESSIONS_07, 1, SETTING_WT_MAX_SESSIONS, 1] : []),
  )
  const frame = encodeFrame(FRAME_SETTINGS, settings)
  const bytes = new Uint8Array(1 + frame.length)
  bytes[0] = STREAM_CONTROL
  bytes.set(frame, 1)
  return bytes
}
