/**
 * What is said to a packet that belongs to no connection: nothing, a Version Negotiation, a Retry, or
 * the start of a connection (RFC 9000, Sections 6, 8.1 and 10.3). Whoever sends noise gets no answer.
 */

import {
  type HostPort,
  type NativeHeader,
  PACKET_INITIAL,
  type QuicheBinding,
} from '../../../moq/transport/quiche/binding.ts'
import {
  CONNECTION_ID_LENGTH,
  type InvariantHeader,
  MIN_INITIAL_LENGTH,
  readInvariants,
} from '../../../moq/transport/quiche/packet.ts'
import type { AddressTokens } from './address-token.ts'

/** A connection to accept. */
export interface Newcomer {
  /** The connection id that is ours. */
  readonly id: Uint8Array
  /** The one that the client sends to until it knows ours. */
  readonly firstId: Uint8Array
  /** The one that it sent to before a Retry, or null. */
  readonly originalId: Uint8Array | null
}

/** A client chooses at least this many bytes for the id that it first sends to. */
const MIN_FIRST_ID = 8

export class Greeter {
  readonly stats = { packetsIgnored: 0, retries: 0, versionNegotiations: 0 }
  #binding: QuicheBinding
  #tokens: AddressTokens
  #validation: 'always' | 'under-load' | 'never'
  #maxHandshakes: number
  #onFull: () => void
  #reply = new Uint8Array(1500)

  /** @param onFull told of a client that is dropped because there are `maxHandshakes` already */
  constructor(
    binding: QuicheBinding,
    tokens: AddressTokens,
    validation: 'always' | 'under-load' | 'never',
    maxHandshakes: number,
    onFull: () => void,
  ) {
    this.#binding = binding
    this.#tokens = tokens
    this.#validation = validation
    this.#maxHandshakes = maxHandshakes
    this.#onFull = onFull
  }

  /**
   * @param handshakes connections that are not a session yet
   * @returns a packet to send back, a connection to accept, or null
   */
  greet(
    packet: Uint8Array,
    from: HostPort,
    handshakes: number,
    newId: () => Uint8Array,
  ): Uint8Array | Newcomer | null {
    // Shorter ones may not start a connection, and would let us amplify what a liar sends.
    const invariants = packet.length < MIN_INITIAL_LENGTH ? null : readInvariants(packet)
    if (invariants === null || invariants.version === 0) return this.#ignore()
    if (!this.#binding.versionIsSupported(invariants.version)) return this.#negotiate(invariants)
    const header = this.#initialHeader(packet)
    if (header === null) return this.#ignore()
    if (handshakes >= this.#maxHandshakes) {
      this.#onFull()
      return this.#ignore()
    }
    const token = header.token
    if (token !== undefined && token !== null && token.length > 0) {
      const originalId = this.#tokens.verify(from, token)
      if (originalId !== null && header.dcid.length === CONNECTION_ID_LENGTH) {
        // The client sends to the id that the Retry gave it, and goes on to do so.
        return { id: header.dcid, firstId: header.dcid, originalId }
      }
    }
    if (this.#mustValidate(handshakes)) return this.#retry(header, from, newId())
    return { id: newId(), firstId: header.dcid, originalId: null }
  }

  #ignore(): null {
    this.stats.packetsIgnored++
    return null
  }

  #initialHeader(packet: Uint8Array): NativeHeader | null {
    try {
      const header = this.#binding.Header.fromSlice(packet, CONNECTION_ID_LENGTH)
      const isInitial = header.ty === PACKET_INITIAL && header.dcid.length >= MIN_FIRST_ID
      return isInitial ? header : null
    } catch {
      return null
    }
  }

  #mustValidate(handshakes: number): boolean {
    if (this.#validation === 'under-load') return handshakes >= this.#maxHandshakes / 4
    return this.#validation === 'always'
  }

  #negotiate(header: InvariantHeader): Uint8Array {
    this.stats.versionNegotiations++
    const length = this.#binding.negotiateVersion(header.scid, header.dcid, this.#reply)
    return this.#reply.slice(0, length)
  }

  #retry(header: NativeHeader, from: HostPort, id: Uint8Array): Uint8Array {
    this.stats.retries++
    const token = this.#tokens.issue(from, header.dcid)
    const { scid, dcid, version } = header
    const length = this.#binding.retry(scid, dcid, id, token, version, this.#reply)
    return this.#reply.slice(0, length)
  }
}
