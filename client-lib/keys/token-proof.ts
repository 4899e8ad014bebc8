/**
 * Proof that a member is who it says, without trust in the relay: the application's server signed a
 * token for the participant id that binds the member's signature key (`cnf.jkt`, RFC 7800, RFC 9449).
 * Every member checks every other's token against the application's public keys.
 */

import { createLocalJWKSet } from 'jose/jwks/local'
import { compactVerify } from 'jose/jws/compact/verify'
import type { Authenticate, IdentityClaim } from './authenticate.ts'

/** A JSON Web Key Set (RFC 7517), public keys only. */
export interface PublicKeySet {
  readonly keys: readonly Readonly<Record<string, unknown>>[]
}

export interface TokenProofOptions {
  readonly room: string
  /** Who signs tokens. As trustworthy as where it comes from: pinned is better than told by a relay. */
  readonly keys: PublicKeySet
  /** ms since 1970. */
  readonly wallClock: () => number
}

/** As the relay takes them. */
const ALGORITHMS = ['EdDSA', 'ES256']
/** Clocks of two computers may differ by this, ms. */
const LEEWAY_MS = 60_000

const fromUtf8 = new TextDecoder('utf-8', { fatal: true })

/** @throws Error when `keys` is no key set */
export function tokenProof({ room, keys, wallClock }: TokenProofOptions): Authenticate {
  const find = createLocalJWKSet({ keys: keys.keys.map((key) => ({ ...key })) as never })
  return async (claim) => {
    if (claim.token === null) return 'there is no token in its credential'
    let claims: Record<string, unknown>
    try {
      const { payload } = await compactVerify(claim.token, find, { algorithms: ALGORITHMS })
      claims = objectOf(JSON.parse(fromUtf8.decode(payload)))
    } catch {
      return 'its token is not signed by the application'
    }
    return fault(claims, claim, room, wallClock())
  }
}

function fault(
  claims: Record<string, unknown>,
  claim: IdentityClaim,
  room: string,
  now: number,
): string | null {
  const { exp, nbf, cnf } = claims
  if (claims.room !== room) return 'its token is for another room'
  if (claims.sub !== claim.participantId) return 'its token is for another participant'
  if (objectOf(cnf).jkt !== claim.fingerprint) return 'its token does not bind its key'
  if (typeof exp !== 'number') return 'its token never ends'
  // Whoever is in may stay when its token ends, or has renewed it towards the relay.
  if (!claim.joining) return null
  if (exp * 1000 <= now - LEEWAY_MS) return 'its token has expired'
  const early = typeof nbf === 'number' && nbf * 1000 > now + LEEWAY_MS
  return early ? 'its token is not valid yet' : null
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
