/**
 * What one session may do now: the union of the permissions of its valid tokens, given in SETUP or
 * in any later request. A later token renews the right; when a token ends, what it alone allowed
 * ends with it, and with the last one the session.
 */

import type { Clock } from '../../moq/session/index.ts'
import { RequestCode, SessionCode } from '../../moq/wire/codes.ts'
import { formatNamespace } from '../../moq/wire/names.ts'
import { type AuthorizationToken, decodeAuthorizationToken } from '../../moq/wire/parameters.ts'
import type { Property } from '../../moq/wire/properties.ts'
import { TokenType } from '../../moq/wire/token-types.ts'
import { NO_PERMISSIONS, type Permissions, unionOf } from './permissions.ts'
import {
  type RequestRefusal,
  requestRefusal,
  type SessionEnd,
  sessionEnd,
} from './refusal-codes.ts'
import type { TokenRefusal } from './token-refusal.ts'
import { hasRepeats, TokenRegistry, type TokenValue } from './token-registry.ts'
import type { Admission, Presented, TokenVerifier } from './tokens.ts'

export interface SessionAdmissionOptions {
  readonly verifier: Pick<TokenVerifier, 'verify' | 'recheck'>
  readonly clock: Clock
  /** ms since 1970. */
  readonly wallClock: () => number
  readonly limits?: Partial<AdmissionLimits>
  /** Permissions shrank and are not empty: what was allowed must be looked at again. */
  onNarrowed(): void
  /** The session has no right (any more): close it. Nothing follows. */
  onEnded(end: SessionEnd): void
  /** A bug of ours; the session must be closed. */
  onInternalError(error: unknown): void
  /** A request was refused for want of permission. */
  onUnauthorized?(): void
  /** A token that the peer registers does not fit; for metrics. */
  onTokenCacheFull?(): void
  /** It is closed, by whomever; once. */
  onClosed?(): void
}

export interface AdmissionLimits {
  /** Our MAX_AUTH_TOKEN_CACHE_SIZE, bytes. */
  readonly tokenCacheBytes: number
  readonly tokensPerMessage: number
  /** Messages whose tokens are being verified at the same time. */
  readonly pending: number
  /** Valid tokens at the same time. */
  readonly grants: number
  /** Time after SETUP in which a first valid token must come, ms. */
  readonly firstTokenMs: number
}

export const DEFAULT_ADMISSION_LIMITS: AdmissionLimits = {
  tokenCacheBytes: 32 * 1024,
  tokensPerMessage: 4,
  pending: 16,
  grants: 16,
  firstTokenMs: 10_000,
}

/** Setup options (draft-18 section 10.3.1). */
export const SetupOption = { AUTHORIZATION_TOKEN: 0x03, MAX_AUTH_TOKEN_CACHE_SIZE: 0x04 } as const

/** Longest delay that timers bear. */
const MAX_TIMER_MS = 2 ** 31 - 1

export class SessionAdmission {
  readonly #options: SessionAdmissionOptions
  readonly #limits: AdmissionLimits
  readonly #registry: TokenRegistry
  #grants: Admission[] = []
  #permissions: Permissions = NO_PERMISSIONS
  #pending = 0
  #setup: 'waiting' | 'verifying' | 'done' = 'waiting'
  /** Requests that came while the tokens of SETUP were verified. */
  #queue: (() => void)[] = []
  #over = false
  #cancelExpiry: () => void = () => {}
  #cancelDeadline: () => void = () => {}

  constructor(options: SessionAdmissionOptions) {
    this.#options = options
    this.#limits = { ...DEFAULT_ADMISSION_LIMITS, ...options.limits }
    this.#registry = new TokenRegistry(this.#limits.tokenCacheBytes, () =>
      options.onTokenCacheFull?.(),
    )
  }

  /** MAX_AUTH_TOKEN_CACHE_SIZE, for our SETUP. */
  get setupOptions(): Property[] {
    const { tokenCacheBytes } = this.#limits
    return [{ type: SetupOption.MAX_AUTH_TOKEN_CACHE_SIZE, value: tokenCacheBytes }]
  }

  /** Size of the tokens that the peer registered (draft-18 section 10.3.1.3). */
  get tokenCacheBytes(): number {
    return this.#registry.bytes
  }

  get permissions(): Permissions {
    return this.#permissions
  }

  /** Valid tokens, oldest first. */
  get admissions(): readonly Admission[] {
    return this.#grants
  }

  /** When the first of the valid tokens expires, ms since 1970; null without any. */
  get expires(): number | null {
    return this.#grants.length === 0 ? null : Math.min(...this.#grants.map((one) => one.expires))
  }

  /**
   * Takes the tokens of the peer's SETUP. The session goes on if one of them is valid, or if there
   * is none: then a request has to bring one in time.
   * @throws ProtocolError, at once, where the draft ends the session
   */
  onSetup(options: readonly Property[]): void {
    const tokens: AuthorizationToken[] = []
    for (const { type, value } of options) {
      if (Number(type) !== SetupOption.AUTHORIZATION_TOKEN) continue
      if (value instanceof Uint8Array) tokens.push(decodeAuthorizationToken(value))
    }
    const presented = this.#registry.apply(tokens, 'setup')
    const { clock } = this.#options
    this.#cancelDeadline = clock.after(this.#limits.firstTokenMs, () => {
      if (this.#grants.length > 0) return
      this.#end({
        code: SessionCode.UNAUTHORIZED,
        reason: 'no authorization token came in time',
        cause: 'missing',
        wasAdmitted: false,
      })
    })
    const fault = this.#fault(presented)
    if (fault) {
      const { reason } = fault
      const code = SessionCode.MALFORMED_AUTH_TOKEN
      this.#end({ code, reason, cause: 'malformed', wasAdmitted: false })
      return
    }
    this.#setup = 'verifying'
    this.#verify(presented, (refusal) => {
      if (refusal && this.#grants.length === 0) {
        this.#end(sessionEnd(refusal, false))
        return
      }
      this.#setup = 'done'
      const queue = this.#queue
      this.#queue = []
      for (const task of queue) if (!this.#over) task()
    })
  }

  /**
   * Takes the tokens of a request and calls `decide` once with null, to be followed by the check of
   * `permissions`, or with what to refuse the request with: at once when there is nothing to verify,
   * else later, and never after the session's end.
   * @throws ProtocolError, at once, where the draft ends the session
   */
  onRequest(
    tokens: readonly AuthorizationToken[] | undefined,
    decide: (refusal: RequestRefusal | null) => void,
  ): void {
    if (this.#over) return
    const presented = this.#registry.apply(tokens ?? [], 'request')
    const fault = this.#fault(presented)
    if (fault) {
      decide(fault)
      return
    }
    const verify = () =>
      this.#verify(presented, (refusal) => decide(refusal && requestRefusal(refusal)))
    if (this.#setup === 'verifying') this.#queue.push(verify)
    else verify()
  }

  /**
   * How to refuse a request that `permissions` do not cover.
   * @param action what was asked for, e.g. `publish under this namespace`
   */
  unauthorized(action: string): RequestRefusal {
    this.#options.onUnauthorized?.()
    const reason =
      this.#grants.length === 0
        ? 'an authorization token is needed'
        : `the token does not allow to ${action}`
    return { code: RequestCode.UNAUTHORIZED, reason, retryAfterMs: null }
  }

  /** Looks at every grant again: after a change of the issuer's keys or a revocation. */
  recheck(): void {
    if (this.#over) return
    let last: TokenRefusal | null = null
    const kept = this.#grants.filter((admission) => {
      const refusal = this.#options.verifier.recheck(admission)
      if (refusal) last = refusal
      return refusal === null
    })
    const narrowed = kept.length < this.#grants.length
    this.#setGrants(kept)
    if (!narrowed || last === null) return
    if (kept.length === 0) this.#end(sessionEnd(last, true))
    else this.#options.onNarrowed()
  }

  /** The session is closed; no callback follows. */
  close(): void {
    if (this.#over) return
    this.#over = true
    this.#queue = []
    this.#grants = []
    this.#permissions = NO_PERMISSIONS
    this.#cancelExpiry()
    this.#cancelDeadline()
    this.#options.onClosed?.()
  }

  #fault(presented: readonly TokenValue[]): RequestRefusal | null {
    if (presented.length > this.#limits.tokensPerMessage) {
      const reason = `more than ${this.#limits.tokensPerMessage} tokens in one message`
      return { code: RequestCode.EXCESSIVE_LOAD, reason, retryAfterMs: null }
    }
    if (hasRepeats(presented)) {
      const reason = 'the same token twice in one message'
      return { code: RequestCode.MALFORMED_AUTH_TOKEN, reason, retryAfterMs: null }
    }
    if (presented.length > 0 && this.#pending + this.#queue.length >= this.#limits.pending) {
      const reason = 'too many tokens at the same time'
      return { code: RequestCode.EXCESSIVE_LOAD, reason, retryAfterMs: 1000 }
    }
    return null
  }

  /** Grants what is valid; `done` hears of the first token that is not. */
  #verify(presented: readonly TokenValue[], done: (refusal: TokenRefusal | null) => void): void {
    // Types that we do not know, grease among them, grant nothing and harm nothing (section 14).
    const tokens = presented.filter(({ type }) => type === TokenType.JWT)
    if (tokens.length === 0) {
      done(null)
      return
    }
    this.#pending++
    const proofs = presented.filter(({ type }) => type === TokenType.KEY_PROOF)
    const beside: Presented = {
      proofs: proofs.map(({ value }) => value),
      holds: (admission) => this.#grants.some((one) => isSame(one, admission)),
    }
    const { verifier } = this.#options
    const verdicts = Promise.all(tokens.map(({ value }) => verifier.verify(value, beside)))
    verdicts
      .then((all) => {
        this.#pending--
        if (this.#over) return
        let refusal: TokenRefusal | null = null
        for (const verdict of all) {
          if (verdict.valid) this.#grant(verdict.admission)
          else refusal ??= verdict.refusal
        }
        done(refusal)
      })
      .catch((error: unknown) => {
        if (!this.#over) this.#options.onInternalError(error)
      })
  }

  #grant(admission: Admission): void {
    this.#cancelDeadline()
    const others = this.#grants.filter((one) => !isSame(one, admission))
    // The one that ends first makes room: a renewal must always find some.
    const full = others.length >= this.#limits.grants
    if (full) {
      const first = others.reduce((a, b) => (b.expires < a.expires ? b : a))
      others.splice(others.indexOf(first), 1)
    }
    this.#setGrants([...others, admission])
    if (full) this.#options.onNarrowed()
  }

  #setGrants(grants: Admission[]): void {
    this.#grants = grants
    this.#permissions = unionOf(grants.map((one) => one.permissions))
    this.#cancelExpiry()
    const { expires } = this
    if (expires === null) return
    const { clock, wallClock } = this.#options
    const ms = Math.min(Math.max(1, expires - wallClock()), MAX_TIMER_MS)
    this.#cancelExpiry = clock.after(ms, () => this.recheck())
  }

  #end(end: SessionEnd): void {
    if (this.#over) return
    this.close()
    this.#options.onEnded(end)
  }
}

/** The same right until the same moment: the token was only presented again. */
function isSame(a: Admission, b: Admission): boolean {
  return (
    a.signedBy === b.signedBy &&
    a.expires === b.expires &&
    a.tokenId === b.tokenId &&
    a.confirmationThumbprint === b.confirmationThumbprint &&
    prefixes(a) === prefixes(b)
  )
}

function prefixes({ permissions: { publish, subscribe } }: Admission): string {
  return [publish, subscribe].map((list) => list.map(formatNamespace).join(' ')).join(',')
}
