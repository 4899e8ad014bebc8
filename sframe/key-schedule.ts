/**
 * From a base key to what encrypts: `sframe_secret`, `sframe_key` and `sframe_salt` (RFC 9605 section
 * 4.4.2) and the nonce (section 4.4.3), and the ratchet of the sender keys scheme (section 5.1).
 */
import { type MaybePromise, whenReady } from './maybe-promise.ts'
import type { AeadKey, CryptoProvider, DerivationSecret } from './providers/provider.ts'
import type { Suite } from './suites.ts'
import { high32, low32, toUInt64, type UInt64, writeUInt64 } from './uint64.ts'

const text = new TextEncoder()
const KEY_LABEL = text.encode('SFrame 1.0 Secret key ')
const SALT_LABEL = text.encode('SFrame 1.0 Secret salt ')
const RATCHET_LABEL = text.encode('SFrame 1.0 Ratchet')

/** "SFrame 1.0 Secret key " || KID (8 bytes) || suite (2 bytes). */
export function keyLabel(kid: UInt64, suite: Suite): Uint8Array {
  return label(KEY_LABEL, kid, suite)
}

/** "SFrame 1.0 Secret salt " || KID (8 bytes) || suite (2 bytes). */
export function saltLabel(kid: UInt64, suite: Suite): Uint8Array {
  return label(SALT_LABEL, kid, suite)
}

function label(prefix: Uint8Array, kid: UInt64, suite: Suite): Uint8Array {
  const out = new Uint8Array(prefix.length + 10)
  out.set(prefix)
  writeUInt64(kid, out, prefix.length, 8)
  writeUInt64(suite.id, out, prefix.length + 8, 2)
  return out
}

/** The key and salt of one KID. */
export class SFrameKey {
  readonly kid: UInt64
  readonly aead: AeadKey
  readonly #salt: Uint8Array

  constructor(kid: UInt64, aead: AeadKey, salt: Uint8Array) {
    this.kid = kid
    this.aead = aead
    this.#salt = salt
  }

  /** Writes salt XOR CTR into the 12 bytes of `nonce` (section 4.4.3). */
  writeNonce(ctr: UInt64, nonce: Uint8Array): void {
    const salt = this.#salt
    for (let index = 0; index < 4; index++) nonce[index] = salt[index] ?? 0
    xorWord(salt, high32(ctr), nonce, 4)
    xorWord(salt, low32(ctr), nonce, 8)
  }

  /** Deletes the key and overwrites the salt. Calls under way end as they would. */
  destroy(): void {
    this.aead.destroy()
    this.#salt.fill(0)
  }
}

function xorWord(salt: Uint8Array, word: number, nonce: Uint8Array, offset: number): void {
  nonce[offset] = (salt[offset] ?? 0) ^ (word >>> 24)
  nonce[offset + 1] = (salt[offset + 1] ?? 0) ^ ((word >>> 16) & 0xff)
  nonce[offset + 2] = (salt[offset + 2] ?? 0) ^ ((word >>> 8) & 0xff)
  nonce[offset + 3] = (salt[offset + 3] ?? 0) ^ (word & 0xff)
}

/**
 * Checks and imports a base key, of any length but none.
 * @throws RangeError for an empty one
 */
export function importBaseKey(
  provider: CryptoProvider,
  suite: Suite,
  baseKey: Uint8Array,
): MaybePromise<DerivationSecret> {
  if (baseKey.length === 0) throw new RangeError('the base key is empty')
  return provider.importSecret(suite, baseKey)
}

/** The key and salt of canonical `kid` under a base key. */
export function deriveKey(
  provider: CryptoProvider,
  suite: Suite,
  secret: DerivationSecret,
  kid: UInt64,
): MaybePromise<SFrameKey> {
  return whenReady(secret.expand(saltLabel(kid, suite), suite.nonceLength), (salt) =>
    whenReady(secret.expand(keyLabel(kid, suite), suite.keyLength), (keyBytes) =>
      whenReady(provider.importKey(suite, keyBytes), (aead) => {
        keyBytes.fill(0)
        return new SFrameKey(kid, aead, salt)
      }),
    ),
  )
}

/**
 * The base key of the next ratchet step, Nh bytes (section 5.1). The caller overwrites the old one.
 * @throws RangeError for an empty base key
 */
export function ratchetBaseKey(
  provider: CryptoProvider,
  suite: Suite,
  baseKey: Uint8Array,
): MaybePromise<Uint8Array> {
  return whenReady(importBaseKey(provider, suite, baseKey), (secret) =>
    whenReady(secret.expand(RATCHET_LABEL, suite.hashLength), (next) => {
      secret.destroy()
      return next
    }),
  )
}

/**
 * The KID of the sender keys scheme: generation << R | step mod 2^R (section 5.1).
 * @param ratchetBits R, 0 to 32
 * @throws RangeError if a value is negative, no integer, or the KID has more than 64 bits
 */
export function senderKeyKid(generation: number, step: number, ratchetBits: number): UInt64 {
  if (!Number.isInteger(ratchetBits) || ratchetBits < 0 || ratchetBits > 32) {
    throw new RangeError(`not a number of ratchet bits: ${ratchetBits}`)
  }
  const lower = BigInt(toUInt64(step)) % (1n << BigInt(ratchetBits))
  return toUInt64((BigInt(toUInt64(generation)) << BigInt(ratchetBits)) | lower)
}
