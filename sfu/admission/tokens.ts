/**
 * Admission tokens: JSON Web Tokens (RFC 7519) that an application's own server signs and the relay
 * only checks. Claims: `room`, `sub` (participant id), `exp`; optional `nbf`, `jti`, `publish` and
 * `subscribe` (namespace prefixes beyond the default) and `cnf.jkt` (RFC 7800, RFC 9449: the
 * thumbprint of the participant's end-to-end signature key, which its bearer has to prove to hold). A
 * token is never logged or quoted.
 */

import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import { z } from 'zod'
import { checkId } from '../../moq/media/names.ts'
import { textOf } from '../../moq/wire/names.ts'
import type { Algorithm, VerificationKey } from './jwks.ts'
import type { KeyProofs } from './key-proof.ts'
import { type Permissions, permissionsOf } from './permissions.ts'
import type { Revocable, Revocations } from './revocation.ts'
import { refusal, type TokenRefusal, type TokenRefusalCode } from './token-refusal.ts'

/** Longest token, in bytes. */
export const MAX_TOKEN_BYTES = 8 * 1024

/** What a valid token gives. */
export interface Admission extends Revocable {
  readonly permissions: Permissions
  /** ms since 1970. */
  readonly expires: number
  /** `cnf.jkt`: RFC 7638 thumbprint, base64url. */
  readonly confirmationThumbprint: string | null
  /** Thumbprint of the issuer's key that signed the token. */
  readonly signedBy: string
}

export type TokenVerdict =
  | { readonly valid: true; readonly admission: Admission }
  | { readonly valid: false; readonly refusal: TokenRefusal }

export interface TokenVerifierOptions {
  readonly keys: IssuerKeys
  readonly revocations: Pick<Revocations, 'covers'>
  /** Asked about tokens that are bound to a key. */
  readonly proofs: Pick<KeyProofs, 'check'>
  /** ms since 1970. */
  readonly wallClock: () => number
}

/** What comes with a token that is bound to a key. */
export interface Presented {
  /** Tokens of type `KEY_PROOF` in the same message. */
  readonly proofs: readonly Uint8Array[]
  /** Whether its bearer holds this right already: then it has proved the key before. */
  holds(admission: Admission): boolean
}

const BARE: Presented = { proofs: [], holds: () => false }

/** See `JwksKeeper`. */
export interface IssuerKeys {
  find(algorithm: Algorithm, keyId: string | undefined): Promise<VerificationKey | null>
  holds(thumbprint: string): boolean
}

// Fields and number of fields as in moq/wire/names.ts.
const prefixes = z.array(z.array(z.string().min(1)).max(32)).max(64)
const id = (what: 'room' | 'participant') =>
  z.string().refine((text) => {
    try {
      checkId(what, text)
      return true
    } catch {
      return false
    }
  })
const claimsSchema = z.object({
  room: id('room'),
  sub: id('participant'),
  exp: z.number().positive(),
  jti: z.string().min(1).max(256).optional(),
  publish: prefixes.optional(),
  subscribe: prefixes.optional(),
  cnf: z
    .looseObject({
      jkt: z
        .string()
        .regex(/^[A-Za-z0-9_-]{43}$/)
        .optional(),
    })
    .optional(),
})

export class TokenVerifier {
  readonly #keys: IssuerKeys
  readonly #revocations: Pick<Revocations, 'covers'>
  readonly #proofs: Pick<KeyProofs, 'check'>
  readonly #wallClock: () => number

  constructor(options: TokenVerifierOptions) {
    this.#keys = options.keys
    this.#revocations = options.revocations
    this.#proofs = options.proofs
    this.#wallClock = options.wallClock
  }

  /** @param token the compact serialization, as it came from the peer */
  async verify(token: Uint8Array, presented: Presented = BARE): Promise<TokenVerdict> {
    const verdict = await this.#verifyBare(token)
    if (!verdict.valid) return verdict
    const { room, confirmationThumbprint: thumbprint } = verdict.admission
    if (thumbprint === null || presented.holds(verdict.admission)) return verdict
    const unproved = await this.#proofs.check({ token, room, thumbprint }, presented.proofs)
    // The proof took a while: what was valid may have ended.
    const ended = unproved ?? this.recheck(verdict.admission)
    return ended ? { valid: false, refusal: ended } : verdict
  }

  async #verifyBare(token: Uint8Array): Promise<TokenVerdict> {
    if (token.length > MAX_TOKEN_BYTES) {
      return refused('malformed', `the token is longer than ${MAX_TOKEN_BYTES} bytes`)
    }
    const text = textOf(token)
    const header = text === null ? null : readHeader(text)
    if (text === null || !header) return refused('malformed', 'the token is not a signed JWT')
    if (header.alg !== 'EdDSA' && header.alg !== 'ES256') {
      return refused('malformed', 'the token is not signed with EdDSA or ES256')
    }
    const key = await this.#keys.find(header.alg, header.kid)
    if (!key)
      return refused('unknown-key', 'the token is signed with a key that is not in the JWKS')
    const now = this.#wallClock()
    let payload: JWTPayload
    try {
      const currentDate = new Date(now)
      const options = { algorithms: [header.alg], currentDate, requiredClaims: ['exp'] }
      payload = (await jwtVerify(text, key.key, options)).payload
    } catch (error) {
      return { valid: false, refusal: refusalOf(error, now) }
    }
    return this.#admit(payload, key)
  }

  /** Whether what was admitted still is: by time, by the issuer's keys and by the revocations. */
  recheck(admission: Admission): TokenRefusal | null {
    const now = this.#wallClock()
    if (admission.expires <= now) return refusal('expired', 'the token has expired')
    if (!this.#keys.holds(admission.signedBy)) {
      return refusal('unknown-key', 'the key that signed the token was removed from the JWKS')
    }
    if (this.#revocations.covers(admission, now)) return refusal('revoked', 'the token was revoked')
    return null
  }

  #admit(payload: JWTPayload, key: VerificationKey): TokenVerdict {
    const parsed = claimsSchema.safeParse(payload)
    if (!parsed.success) {
      const claim = parsed.error.issues[0]?.path.join('.') ?? ''
      return refused('claims', `the token's claim ${claim} is missing or not as it must be`)
    }
    const { room, sub, exp, jti, publish, subscribe, cnf } = parsed.data
    const admission: Admission = {
      room,
      participant: sub,
      permissions: permissionsOf(room, sub, { publish, subscribe }),
      expires: exp * 1000,
      tokenId: jti ?? null,
      confirmationThumbprint: cnf?.jkt ?? null,
      signedBy: key.thumbprint,
    }
    // Also catches a key that was removed while the signature was verified.
    const refusal = this.recheck(admission)
    return refusal ? { valid: false, refusal } : { valid: true, admission }
  }
}

function readHeader(token: string): { alg?: string; kid?: string } | null {
  try {
    const { alg, kid } = decodeProtectedHeader(token)
    return kid === undefined || typeof kid === 'string' ? { alg, kid } : null
  } catch {
    return null
  }
}

function refusalOf(error: unknown, now: number): TokenRefusal {
  if (error instanceof errors.JWTExpired) return refusal('expired', 'the token has expired')
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return refusal('bad-signature', "the token's signature is wrong")
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'nbf' && error.reason === 'check_failed') {
      const retryAfterMs = Math.max(0, Number(error.payload.nbf) * 1000 - now)
      return refusal('not-yet', 'the token is not valid yet', retryAfterMs)
    }
    return refusal('claims', `the token's claim ${error.claim} is missing or not as it must be`)
  }
  if (error instanceof errors.JOSEError)
    return refusal('malformed', 'the token is not a signed JWT')
  throw error
}

function refused(code: TokenRefusalCode, sentence: string): TokenVerdict {
  return { valid: false, refusal: refusal(code, sentence) }
}
