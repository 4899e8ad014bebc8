/**
 * The head of a WebTransport capsule in a WebSocket message (draft-ietf-webtrans-http2, section 6;
 * draft-richter-webtransport-websocket): its type, and as many integers as the type asks for.
 */

export interface CapsuleHead {
  readonly type: number
  readonly fields: readonly number[]
  /** Where the rest of the capsule starts. */
  readonly length: number
}

/** Longest capsule but those of streams and datagrams, bytes; the longest is a close with reason. */
const LONGEST_CONTROL = 2_048
const LONGEST_DATAGRAM = 16_384

const DATAGRAM = 0x00
const CLOSE_SESSION = 0x2843
const PADDING = 0x190b4d38
const STREAM = 0x190b4d3b
const STREAM_WITH_FIN = 0x190b4d3c

/** How many integers each type starts with. */
const FIELDS: ReadonlyMap<number, number> = new Map([
  [0x190b4d39, 2], // WT_RESET_STREAM
  [0x190b4d3a, 2], // WT_STOP_SENDING
  [STREAM, 1],
  [STREAM_WITH_FIN, 1],
  [0x190b4d3d, 1], // WT_MAX_DATA
  [0x190b4d3e, 2], // WT_MAX_STREAM_DATA
  [0x190b4d3f, 1], // WT_MAX_STREAMS_BIDI
  [0x190b4d40, 1], // WT_MAX_STREAMS_UNIDI
  [0x190b4d41, 1], // WT_DATA_BLOCKED
  [0x190b4d42, 2], // WT_STREAM_DATA_BLOCKED
  [0x190b4d43, 1], // WT_STREAMS_BLOCKED_UNIDI
  [0x190b4d44, 1], // WT_STREAMS_BLOCKED_BIDI
])

/** Reads a capsule's head, or answers null where it is malformed or too long for its type. */
export function readCapsuleHead(
  byteAt: (index: number) => number,
  length: number,
): CapsuleHead | null {
  let at = 0
  const next = (): number | null => {
    if (at >= length) return null
    const first = byteAt(at)
    const size = 1 << (first >>> 6)
    if (at + size > length) return null
    let value = first & 0x3f
    for (let i = 1; i < size; i++) value = value * 256 + byteAt(at + i)
    at += size
    return value <= Number.MAX_SAFE_INTEGER ? value : null
  }
  const type = next()
  // The parser reads types of up to 30 bits.
  if (type === null || type >= 2 ** 30) return null
  const fields: number[] = []
  for (let count = FIELDS.get(type) ?? 0; count > 0; count--) {
    const field = next()
    if (field === null) return null
    fields.push(field)
  }
  if (type === CLOSE_SESSION && length - at < 4) return null
  return length <= longest(type) ? { type, fields, length: at } : null
}

function longest(type: number): number {
  switch (type) {
    case STREAM:
    case STREAM_WITH_FIN:
    case PADDING:
      return Number.POSITIVE_INFINITY
    case DATAGRAM:
      return LONGEST_DATAGRAM
    default:
      return LONGEST_CONTROL
  }
}
