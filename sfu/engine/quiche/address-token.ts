/**
 * Proof that a client receives what is sent to its address (RFC 9000, Section 8.1.2). The token of a
 * Retry carries the connection id that the client first chose and is bound to address and time by a
 * MAC; the server keeps no state for it.
 */

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { HostPort } from '../../../moq/transport/quiche/binding.ts'

const MAC_LENGTH = 16
const TIME_LENGTH = 6
const HEADER_LENGTH = MAC_LENGTH + TIME_LENGTH

/** A client answers a Retry at once. */
const LIFETIME_MS = 10_000

export class AddressTokens {
  readonly #key: Uint8Array
  readonly #now: () => number

  /**
   * @param key secret of this process, 32 bytes
   * @param now ms; any monotonic clock
   */
  constructor(key: Uint8Array, now: () => number) {
    this.#key = key
    this.#now = now
  }

  /** @param originalId the connection id that the client's first Initial was sent to */
  issue(peer: HostPort, originalId: Uint8Array): Uint8Array {
    const token = Buffer.alloc(HEADER_LENGTH + originalId.length)
    token.writeUIntBE(Math.floor(this.#now()), MAC_LENGTH, TIME_LENGTH)
    token.set(originalId, HEADER_LENGTH)
    token.set(this.#mac(peer, token.subarray(MAC_LENGTH)))
    return token
  }

  /** The connection id that the token was issued for, or null if it is not ours or not fresh. */
  verify(peer: HostPort, token: Uint8Array): Uint8Array | null {
    if (token.length < HEADER_LENGTH || token.length > HEADER_LENGTH + 20) return null
    const bytes = Buffer.from(token)
    const expected = this.#mac(peer, bytes.subarray(MAC_LENGTH))
    if (!timingSafeEqual(bytes.subarray(0, MAC_LENGTH), expected)) return null
    const age = this.#now() - bytes.readUIntBE(MAC_LENGTH, TIME_LENGTH)
    if (age < -1 || age > LIFETIME_MS) return null
    return bytes.subarray(HEADER_LENGTH)
  }

  #mac(peer: HostPort, body: Uint8Array): Uint8Array {
    return createHmac('sha256', this.#key)
      .update(`${peer.host}|${peer.port}|`)
      .update(body)
      .digest()
      .subarray(0, MAC_LENGTH)
  }
}
