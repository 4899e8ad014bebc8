/**
 * The name of a signature key: its JWK thumbprint (RFC 7638, RFC 8037), the value that an admission
 * token binds as `cnf.jkt`.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { KeysError } from './errors.ts'

const ED25519_BYTES = 32
/** An uncompressed point, as RFC 9420 section 5.1.1 has it for ECDSA. */
const P256_BYTES = 65
const UNCOMPRESSED = 4

const utf8 = new TextEncoder()

/**
 * base64url without padding, 43 characters.
 * @throws KeysError `identity-refused` for a key of no kind that rooms use
 */
export function fingerprint(signaturePublicKey: Uint8Array): string {
  return base64url(sha256(utf8.encode(JSON.stringify(jwkOf(signaturePublicKey)))))
}

/** A public key as a JWK. */
export interface SignatureJwk {
  readonly crv: string
  readonly kty: string
  readonly x: string
  readonly y?: string
}

/**
 * The required members of a JWK in their order (RFC 7638 section 3.2).
 * @throws KeysError as `fingerprint`
 */
export function jwkOf(key: Uint8Array): SignatureJwk {
  if (key.length === ED25519_BYTES) {
    return { crv: 'Ed25519', kty: 'OKP', x: base64url(key) }
  }
  if (key.length === P256_BYTES && key[0] === UNCOMPRESSED) {
    const x = base64url(key.subarray(1, 33))
    const y = base64url(key.subarray(33))
    return { crv: 'P-256', kty: 'EC', x, y }
  }
  throw new KeysError('identity-refused', `a signature key of ${key.length} bytes`)
}

/** Without padding. */
export function base64url(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
