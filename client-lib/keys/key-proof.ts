/**
 * Proof that we hold the signature key that our admission token is bound to: what a relay asks for beside
 * the token, so that who read the token in our MLS credential cannot come in with it. A JWT in the shape
 * of DPoP (RFC 9449), see `moq/wire/token-types.ts`. What is signed begins with the letters `eyJ`, and
 * what MLS signs has `MLS 1.0 ` there (RFC 9420 section 5.1.2): neither passes for the other.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { getCiphersuiteFromName } from 'ts-mls'
import { mlsSuites } from '../../moq/delivery/index.ts'
import { mixedCryptoProvider } from './crypto-provider.ts'
import { base64url, jwkOf } from './fingerprint.ts'
import type { SignatureKeys } from './identity.ts'

export interface KeyProofRequest {
  readonly keys: SignatureKeys
  /** The token that binds these keys. */
  readonly token: string
  /** Of the token. */
  readonly room: string
  /** ms since 1970: a relay takes a proof for a minute about it. */
  readonly now: number
}

const utf8 = new TextEncoder()

/**
 * The compact serialization. Each is good once.
 * @throws KeysError `identity-refused` for a key of no kind that rooms use
 */
export async function proveKey({ keys, token, room, now }: KeyProofRequest): Promise<string> {
  const jwk = jwkOf(keys.publicKey)
  const isEd25519 = jwk.kty === 'OKP'
  const header = { typ: 'dpop+jwt', alg: isEd25519 ? 'EdDSA' : 'ES256', jwk }
  const ath = base64url(sha256(utf8.encode(token)))
  const claims = { jti: crypto.randomUUID(), iat: Math.floor(now / 1000), aud: room, ath }
  const input = `${encoded(header)}.${encoded(claims)}`
  // Suites of the same curve sign alike.
  const suite = getCiphersuiteFromName(mlsSuites[isEd25519 ? 'classical' : 'p256'])
  const { signature } = await mixedCryptoProvider.getCiphersuiteImpl(suite)
  const signed = await signature.sign(keys.signKey, utf8.encode(input))
  return `${input}.${base64url(isEd25519 ? signed : await fixedLength(signed))}`
}

/** MLS has ECDSA signatures in DER, JOSE the two numbers of 32 bytes each (RFC 7518 section 3.4). */
async function fixedLength(der: Uint8Array): Promise<Uint8Array> {
  const { p256 } = await import('@noble/curves/nist.js')
  return p256.Signature.fromBytes(der, 'der').toBytes('compact')
}

function encoded(value: unknown): string {
  return base64url(utf8.encode(JSON.stringify(value)))
}
