/**
 * Cryptography for simulations under vitest: right in who can do what, and worth nothing. A private key
 * opens what was sealed to its public key and nothing else does; signatures can be forged.
 */

import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { CryptoProvider, Hpke, PrivateKey, PublicKey } from 'ts-mls'
import { mixedCryptoProvider } from './crypto-provider.ts'

interface FakeKey {
  readonly bytes: Uint8Array
}

const PUBLIC = Uint8Array.of(1)
const TAG_BYTES = 16

/** @param random uniform in [0, 1) */
export function cheapCrypto(random: () => number): CryptoProvider {
  const randomBytes = (length: number) => Uint8Array.from({ length }, () => random() * 256)
  const hpke = cheapHpke(randomBytes)
  const publicOf = (signKey: Uint8Array) => sha256(signKey)
  return {
    async getCiphersuiteImpl(suite) {
      const { name, hash, kdf } = await mixedCryptoProvider.getCiphersuiteImpl(suite)
      return {
        name,
        hash,
        kdf,
        hpke,
        rng: { randomBytes },
        signature: {
          async sign(signKey, message) {
            return hmac(sha256, publicOf(signKey), message)
          },
          async verify(publicKey, message, signature) {
            const expected = hmac(sha256, publicKey, message)
            return Buffer.compare(expected, signature) === 0
          },
          async keygen() {
            const signKey = randomBytes(32)
            return { signKey, publicKey: publicOf(signKey) }
          },
        },
      }
    },
  }
}

function cheapHpke(randomBytes: (length: number) => Uint8Array): Hpke {
  /** What stands in for a Diffie-Hellman exchange. */
  const privateKeys = new Map<string, Uint8Array>()
  const nameOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')
  const publicOf = (privateKey: Uint8Array) => {
    const publicKey = sha256(Uint8Array.of(...PUBLIC, ...privateKey))
    privateKeys.set(nameOf(publicKey), privateKey.slice())
    return publicKey
  }
  const secretOf = (privateKey: Uint8Array, enc: Uint8Array, info: Uint8Array) =>
    sha256(Uint8Array.of(...privateKey, ...enc, ...sha256(info)))
  const toPublic = (key: PublicKey) => {
    const found = privateKeys.get(nameOf(bytesOf(key)))
    if (found === undefined) throw new Error('no such key')
    return found
  }
  const pair = (privateKey: Uint8Array) => ({
    privateKey: keyFrom<PrivateKey>(privateKey),
    publicKey: keyFrom<PublicKey>(publicOf(privateKey)),
  })
  return {
    keyLength: 16,
    nonceLength: 12,
    async seal(publicKey, plaintext, info) {
      const enc = randomBytes(32)
      const secret = secretOf(toPublic(publicKey), enc, info)
      const tag = hmac(sha256, secret, plaintext).subarray(0, TAG_BYTES)
      return { enc, ct: Uint8Array.of(...masked(secret, plaintext), ...tag) }
    },
    async open(privateKey, enc, ciphertext, info) {
      const secret = secretOf(bytesOf(privateKey), enc, info)
      const plaintext = masked(secret, ciphertext.subarray(0, -TAG_BYTES))
      const tag = hmac(sha256, secret, plaintext).subarray(0, TAG_BYTES)
      if (Buffer.compare(tag, ciphertext.subarray(-TAG_BYTES)) !== 0) throw new Error('cannot open')
      return plaintext
    },
    async exportSecret(publicKey, context, length, info) {
      const enc = randomBytes(32)
      const secret = secretOf(toPublic(publicKey), enc, info)
      return { enc, secret: stretched(secret, context, length) }
    },
    async importSecret(privateKey, context, enc, length, info) {
      return stretched(secretOf(bytesOf(privateKey), enc, info), context, length)
    },
    importPrivateKey: async (bytes) => keyFrom<PrivateKey>(bytes),
    importPublicKey: async (bytes) => keyFrom<PublicKey>(bytes),
    exportPublicKey: async (key) => bytesOf(key),
    exportPrivateKey: async (key) => bytesOf(key),
    encryptAead: async (key, nonce, _aad, plaintext) =>
      masked(sha256(joined(key, nonce)), plaintext),
    decryptAead: async (key, nonce, _aad, ciphertext) =>
      masked(sha256(joined(key, nonce)), ciphertext),
    deriveKeyPair: async (seed) => pair(sha256(seed)),
    generateKeyPair: async () => pair(randomBytes(32)),
  }
}

const joined = (a: Uint8Array, b: Uint8Array) => Uint8Array.of(...a, ...b)

function masked(secret: Uint8Array, bytes: Uint8Array): Uint8Array {
  const mask = stretched(secret, PUBLIC, bytes.length)
  return bytes.map((byte, i) => byte ^ mask[i]!)
}

function stretched(secret: Uint8Array, context: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length)
  for (let at = 0; at < length; at += 32) {
    const block = hmac(sha256, secret, Uint8Array.of(...context, at / 32))
    out.set(block.subarray(0, length - at), at)
  }
  return out
}

/** ts-mls names WebCrypto keys; here a key is its bytes. */
function keyFrom<T>(bytes: Uint8Array): T {
  return { bytes: bytes.slice() } satisfies FakeKey as unknown as T
}

function bytesOf(key: unknown): Uint8Array {
  return (key as FakeKey).bytes.slice()
}
