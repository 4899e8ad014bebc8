/**
 * A JSON Web Key Set (RFC 7517) as the relay uses it: public keys for EdDSA with Ed25519 and for
 * ES256. Keys of other kinds are passed over, since an issuer may publish them for others.
 */

import { type CryptoKey, calculateJwkThumbprint, importJWK, type JWK } from 'jose'
import { z } from 'zod'

/** The keys cannot be used. The message is one line for a person and names the file or URL. */
export class JwksError extends Error {
  override readonly name = 'JwksError'
}

export type Algorithm = 'EdDSA' | 'ES256'

/** A public key as a JWK, with no other members than these: none of them is secret. */
export interface PublicJwk {
  readonly kty: string
  readonly crv: string
  readonly x: string
  readonly y?: string
  readonly alg: Algorithm
  readonly kid?: string
  readonly use: 'sig'
}

export interface VerificationKey {
  readonly keyId: string | null
  readonly algorithm: Algorithm
  readonly key: CryptoKey
  /** RFC 7638, SHA-256: another key under an old `kid` is another key. */
  readonly thumbprint: string
  readonly publicJwk: PublicJwk
}

export type KeySet = readonly VerificationKey[]

/** Longest JWKS, in bytes. */
export const MAX_JWKS_BYTES = 256 * 1024
const MAX_KEYS = 64

const jwksSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) })

/**
 * @param origin the file or URL, for the message
 * @throws JwksError
 */
export async function parseJwks(text: string, origin: string): Promise<KeySet> {
  const listed = readJwks(text, origin)
  const keys: VerificationKey[] = []
  for (const [index, jwk] of listed.entries()) {
    const key = await importKey(jwk, `${origin}: key ${index + 1}`)
    if (!key) continue
    if (keys.some((other) => other.keyId === key.keyId && other.algorithm === key.algorithm)) {
      const name =
        key.keyId === null ? 'without a kid' : `with the kid ${JSON.stringify(key.keyId)}`
      throw new JwksError(`${origin} holds two keys ${name} for ${key.algorithm}`)
    }
    keys.push(key)
  }
  if (keys.length === 0) {
    throw new JwksError(`${origin} holds no public key for EdDSA (Ed25519) or ES256 (P-256)`)
  }
  return keys
}

/**
 * The key that a token's header names; without a `kid`, the only one for its algorithm. Null where
 * there is none or, without a `kid`, more than one.
 */
export function findKey(
  keys: KeySet,
  algorithm: Algorithm,
  keyId: string | undefined,
): VerificationKey | null {
  const fitting = keys.filter((key) => key.algorithm === algorithm)
  if (keyId !== undefined) return fitting.find((key) => key.keyId === keyId) ?? null
  return fitting.length === 1 ? fitting[0]! : null
}

function readJwks(text: string, origin: string): JWK[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new JwksError(`${origin} is not JSON`)
  }
  const parsed = jwksSchema.safeParse(json)
  if (!parsed.success) {
    throw new JwksError(`${origin} is not a JWKS: it must be {"keys": [{"kty": ...}, ...]}`)
  }
  if (parsed.data.keys.length > MAX_KEYS) {
    throw new JwksError(`${origin} holds ${parsed.data.keys.length} keys, at most ${MAX_KEYS}`)
  }
  return parsed.data.keys
}

/** Null for a key that is not for us. */
async function importKey(jwk: JWK, origin: string): Promise<VerificationKey | null> {
  // A private or shared key here means that everybody who reads the JWKS can make tokens.
  if (jwk.d !== undefined || jwk.k !== undefined) {
    throw new JwksError(`${origin} is secret: a JWKS must hold public keys only`)
  }
  const algorithm = algorithmOf(jwk)
  if (!algorithm) return null
  if (jwk.kid !== undefined && typeof jwk.kid !== 'string') {
    throw new JwksError(`${origin} has a kid that is not a string`)
  }
  try {
    const key = await importJWK(jwk, algorithm)
    if (key instanceof Uint8Array) return null
    const thumbprint = await calculateJwkThumbprint(jwk)
    const publicJwk = publicJwkOf(jwk, algorithm)
    return { keyId: jwk.kid ?? null, algorithm, key, thumbprint, publicJwk }
  } catch {
    throw new JwksError(`${origin} cannot be read as a public key for ${algorithm}`)
  }
}

/** Named one by one: an issuer may have put anything beside them. */
function publicJwkOf({ kty, crv, x, y, kid }: JWK, alg: Algorithm): PublicJwk {
  const point = { kty: kty ?? '', crv: crv ?? '', x: x ?? '', ...(y !== undefined && { y }) }
  return { ...point, alg, ...(kid !== undefined && { kid }), use: 'sig' }
}

function algorithmOf(jwk: JWK): Algorithm | null {
  if (jwk.use !== undefined && jwk.use !== 'sig') return null
  if (Array.isArray(jwk.key_ops) && !jwk.key_ops.includes('verify')) return null
  const algorithm =
    jwk.kty === 'OKP' && jwk.crv === 'Ed25519'
      ? 'EdDSA'
      : jwk.kty === 'EC' && jwk.crv === 'P-256'
        ? 'ES256'
        : null
  return jwk.alg === undefined || jwk.alg === algorithm ? algorithm : null
}
