/** Key pairs, key sets and tokens: for trying the relay out, for tests, and as a model for an issuer. */

import { createHash, randomUUID } from 'node:crypto'
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  SignJWT,
} from 'jose'
import type { Algorithm } from './jwks.ts'
import type { PermissionLists } from './permissions.ts'

export interface SigningKey {
  readonly algorithm: Algorithm
  readonly keyId: string
  /** Secret: whoever has it can admit anybody. */
  readonly privateJwk: JWK
  readonly publicJwk: JWK
}

/** What a proof of a key says (RFC 9449 section 4.2). */
export interface KeyProofClaims {
  /** The token that is bound to the key by `confirmationThumbprint`. */
  readonly token: string
  /** Of the token. */
  readonly room: string
  /** ms since 1970; `iat`. */
  readonly issued: number
  /** `jti`; random unless told. Each holds once. */
  readonly proofId?: string
}

export interface TokenClaims extends PermissionLists {
  readonly room: string
  readonly participant: string
  /** ms since 1970; rounded down to a second. */
  readonly expires: number
  /** ms since 1970; rounded up to a second. */
  readonly notBefore?: number
  /** `jti` */
  readonly tokenId?: string
  /** `cnf.jkt`: see `thumbprintOf`. Who brings the token then has to prove to hold the key. */
  readonly confirmationThumbprint?: string
}

/** @param keyId the key's RFC 7638 thumbprint unless told */
export async function makeSigningKey(
  algorithm: Algorithm = 'EdDSA',
  keyId?: string,
): Promise<SigningKey> {
  const pair = await generateKeyPair(algorithm, { extractable: true })
  const bare = await exportJWK(pair.publicKey)
  const kid = keyId ?? (await calculateJwkThumbprint(bare))
  const named = { kid, alg: algorithm }
  return {
    algorithm,
    keyId: kid,
    privateJwk: { ...(await exportJWK(pair.privateKey)), ...named },
    publicJwk: { ...bare, ...named, use: 'sig' },
  }
}

/** The file that `--auth` takes. */
export function jwksOf(...keys: readonly Pick<SigningKey, 'publicJwk'>[]): { keys: JWK[] } {
  return { keys: keys.map((key) => key.publicJwk) }
}

/** The compact serialization, which goes into an AUTHORIZATION TOKEN of type 0. */
export async function signToken(
  key: Pick<SigningKey, 'algorithm' | 'keyId' | 'privateJwk'>,
  claims: TokenClaims,
): Promise<string> {
  const { room, publish, subscribe, confirmationThumbprint: jkt } = claims
  const token = new SignJWT({ room, publish, subscribe, ...(jkt && { cnf: { jkt } }) })
    .setProtectedHeader({ alg: key.algorithm, kid: key.keyId, typ: 'JWT' })
    .setSubject(claims.participant)
    .setExpirationTime(Math.floor(claims.expires / 1000))
  if (claims.notBefore !== undefined) token.setNotBefore(Math.ceil(claims.notBefore / 1000))
  if (claims.tokenId !== undefined) token.setJti(claims.tokenId)
  return token.sign(await importJWK(key.privateJwk, key.algorithm))
}

/** RFC 7638, SHA-256: what a token binds as `cnf.jkt`. */
export function thumbprintOf(key: Pick<SigningKey, 'publicJwk'>): Promise<string> {
  return calculateJwkThumbprint(key.publicJwk)
}

/**
 * Proves to hold the key that a token is bound to. The compact serialization goes into an AUTHORIZATION
 * TOKEN of type `TokenType.KEY_PROOF` (`moq/wire/token-types.ts`) in the same message as the token.
 * @param key the participant's own, not the issuer's
 */
export async function signKeyProof(
  key: Pick<SigningKey, 'algorithm' | 'privateJwk' | 'publicJwk'>,
  { token, room, issued, proofId }: KeyProofClaims,
): Promise<string> {
  const { kty, crv, x, y } = key.publicJwk
  const ath = createHash('sha256').update(token).digest('base64url')
  return new SignJWT({ ath, aud: room, jti: proofId ?? randomUUID() })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: key.algorithm, jwk: { kty, crv, x, y } })
    .setIssuedAt(Math.floor(issued / 1000))
    .sign(await importJWK(key.privateJwk, key.algorithm))
}
