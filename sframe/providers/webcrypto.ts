/**
 * WebCrypto, asynchronous: the provider of browsers. Keys are not extractable, so that after import
 * no script can read them back.
 */
import { SFrameError } from '../errors.ts'
import type { CtrHmacSuite, GcmSuite, Suite } from '../suites.ts'
import { authenticatedHead, initialCounter, tagMatches } from './ctr-hmac.ts'
import type { AeadKey, CryptoProvider, DerivationSecret } from './provider.ts'

type Bytes = Uint8Array<ArrayBuffer>

// WebCrypto copies its parameters before it returns ("get a copy of the bytes held by the buffer
// source"), so scratch memory would do. An engine that did not would use a nonce twice, so nonces get
// memory that rests for the next calls; making it anew a frame would cost a microsecond.
const resting = Array.from({ length: 64 }, () => new Uint8Array(12))
let nextResting = 0

function settled(nonce: Uint8Array): Bytes {
  const copy = resting[nextResting] ?? new Uint8Array(12)
  nextResting = (nextResting + 1) % resting.length
  copy.set(nonce)
  return copy
}

const NO_SALT = new Uint8Array(0)
// The last 32 bits of the counter block count blocks; the rest is the nonce.
const COUNTER_BITS = 32

/** Asynchronous provider over `globalThis.crypto.subtle` (browsers, workers, Node). */
export const webCryptoProvider: CryptoProvider = {
  name: 'WebCrypto',
  allocate: (length) => new Uint8Array(length),
  importSecret: importHkdfSecret,
  importKey: (suite, key) =>
    suite.cipher === 'AES-GCM' ? importGcmKey(suite, key) : importCtrHmacKey(suite, key),
}

/** WebCrypto takes no view of shared memory; such bytes are copied. */
function unshared(bytes: Uint8Array): Bytes {
  return isUnshared(bytes) ? bytes : bytes.slice()
}

function isUnshared(bytes: Uint8Array): bytes is Bytes {
  return bytes.buffer instanceof ArrayBuffer
}

function present(key: CryptoKey | null): CryptoKey {
  if (key === null) throw new SFrameError('key-deleted')
  return key
}

async function importHkdfSecret(suite: Suite, baseKey: Uint8Array): Promise<DerivationSecret> {
  const key = await crypto.subtle.importKey('raw', unshared(baseKey), 'HKDF', false, ['deriveBits'])
  return new WebCryptoSecret(suite, key)
}

class WebCryptoSecret implements DerivationSecret {
  readonly #suite: Suite
  #key: CryptoKey | null

  constructor(suite: Suite, key: CryptoKey) {
    this.#suite = suite
    this.#key = key
  }

  async expand(label: Uint8Array, length: number): Promise<Uint8Array> {
    const params = { name: 'HKDF', hash: this.#suite.hash, salt: NO_SALT, info: unshared(label) }
    return new Uint8Array(await crypto.subtle.deriveBits(params, present(this.#key), length * 8))
  }

  destroy(): void {
    this.#key = null
  }
}

async function importGcmKey(suite: GcmSuite, bytes: Uint8Array): Promise<AeadKey> {
  const usages: KeyUsage[] = ['encrypt', 'decrypt']
  const key = await crypto.subtle.importKey('raw', unshared(bytes), 'AES-GCM', false, usages)
  return new WebCryptoGcmKey(suite, key)
}

class WebCryptoGcmKey implements AeadKey {
  readonly #tagBits: number
  #key: CryptoKey | null

  constructor(suite: GcmSuite, key: CryptoKey) {
    this.#tagBits = suite.tagLength * 8
    this.#key = key
  }

  // `then`, not `await`: an async function's own promise would cost a frame a microsecond.
  seal(
    nonce: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
    output: Uint8Array,
    offset: number,
  ): Promise<Uint8Array> {
    const params = this.#params(nonce, aad)
    return crypto.subtle.encrypt(params, present(this.#key), unshared(plaintext)).then((sealed) => {
      output.set(new Uint8Array(sealed), offset)
      return output
    })
  }

  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Promise<Uint8Array | null> {
    const params = this.#params(nonce, aad)
    return crypto.subtle
      .decrypt(params, present(this.#key), unshared(sealed))
      .then(bytesOf, nullForTagMismatch)
  }

  #params(nonce: Uint8Array, aad: Uint8Array): AesGcmParams {
    return {
      name: 'AES-GCM',
      iv: settled(nonce),
      additionalData: unshared(aad),
      tagLength: this.#tagBits,
    }
  }

  destroy(): void {
    this.#key = null
  }
}

function bytesOf(buffer: ArrayBuffer): Uint8Array {
  return new Uint8Array(buffer)
}

function nullForTagMismatch(error: unknown): null {
  if (error instanceof DOMException && error.name === 'OperationError') return null
  throw error
}

async function importCtrHmacKey(suite: CtrHmacSuite, bytes: Uint8Array): Promise<AeadKey> {
  const cipherBytes = unshared(bytes).subarray(0, suite.cipherKeyLength)
  const authBytes = unshared(bytes).subarray(suite.cipherKeyLength)
  const hmac = { name: 'HMAC', hash: suite.hash }
  const [cipherKey, authKey] = await Promise.all([
    crypto.subtle.importKey('raw', cipherBytes, 'AES-CTR', false, ['encrypt', 'decrypt']),
    crypto.subtle.importKey('raw', authBytes, hmac, false, ['sign']),
  ])
  return new WebCryptoCtrHmacKey(suite, { cipherKey, authKey })
}

interface CtrHmacKeys {
  readonly cipherKey: CryptoKey
  readonly authKey: CryptoKey
}

class WebCryptoCtrHmacKey implements AeadKey {
  readonly #suite: CtrHmacSuite
  #keys: CtrHmacKeys | null

  constructor(suite: CtrHmacSuite, keys: CtrHmacKeys) {
    this.#suite = suite
    this.#keys = keys
  }

  async seal(
    nonce: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
    output: Uint8Array,
    offset: number,
  ): Promise<Uint8Array> {
    const { cipherKey, authKey } = this.#present()
    const { length } = plaintext
    const authenticated = authenticatedHead(this.#suite, nonce, aad, length, length)
    const params = counterParams(nonce)
    const ciphertext = new Uint8Array(
      await crypto.subtle.encrypt(params, cipherKey, unshared(plaintext)),
    )
    authenticated.set(ciphertext, authenticated.length - length)
    output.set(ciphertext, offset)
    const mac = new Uint8Array(await crypto.subtle.sign('HMAC', authKey, authenticated))
    output.set(mac.subarray(0, this.#suite.tagLength), offset + length)
    return output
  }

  async open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Promise<Uint8Array | null> {
    const { cipherKey, authKey } = this.#present()
    const length = sealed.length - this.#suite.tagLength
    const ciphertext = unshared(sealed).subarray(0, length)
    const authenticated = authenticatedHead(this.#suite, nonce, aad, length, length)
    authenticated.set(ciphertext, authenticated.length - length)
    const params = counterParams(nonce)
    const mac = new Uint8Array(await crypto.subtle.sign('HMAC', authKey, authenticated))
    if (!tagMatches(sealed.subarray(length), mac)) return null
    return new Uint8Array(await crypto.subtle.decrypt(params, cipherKey, ciphertext))
  }

  #present(): CtrHmacKeys {
    if (this.#keys === null) throw new SFrameError('key-deleted')
    return this.#keys
  }

  destroy(): void {
    this.#keys = null
  }
}

function counterParams(nonce: Uint8Array): AesCtrParams {
  return { name: 'AES-CTR', counter: initialCounter(nonce), length: COUNTER_BITS }
}
