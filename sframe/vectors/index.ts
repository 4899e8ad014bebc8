/** The official vectors and how they write bytes and integers; for tests in Node and in browsers. */
import { toUInt64, type UInt64 } from '../uint64.ts'
import ctr256 from './sframe-aes256-ctr.json' with { type: 'json' }
import rfc9605 from './sframe-rfc9605.json' with { type: 'json' }

/** RFC 9605 appendix C.1 to C.3, and the same for the suites 6 to 8. */
export const vectors = {
  header: rfc9605.header,
  aead: [...rfc9605.aes_ctr_hmac, ...rfc9605.aes_256_ctr_hmac],
  sframe: [...rfc9605.sframe, ...ctr256.sframe_aes_256_ctr_hmac],
}

/** A KID or counter as the vectors write it: decimal text or a JSON number. */
export function uint64(value: string | number): UInt64 {
  return toUInt64(BigInt(value))
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export function unhex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
