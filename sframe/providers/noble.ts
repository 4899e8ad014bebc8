/**
 * Pure JavaScript, synchronous, everywhere: the fallback where there is no WebCrypto, and the second
 * opinion that the tests hold the others against.
 */
import { ctr, gcm } from '@noble/ciphers/aes.js'
import { expand, extract } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { SFrameError } from '../errors.ts'
import type { CtrHmacSuite, Suite } from '../suites.ts'
import { CtrHmacScratch, tagMatches } from './ctr-hmac.ts'
import type { AeadKey, CryptoProvider, DerivationSecret } from './provider.ts'

/** By `@noble`, in plain JavaScript: where there is neither WebCrypto nor `node:crypto`. */
export const nobleProvider: CryptoProvider = {
  name: 'noble',
  allocate: (length) => new Uint8Array(length),
  importSecret: (suite, baseKey) => new NobleSecret(suite, baseKey),
  importKey: (suite, key) =>
    suite.cipher === 'AES-GCM' ? new NobleGcmKey(key) : new NobleCtrHmacKey(suite, key),
}

function hashOf(suite: Suite): typeof sha256 | typeof sha512 {
  return suite.hash === 'SHA-256' ? sha256 : sha512
}

/** Key bytes that are overwritten when they are deleted. */
class KeyBytes {
  #bytes: Uint8Array | null

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes.slice()
  }

  get(): Uint8Array {
    if (this.#bytes === null) throw new SFrameError('key-deleted')
    return this.#bytes
  }

  destroy(): void {
    this.#bytes?.fill(0)
    this.#bytes = null
  }
}

class NobleSecret implements DerivationSecret {
  readonly #suite: Suite
  readonly #secret: KeyBytes

  constructor(suite: Suite, baseKey: Uint8Array) {
    this.#suite = suite
    const secret = extract(hashOf(suite), baseKey)
    this.#secret = new KeyBytes(secret)
    secret.fill(0)
  }

  expand(label: Uint8Array, length: number): Uint8Array {
    return expand(hashOf(this.#suite), this.#secret.get(), label, length)
  }

  destroy(): void {
    this.#secret.destroy()
  }
}

class NobleGcmKey implements AeadKey {
  readonly #key: KeyBytes

  constructor(key: Uint8Array) {
    this.#key = new KeyBytes(key)
  }

  seal(
    nonce: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
    output: Uint8Array,
    offset: number,
  ): Uint8Array {
    output.set(gcm(this.#key.get(), nonce, aad).encrypt(plaintext), offset)
    return output
  }

  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    const cipher = gcm(this.#key.get(), nonce, aad)
    try {
      return cipher.decrypt(sealed)
    } catch {
      // Key, nonce and lengths were checked before, so only the tag is left to fail.
      return null
    }
  }

  destroy(): void {
    this.#key.destroy()
  }
}

const scratch = new CtrHmacScratch()

class NobleCtrHmacKey implements AeadKey {
  readonly #suite: CtrHmacSuite
  readonly #cipherKey: KeyBytes
  readonly #authKey: KeyBytes

  constructor(suite: CtrHmacSuite, key: Uint8Array) {
    this.#suite = suite
    this.#cipherKey = new KeyBytes(key.subarray(0, suite.cipherKeyLength))
    this.#authKey = new KeyBytes(key.subarray(suite.cipherKeyLength))
  }

  seal(
    nonce: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
    output: Uint8Array,
    offset: number,
  ): Uint8Array {
    const ciphertext = ctr(this.#cipherKey.get(), scratch.counter(nonce)).encrypt(plaintext)
    output.set(ciphertext, offset)
    const mac = this.#mac(nonce, aad, ciphertext)
    output.set(mac.subarray(0, this.#suite.tagLength), offset + ciphertext.length)
    return output
  }

  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    const split = sealed.length - this.#suite.tagLength
    const ciphertext = sealed.subarray(0, split)
    if (!tagMatches(sealed.subarray(split), this.#mac(nonce, aad, ciphertext))) return null
    return ctr(this.#cipherKey.get(), scratch.counter(nonce)).decrypt(ciphertext)
  }

  #mac(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    return hmac
      .create(hashOf(this.#suite), this.#authKey.get())
      .update(scratch.head(this.#suite, nonce, aad, ciphertext.length))
      .update(ciphertext)
      .digest()
  }

  destroy(): void {
    this.#cipherKey.destroy()
    this.#authKey.destroy()
  }
}
