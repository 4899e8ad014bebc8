/**
 * Where a UDP datagram belongs: the part of a QUIC packet header that may be read without keys
 * (RFC 8999), turned into a number that a `Map` looks up cheaply.
 */

/** Length of the connection ids that we choose, bytes. */
export const CONNECTION_ID_LENGTH = 8

/** A client's Initial fills at least this many bytes (RFC 9000, Section 14.1). */
export const MIN_INITIAL_LENGTH = 1200

/** The shortest packet that can carry a connection id of ours and a header-protection sample. */
const MIN_SHORT_LENGTH = 1 + CONNECTION_ID_LENGTH + 16

const KEY_LENGTH = 6

/** What `routeOf` answers for bytes that are no QUIC packet for us. */
export const NO_ROUTE = -1

/**
 * The key of a connection id: its first 48 bits. Ours are random, so keys collide as rarely as ids
 * do; whoever forges one reaches a connection that drops the packet, for lack of its keys.
 */
export function connectionKey(id: Uint8Array, offset = 0): number {
  const high = ((id[offset]! << 16) | (id[offset + 1]! << 8) | id[offset + 2]!) >>> 0
  const low = ((id[offset + 3]! << 16) | (id[offset + 4]! << 8) | id[offset + 5]!) >>> 0
  return high * 0x1000000 + low
}

export function isLongHeader(packet: Uint8Array): boolean {
  return (packet[0]! & 0x80) !== 0
}

/** The key of the packet's destination connection id, or `NO_ROUTE`. */
export function routeOf(packet: Uint8Array): number {
  if (packet.length < MIN_SHORT_LENGTH) return NO_ROUTE
  if (!isLongHeader(packet)) {
    // The fixed bit (RFC 9000, Section 17.3.1) keeps most noise out.
    return (packet[0]! & 0x40) === 0 ? NO_ROUTE : connectionKey(packet, 1)
  }
  const idLength = packet[5]!
  if (idLength < KEY_LENGTH || idLength > 20) return NO_ROUTE
  return connectionKey(packet, 6)
}

export interface InvariantHeader {
  readonly version: number
  readonly dcid: Uint8Array
  readonly scid: Uint8Array
}

/** What every version of QUIC has in its long headers (RFC 8999, Section 5.1), or null. */
export function readInvariants(packet: Uint8Array): InvariantHeader | null {
  if (packet.length < 7 || !isLongHeader(packet)) return null
  const version = new DataView(packet.buffer, packet.byteOffset).getUint32(1)
  const dcidEnd = 6 + packet[5]!
  if (dcidEnd >= packet.length) return null
  const scidEnd = dcidEnd + 1 + packet[dcidEnd]!
  if (scidEnd > packet.length) return null
  return { version, dcid: packet.subarray(6, dcidEnd), scid: packet.subarray(dcidEnd + 1, scidEnd) }
}
