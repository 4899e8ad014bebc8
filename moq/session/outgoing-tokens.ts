import type { AuthorizationToken } from '../wire/parameters.ts'

interface Registered {
  readonly type: number
  readonly value: Uint8Array
  /** The peer answered the request that registered it, so that the alias cannot overtake it. */
  confirmed: boolean
}

/** Bytes that the peer counts for a token beside its value (draft-18 section 10.3.1.3). */
const TOKEN_OVERHEAD = 16

/**
 * Sends authorization tokens to one peer in as few bytes as it allows (draft-18 section 10.2.2): a
 * token is registered with the first request, if the peer's MAX_AUTH_TOKEN_CACHE_SIZE has room for it,
 * and named by its alias once that request is answered. Requests travel on streams of their own, so
 * until then it is sent by value. A peer without a cache, the default, gets every token by value.
 */
export class OutgoingTokens {
  private room: number
  private readonly registered: Registered[] = []

  /** @param cacheSize of the peer's SETUP, see `tokenCacheSize` */
  constructor(cacheSize: number) {
    this.room = cacheSize
  }

  /** The token as the next request carries it. */
  token(type: number, value: Uint8Array): AuthorizationToken {
    const alias = this.find(type, value)
    if (alias >= 0) {
      if (this.registered[alias]!.confirmed) return { kind: 'use-alias', alias }
      return { kind: 'use-value', type, value }
    }
    const size = TOKEN_OVERHEAD + value.length
    if (size > this.room) return { kind: 'use-value', type, value }
    this.room -= size
    this.registered.push({ type, value, confirmed: false })
    return { kind: 'register', alias: this.registered.length - 1, type, value }
  }

  /** The request that registered an alias was answered, whatever the answer. */
  confirm(alias: number): void {
    const registered = this.registered[alias]
    if (registered) registered.confirmed = true
  }

  private find(type: number, value: Uint8Array): number {
    return this.registered.findIndex(
      (token) =>
        token.type === type &&
        token.value.length === value.length &&
        token.value.every((byte, i) => byte === value[i]),
    )
  }
}
