/**
 * Signatures under the key of a member's leaf (SignWithLabel, RFC 9420 section 5.1.2), so that others
 * know who of the group said something. A label is for one use only.
 */

import type { CiphersuiteImpl, ClientState } from 'ts-mls'
import { signWithLabel, verifyWithLabel } from 'ts-mls/crypto/signature.js'

export function signAsLeaf(
  state: ClientState,
  label: string,
  content: Uint8Array,
  suite: CiphersuiteImpl,
): Promise<Uint8Array> {
  return signWithLabel(state.signaturePrivateKey, label, content, suite.signature)
}

/** False also for a key or a signature that is none. */
export async function verifyAsLeaf(
  publicKey: Uint8Array,
  label: string,
  content: Uint8Array,
  signature: Uint8Array,
  suite: CiphersuiteImpl,
): Promise<boolean> {
  try {
    return await verifyWithLabel(publicKey, label, content, signature, suite.signature)
  } catch {
    return false
  }
}
