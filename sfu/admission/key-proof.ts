/**
 * Proof that who brings a token holds the key that the token is bound to (`cnf.jkt`): members of a room
 * see each other's tokens in their MLS credentials, and none may enter with another's. The form is that
 * of DPoP (RFC 9449), see `moq/wire/token-types.ts`.
 */

import { createHash, timingSafeEqual } from 'node:crypto'
import { calculateJwkThumbprint, decodeProtectedHeader, EmbeddedJWK, jwtVerify } from 'jose'
import { z } from 'zod'
import { textOf } from '../../moq/wire/names.ts'
import { MAX_KEY_PROOF_BYTES } from '../../moq/wire/token-types.ts'
import { ProofMemory } from './proof-memory.ts'
import { refusal, type TokenRefusal } from './token-refusal.ts'

export interface KeyProofsOptions {
  /** ms since 1970. */
  readonly wallClock: () => number
  /** How far a proof's `iat` may be from now, to either side, ms. */
  readonly windowMs?: number
}

/** What a proof has to fit. */
export interface BoundToken {
  /** Compact serialization. */
  readonly token: Uint8Array
  readonly room: string
  /** `cnf.jkt` */
  readonly thumbprint: string
}

export const DEFAULT_PROOF_WINDOW_MS = 60_000

const ALGORITHMS = ['EdDSA', 'ES256']
const NONE = 'the token is bound to a key, and no proof of that key came with it'
const UNREADABLE = 'the proof of the key is not a DPoP proof'
const claimsSchema = z.object({
  iat: z.number(),
  jti: z.string().min(1).max(128),
  ath: z.string().max(64),
  aud: z.string().max(256),
})

export class KeyProofs {
  readonly #wallClock: () => number
  readonly #windowMs: number
  readonly #memory: ProofMemory

  constructor({ wallClock, windowMs = DEFAULT_PROOF_WINDOW_MS }: KeyProofsOptions) {
    this.#wallClock = wallClock
    this.#windowMs = windowMs
    // A proof of the near future is fresh for twice the window.
    this.#memory = new ProofMemory({ wallClock, forMs: 2 * windowMs })
  }

  /** Null when one of the proofs is good for the token; that one holds never again. */
  async check(bound: BoundToken, proofs: readonly Uint8Array[]): Promise<TokenRefusal | null> {
    let fault = refusal('proof', NONE)
    for (const proof of proofs) {
      const found = await this.#faultOf(proof, bound)
      if (found === null) return null
      fault = found
    }
    return fault
  }

  async #faultOf(proof: Uint8Array, bound: BoundToken): Promise<TokenRefusal | null> {
    const text = proof.length > MAX_KEY_PROOF_BYTES ? null : textOf(proof)
    const thumbprint = text === null ? null : await thumbprintIn(text)
    if (text === null || thumbprint === null) return refusal('proof', UNREADABLE)
    if (!isEqual(thumbprint, bound.thumbprint)) {
      return refusal('proof', 'the proof is of another key than the token is bound to')
    }
    const claims = await claimsIn(text)
    if (claims === null) return refusal('proof', 'the proof of the key is not signed by it')
    const { success, data } = claimsSchema.safeParse(claims)
    if (!success) return refusal('proof', UNREADABLE)
    if (!isEqual(data.ath, hashOf(bound.token))) {
      return refusal('proof', 'the proof of the key is for another token')
    }
    if (data.aud !== bound.room) return refusal('proof', 'the proof of the key is for another room')
    if (Math.abs(data.iat * 1000 - this.#wallClock()) > this.#windowMs) {
      const seconds = Math.round(this.#windowMs / 1000)
      const sentence = `the proof of the key is not of now, within ${seconds} s: is the clock right?`
      return refusal('proof', sentence)
    }
    switch (this.#memory.take(thumbprint, data.jti)) {
      case 'new':
        return null
      case 'known':
        return refusal('proof', 'the proof of the key was used before')
      case 'full':
        return refusal('proof', 'too many proofs of keys came lately', this.#windowMs)
    }
  }
}

/** RFC 7638, of the key in the header; null where there is none, or a private one. */
async function thumbprintIn(proof: string): Promise<string | null> {
  try {
    const { jwk } = decodeProtectedHeader(proof)
    if (jwk === undefined || Object.hasOwn(jwk, 'd') || Object.hasOwn(jwk, 'k')) return null
    return await calculateJwkThumbprint(jwk)
  } catch {
    return null
  }
}

async function claimsIn(proof: string): Promise<unknown> {
  try {
    // The times of a proof are judged above: `exp` and `nbf` are none of its claims.
    const options = { typ: 'dpop+jwt', algorithms: ALGORITHMS, currentDate: new Date(0) }
    return (await jwtVerify(proof, EmbeddedJWK, options)).payload
  } catch {
    return null
  }
}

/** base64url of the SHA-256. */
function hashOf(token: Uint8Array): string {
  return createHash('sha256').update(token).digest('base64url')
}

/** In time that depends on the lengths only. */
function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
