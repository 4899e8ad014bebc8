/**
 * node:crypto, synchronous: the provider of Node tools. The only file of the package that needs
 * Node; browsers never reach it, because only the entry `sframe/node.ts` imports it.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto'
import { SFrameError } from '../errors.ts'
import type { CtrHmacSuite, GcmSuite, Suite } from '../suites.ts'
import { CtrHmacScratch } from './ctr-hmac.ts'
import type { AeadKey, CryptoProvider, DerivationSecret } from './provider.ts'

const NO_SALT = new Uint8Array(0)

// An ArrayBuffer of its own costs a frame of 1200 bytes about 2 µs, most of it in the garbage
// collector; a part of a slab costs a tenth of that.
const SLAB_LENGTH = 64 * 1024
const LARGEST_FROM_SLAB = 8 * 1024

let slab = new Uint8Array(0)
let slabUsed = 0

/** Frames share slabs: their `buffer` must not be transferred to another thread. */
function allocate(length: number): Uint8Array {
  if (length > LARGEST_FROM_SLAB) return new Uint8Array(length)
  if (slabUsed + length > slab.length) {
    slab = new Uint8Array(SLAB_LENGTH)
    slabUsed = 0
  }
  const part = new Uint8Array(slab.buffer, slabUsed, length)
  slabUsed += length
  return part
}

/**
 * Synchronous provider over node:crypto. Ciphertexts of up to 8 KiB are parts of larger, shared
 * buffers: copy one before transferring its `buffer` to a worker.
 */
export const nodeProvider: CryptoProvider = {
  name: 'node:crypto',
  allocate,
  importSecret: (suite, baseKey) => new NodeSecret(suite, baseKey),
  importKey: (suite, key) =>
    suite.cipher === 'AES-GCM' ? new NodeGcmKey(suite, key) : new NodeCtrHmacKey(suite, key),
}

/** A secret in OpenSSL's memory, which overwrites it when it is freed. */
class Secret {
  #key: KeyObject | null

  constructor(bytes: Uint8Array) {
    this.#key = createSecretKey(bytes)
  }

  get(): KeyObject {
    if (this.#key === null) throw new SFrameError('key-deleted')
    return this.#key
  }

  destroy(): void {
    this.#key = null
  }
}

/** The same bytes without Buffer's different `slice`. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}

class NodeSecret implements DerivationSecret {
  readonly #digest: string
  readonly #secret: Secret

  constructor(suite: Suite, baseKey: Uint8Array) {
    this.#digest = digestOf(suite)
    this.#secret = new Secret(baseKey)
  }

  expand(label: Uint8Array, length: number): Uint8Array {
    return new Uint8Array(hkdfSync(this.#digest, this.#secret.get(), NO_SALT, label, length))
  }

  destroy(): void {
    this.#secret.destroy()
  }
}

function digestOf(suite: Suite): string {
  return suite.hash === 'SHA-256' ? 'sha256' : 'sha512'
}

class NodeGcmKey implements AeadKey {
  readonly #algorithm: 'aes-128-gcm' | 'aes-256-gcm'
  readonly #tagLength: number
  readonly #options: { readonly authTagLength: number }
  readonly #key: Secret

  constructor(suite: GcmSuite, key: Uint8Array) {
    this.#algorithm = suite.keyLength === 16 ? 'aes-128-gcm' : 'aes-256-gcm'
    this.#tagLength = suite.tagLength
    this.#options = { authTagLength: suite.tagLength }
    this.#key = new Secret(key)
  }

  seal(
    nonce: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
    output: Uint8Array,
    offset: number,
  ): Uint8Array {
    const cipher = createCipheriv(this.#algorithm, this.#key.get(), nonce, this.#options)
    cipher.setAAD(aad)
    output.set(cipher.update(plaintext), offset)
    cipher.final()
    output.set(cipher.getAuthTag(), offset + plaintext.length)
    return output
  }

  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    const split = sealed.length - this.#tagLength
    const decipher = createDecipheriv(this.#algorithm, this.#key.get(), nonce, this.#options)
    decipher.setAAD(aad)
    decipher.setAuthTag(sealed.subarray(split))
    const plaintext = decipher.update(sealed.subarray(0, split))
    try {
      decipher.final()
    } catch {
      plaintext.fill(0)
      return null
    }
    return plain(plaintext)
  }

  destroy(): void {
    this.#key.destroy()
  }
}

const scratch = new CtrHmacScratch()

class NodeCtrHmacKey implements AeadKey {
  readonly #suite: CtrHmacSuite
  readonly #algorithm: string
  readonly #digest: string
  readonly #cipherKey: Secret
  readonly #authKey: Secret

  constructor(suite: CtrHmacSuite, key: Uint8Array) {
    this.#suite = suite
    this.#algorithm = suite.cipherKeyLength === 16 ? 'aes-128-ctr' : 'aes-256-ctr'
    this.#digest = digestOf(suite)
    this.#cipherKey = new Secret(key.subarray(0, suite.cipherKeyLength))
    this.#authKey = new Secret(key.subarray(suite.cipherKeyLength))
  }

  seal(
    nonce: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
    output: Uint8Array,
    offset: number,
  ): Uint8Array {
    const counter = scratch.counter(nonce)
    const ciphertext = createCipheriv(this.#algorithm, this.#cipherKey.get(), counter).update(
      plaintext,
    )
    output.set(ciphertext, offset)
    output.set(this.#tag(nonce, aad, ciphertext), offset + ciphertext.length)
    return output
  }

  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    const split = sealed.length - this.#suite.tagLength
    const ciphertext = sealed.subarray(0, split)
    if (!timingSafeEqual(sealed.subarray(split), this.#tag(nonce, aad, ciphertext))) return null
    const counter = scratch.counter(nonce)
    return plain(
      createDecipheriv(this.#algorithm, this.#cipherKey.get(), counter).update(ciphertext),
    )
  }

  #tag(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    return createHmac(this.#digest, this.#authKey.get())
      .update(scratch.head(this.#suite, nonce, aad, ciphertext.length))
      .update(ciphertext)
      .digest()
      .subarray(0, this.#suite.tagLength)
  }

  destroy(): void {
    this.#cipherKey.destroy()
    this.#authKey.destroy()
  }
}
