/**
 * All the cryptography of the delivery service: hashes of public data and the check of signatures with
 * public keys. Nothing here can hold a secret.
 */

import { createHash, createPublicKey, verify } from 'node:crypto'
import type { SuiteName } from '../../moq/delivery/index.ts'

export type Digest = (...parts: readonly Uint8Array[]) => Uint8Array

/** SubjectPublicKeyInfo up to the key, by the key's length: Ed25519 (RFC 8410), P-256 (RFC 5480). */
const spkiPrefixes = new Map([
  [32, Buffer.from('302a300506032b6570032100', 'hex')],
  [33, Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex')],
  [65, Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex')],
])
const utf8 = new TextEncoder()

const hashNames = {
  'x-wing': 'sha512',
  classical: 'sha256',
  p256: 'sha256',
} as const satisfies Record<SuiteName, string>
const signatureKinds = {
  'x-wing': 'ed25519',
  classical: 'ed25519',
  p256: 'ec',
} as const satisfies Record<SuiteName, string>

/** The hash function of a suite. */
export function digestOf(suite: SuiteName): Digest {
  const name = hashNames[suite]
  return (...parts) => {
    const hash = createHash(name)
    for (const part of parts) hash.update(part)
    return hash.digest()
  }
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}

/** VerifyWithLabel of RFC 9420 section 5.1.2. */
export function verifyWithLabel(
  suite: SuiteName,
  publicKey: Uint8Array,
  label: string,
  content: Uint8Array,
  signature: Uint8Array,
): boolean {
  const prefix = spkiPrefixes.get(publicKey.length)
  if (prefix === undefined) return false
  const name = utf8.encode(`MLS 1.0 ${label}`)
  const signed = Buffer.concat([lengthOf(name), name, lengthOf(content), content])
  const kind = signatureKinds[suite]
  try {
    const der = Buffer.concat([prefix, publicKey])
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
    if (key.asymmetricKeyType !== kind) return false
    return verify(kind === 'ec' ? 'sha256' : null, signed, key, signature)
  } catch {
    // No point of the curve.
    return false
  }
}

/** Length of a vector, RFC 9420 section 2.1.2. */
export function lengthOf({ length }: Uint8Array): Uint8Array {
  if (length < 0x40) return Uint8Array.of(length)
  if (length < 0x4000) return Uint8Array.of(0x40 | (length >> 8), length)
  return Uint8Array.of(0x80 | (length >> 24), length >> 16, length >> 8, length)
}
