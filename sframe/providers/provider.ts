/**
 * What SFrame asks of a cryptography library: HKDF and one AEAD a suite. A provider answers at once
 * (node:crypto, noble) or with a promise (WebCrypto); nothing above it knows which.
 */
import type { MaybePromise } from '../maybe-promise.ts'
import type { Suite } from '../suites.ts'

/** The cryptography below SFrame. */
export interface CryptoProvider {
  /** For logs and test names. */
  readonly name: string

  /** Memory for one SFrame ciphertext, to be filled entirely. */
  allocate(length: number): Uint8Array

  /**
   * HKDF-Extract with an empty salt and the suite's hash (RFC 9605 section 4.4.2). Keeps no
   * reference to `baseKey`, which the caller may overwrite once this has returned or resolved.
   */
  importSecret(suite: Suite, baseKey: Uint8Array): MaybePromise<DerivationSecret>

  /** An AEAD key of `suite.keyLength` bytes; `key` may be overwritten as above. */
  importKey(suite: Suite, key: Uint8Array): MaybePromise<AeadKey>
}

/** `sframe_secret`, or what it is made from. */
export interface DerivationSecret {
  /** HKDF-Expand. */
  expand(label: Uint8Array, length: number): MaybePromise<Uint8Array>
  /** Deletes the secret; later calls throw `key-deleted`. */
  destroy(): void
}

/**
 * `nonce` and `aad` are the caller's scratch memory: they hold until the call returns, not until
 * its promise settles. Every other array holds until the promise settles.
 */
export interface AeadKey {
  /**
   * Writes ciphertext and tag, `plaintext.length + tagLength` bytes, into `output` at `offset`;
   * gives `output`.
   */
  seal(
    nonce: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
    output: Uint8Array,
    offset: number,
  ): MaybePromise<Uint8Array>

  /**
   * Gives the plaintext, or null if the tag does not match. `sealed` is ciphertext and tag, at least
   * `tagLength` bytes.
   */
  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): MaybePromise<Uint8Array | null>

  /** Deletes the key; later calls throw `key-deleted`, calls under way end as they would. */
  destroy(): void
}
