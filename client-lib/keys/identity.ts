/**
 * Who a member is: a basic credential whose identity is the participant id in UTF-8, and an Ed25519
 * signature key. Its fingerprint is the key's JWK thumbprint (RFC 7638, RFC 8037), the value that an
 * admission token binds as `cnf.jkt`.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import {
  type CiphersuiteImpl,
  type Credential,
  defaultLifetime,
  generateKeyPackageWithKey,
  type KeyPackage,
  type PrivateKeyPackage,
} from 'ts-mls'
import { KeysError } from './errors.ts'

/** Raw Ed25519 public key (32 bytes) and private key (32 bytes raw, or PKCS #8). */
export interface SignatureKeys {
  readonly publicKey: Uint8Array
  readonly signKey: Uint8Array
}

export interface Identity {
  readonly publicPackage: KeyPackage
  readonly privatePackage: PrivateKeyPackage
}

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function credentialOf(participantId: string): Credential {
  return { credentialType: 'basic', identity: utf8.encode(participantId) }
}

/** @throws KeysError `identity-refused` for any other kind of credential */
export function participantOf(credential: Credential): string {
  if (credential.credentialType !== 'basic') {
    throw new KeysError('identity-refused', `${credential.credentialType} credential`)
  }
  try {
    return fromUtf8.decode(credential.identity)
  } catch {
    throw new KeysError('identity-refused', 'the identity is not UTF-8')
  }
}

/** base64url without padding, 43 characters. */
export function fingerprint(signaturePublicKey: Uint8Array): string {
  const jwk = `{"crv":"Ed25519","kty":"OKP","x":"${base64url(signaturePublicKey)}"}`
  return base64url(sha256(utf8.encode(jwk)))
}

/** Capabilities name what rooms use and no more: they are sent and hashed with every leaf. */
export async function createIdentity(
  participantId: string,
  suite: CiphersuiteImpl,
  keys: SignatureKeys,
): Promise<Identity> {
  const capabilities = {
    versions: ['mls10' as const],
    ciphersuites: [suite.name],
    extensions: [],
    proposals: [],
    credentials: ['basic' as const],
  }
  const credential = credentialOf(participantId)
  return generateKeyPackageWithKey(credential, capabilities, defaultLifetime, [], keys, suite)
}

function base64url(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
