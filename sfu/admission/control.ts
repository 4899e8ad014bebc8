/**
 * Admission for the whole relay: the issuer's keys, the revocations, and the rights of every open
 * session, which are looked at again when either changes.
 */

import type { Clock } from '../../moq/session/index.ts'
import { type AdmissionCounters, makeAdmissionCounters } from './counters.ts'
import type { PublicJwk } from './jwks.ts'
import { JwksKeeper, type JwksLocation } from './jwks-keeper.ts'
import { KeyProofs } from './key-proof.ts'
import { Revocations, type Revoked, type RevokedUntil } from './revocation.ts'
import {
  type AdmissionLimits,
  SessionAdmission,
  type SessionAdmissionOptions,
} from './session-admission.ts'
import { TokenVerifier } from './tokens.ts'

/** What the owner of a session is told. */
export type AdmissionEvents = Pick<
  SessionAdmissionOptions,
  'onNarrowed' | 'onEnded' | 'onInternalError'
>

export interface AdmissionControlOptions {
  readonly location: JwksLocation
  readonly clock: Clock
  /** ms since 1970. */
  readonly wallClock: () => number
  /** A sentence for the operator, once each. */
  readonly onProblem: (sentence: string) => void
  /** @param keys how many there are now */
  readonly onKeysChanged?: (keys: number) => void
  readonly counters?: AdmissionCounters
  readonly limits?: Partial<AdmissionLimits>
  /** See `KeyProofsOptions`. */
  readonly proofWindowMs?: number
  /** A token that a peer registers does not fit its cache; for metrics. */
  readonly onTokenCacheFull?: () => void
  readonly fetch?: typeof globalThis.fetch
}

export interface RevocationOutcome {
  /** False: the list is full, and nothing was revoked. */
  readonly revoked: boolean
  /** ms since 1970; null: as long as the relay runs. */
  readonly until: number | null
  /** Sessions that this ended. */
  readonly ended: number
}

export class AdmissionControl {
  readonly #options: AdmissionControlOptions
  readonly #keys: JwksKeeper
  readonly #counters: AdmissionCounters
  readonly #revocations = new Revocations()
  readonly #verifier: Pick<TokenVerifier, 'verify' | 'recheck'>
  readonly #sessions = new Set<SessionAdmission>()

  private constructor(options: AdmissionControlOptions, keys: JwksKeeper) {
    this.#options = options
    this.#keys = keys
    const counters = options.counters ?? makeAdmissionCounters()
    this.#counters = counters
    const revocations = this.#revocations
    const { wallClock, proofWindowMs: windowMs } = options
    const proofs = new KeyProofs({ wallClock, windowMs })
    const verifier = new TokenVerifier({ keys, revocations, proofs, wallClock })
    this.#verifier = {
      verify: async (token, presented) => {
        const verdict = await verifier.verify(token, presented)
        counters.tokens[verdict.valid ? 'valid' : verdict.refusal.code]++
        return verdict
      },
      recheck: (admission) => verifier.recheck(admission),
    }
    keys.onChange(() => {
      options.onKeysChanged?.(keys.keys.length)
      this.#recheck()
    })
    revocations.onRevoked(() => this.#recheck())
  }

  /**
   * Reads the keys and keeps them fresh.
   * @throws JwksError with one line for a person
   */
  static async open(options: AdmissionControlOptions): Promise<AdmissionControl> {
    const { location, clock, onProblem, fetch } = options
    const keys = await JwksKeeper.open({ location, clock, onProblem, ...(fetch && { fetch }) })
    return new AdmissionControl(options, keys)
  }

  /** The right of a new session. It must be closed when the session ends. */
  admit(events: AdmissionEvents): SessionAdmission {
    const { clock, wallClock, limits, onTokenCacheFull } = this.#options
    const session: SessionAdmission = new SessionAdmission({
      verifier: this.#verifier,
      clock,
      wallClock,
      ...(limits && { limits }),
      ...(onTokenCacheFull && { onTokenCacheFull }),
      onNarrowed: () => events.onNarrowed(),
      onEnded: (end) => {
        this.#counters[end.wasAdmitted ? 'ended' : 'refused'][end.cause]++
        events.onEnded(end)
      },
      onInternalError: (error) => events.onInternalError(error),
      onUnauthorized: () => this.#counters.unauthorizedRequests++,
      onClosed: () => this.#sessions.delete(session),
    })
    this.#sessions.add(session)
    return session
  }

  /**
   * Takes a right away, at once and until it would end by itself.
   * @param expires the latest expiry of what is revoked, ms since 1970. Null when it is not known: a
   * token in use is looked up; anything else stays revoked as long as the relay runs.
   */
  revoke(revoked: Revoked, expires: number | null): RevocationOutcome {
    const until = expires ?? this.expiryOf(revoked)
    const before = this.#sessions.size
    const kept = this.#revocations.revoke(
      revoked,
      until ?? Number.POSITIVE_INFINITY,
      this.#options.wallClock(),
    )
    return { revoked: kept, until, ended: before - this.#sessions.size }
  }

  /** The latest expiry of a token in use, ms since 1970; null when it is not known. */
  expiryOf(revoked: Revoked): number | null {
    if (revoked.kind === 'participant') return null
    let latest: number | null = null
    for (const { admissions } of this.#sessions) {
      for (const { tokenId, expires } of admissions) {
        if (tokenId === revoked.tokenId) latest = Math.max(latest ?? 0, expires)
      }
    }
    return latest
  }

  /** Looks for changed keys now (SIGHUP). */
  async reload(): Promise<void> {
    await this.#keys.check()
  }

  /** Tokens registered by all sessions together, bytes (draft-18 section 10.3.1.3). */
  get tokenCacheBytes(): number {
    let bytes = 0
    for (const session of this.#sessions) bytes += session.tokenCacheBytes
    return bytes
  }

  /** The issuer's keys as they may be published: a JWKS (RFC 7517) of public keys. */
  get publicKeys(): { readonly keys: readonly PublicJwk[] } {
    return { keys: this.#keys.keys.map((key) => key.publicJwk) }
  }

  /** Entries in the list of revocations. */
  get revocationCount(): number {
    return this.#revocations.size
  }

  /** What is revoked now. */
  get revocations(): RevokedUntil[] {
    return this.#revocations.list(this.#options.wallClock())
  }

  /** Stops looking for keys. */
  close(): void {
    this.#keys.close()
  }

  #recheck(): void {
    for (const session of [...this.#sessions]) session.recheck()
  }
}
