/** Makes `bytes` of output from a secret at a cost of `iterations`. */
export type Stretch = (
  secret: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  bytes: number,
) => Promise<Uint8Array>

/**
 * PBKDF2-HMAC-SHA-512 (RFC 8018 section 5.2) by WebCrypto: a hash that costs as much as we say, on
 * another thread than media.
 *
 * @param bytes of output
 */
export async function stretch(
  secret: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  bytes: number,
): Promise<Uint8Array> {
  const { subtle } = globalThis.crypto
  const key = await subtle.importKey('raw', owned(secret), 'PBKDF2', false, ['deriveBits'])
  const parameters = { name: 'PBKDF2', hash: 'SHA-512', salt: owned(salt), iterations }
  return new Uint8Array(await subtle.deriveBits(parameters, key, bytes * 8))
}

/** WebCrypto's types refuse memory that might be shared. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}
