/**
 * The token aliases of one session (draft-18 section 10.2.2): a peer registers a token once and then
 * names it by a number. What breaks the alias rules ends the session.
 */

import { SessionCode } from '../../moq/wire/codes.ts'
import { ProtocolError } from '../../moq/wire/errors.ts'
import { sameBytes } from '../../moq/wire/names.ts'
import type { AuthorizationToken } from '../../moq/wire/parameters.ts'

export interface TokenValue {
  /** "MOQT Auth Token Type"; 0 is what endpoints agree on otherwise, here: a JWT. */
  readonly type: number
  readonly value: Uint8Array
}

/** Section 10.3.1.3. */
const ENTRY_BYTES = 16

export class TokenRegistry {
  readonly #maxBytes: number
  readonly #onFull: () => void
  readonly #byAlias = new Map<number, TokenValue>()
  #bytes = 0

  /**
   * @param maxBytes our MAX_AUTH_TOKEN_CACHE_SIZE; 0 forbids aliases
   * @param onFull a token was not registered, because there is no room
   */
  constructor(maxBytes: number, onFull: () => void = () => {}) {
    this.#maxBytes = maxBytes
    this.#onFull = onFull
  }

  /** Sum of 16 and the length of the value, over the registered tokens. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Does what the tokens of one message say, in order.
   * @param place in a SETUP an overflowing REGISTER only counts as USE_VALUE (section 10.3.1.4)
   * @returns the tokens that the message presents, copied; every REGISTER has taken effect
   * @throws ProtocolError with the session code where the draft ends the session
   */
  apply(tokens: readonly AuthorizationToken[], place: 'setup' | 'request'): TokenValue[] {
    const presented: TokenValue[] = []
    for (const token of tokens) {
      switch (token.kind) {
        case 'use-value':
          presented.push({ type: token.type, value: token.value.slice() })
          break
        case 'register':
          presented.push(this.#register(token, place))
          break
        case 'use-alias':
          if (place === 'setup') throw new ProtocolError('USE_ALIAS in SETUP')
          presented.push(this.#find(token.alias))
          break
        case 'delete':
          if (place === 'setup') throw new ProtocolError('DELETE in SETUP')
          this.#delete(token.alias)
          break
      }
    }
    return presented
  }

  #register(token: AuthorizationToken & { kind: 'register' }, place: 'setup' | 'request') {
    const entry: TokenValue = { type: token.type, value: token.value.slice() }
    if (this.#byAlias.has(token.alias)) {
      throw new ProtocolError(
        `token alias ${token.alias} is in use`,
        SessionCode.DUPLICATE_AUTH_TOKEN_ALIAS,
      )
    }
    const bytes = this.#bytes + sizeOf(entry)
    if (bytes > this.#maxBytes) {
      this.#onFull()
      if (place === 'setup') return entry
      throw new ProtocolError(
        `registered tokens of ${bytes} bytes, at most ${this.#maxBytes}`,
        SessionCode.AUTH_TOKEN_CACHE_OVERFLOW,
      )
    }
    this.#bytes = bytes
    this.#byAlias.set(token.alias, entry)
    return entry
  }

  #delete(alias: number): void {
    this.#bytes -= sizeOf(this.#find(alias))
    this.#byAlias.delete(alias)
  }

  #find(alias: number): TokenValue {
    const entry = this.#byAlias.get(alias)
    if (entry) return entry
    // The draft has this code for sessions only, so a request alone cannot be refused with it.
    throw new ProtocolError(
      `token alias ${alias} is not registered`,
      SessionCode.UNKNOWN_AUTH_TOKEN_ALIAS,
    )
  }
}

/** A message must not present the same token twice (section 10.2.2). */
export function hasRepeats(tokens: readonly TokenValue[]): boolean {
  return tokens.some((token, index) =>
    tokens
      .slice(0, index)
      .some((other) => other.type === token.type && sameBytes(other.value, token.value)),
  )
}

function sizeOf(token: TokenValue): number {
  return ENTRY_BYTES + token.value.length
}
