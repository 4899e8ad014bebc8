/**
 * Who a member is: a basic credential with the participant id and, in a room that admits by token, the
 * token (`moq/delivery/credential.ts`), and a signature key.
 */

import {
  type CiphersuiteImpl,
  type Credential,
  defaultLifetime,
  generateKeyPackageWithKey,
  type KeyPackage,
  type PrivateKeyPackage,
} from 'ts-mls'
import {
  DeliveryFormatError,
  decodeIdentity,
  encodeIdentity,
  type MemberIdentity,
} from '../../moq/delivery/index.ts'
import { KeysError } from './errors.ts'

/**
 * A signature key of the room's suite: raw Ed25519 (32 bytes each; the private key may be PKCS #8), or
 * P-256 (an uncompressed point of 65 bytes, and the 32 bytes of the scalar).
 */
export interface SignatureKeys {
  readonly publicKey: Uint8Array
  readonly signKey: Uint8Array
}

export interface Identity {
  readonly publicPackage: KeyPackage
  readonly privatePackage: PrivateKeyPackage
}

/** @throws KeysError `identity-refused` when no credential can hold it */
export function credentialOf(participant: string, token: string | null = null): Credential {
  return refusing(() => {
    return { credentialType: 'basic', identity: encodeIdentity({ participant, token }) }
  })
}

/** @throws KeysError `identity-refused` for any other kind of credential */
export function identityOf(credential: Credential): MemberIdentity {
  if (credential.credentialType !== 'basic') {
    throw new KeysError('identity-refused', `${credential.credentialType} credential`)
  }
  return refusing(() => decodeIdentity(credential.identity))
}

/** @throws KeysError as `identityOf` */
export function participantOf(credential: Credential): string {
  return identityOf(credential).participant
}

/** Capabilities name what rooms use and no more: they are sent and hashed with every leaf. */
export async function createIdentity(
  credential: Credential,
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
  return generateKeyPackageWithKey(credential, capabilities, defaultLifetime, [], keys, suite)
}

function refusing<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof DeliveryFormatError)) throw error
    throw new KeysError('identity-refused', error.message, error)
  }
}
