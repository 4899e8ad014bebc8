/**
 * What the AES-CTR with HMAC composite (RFC 9605 section 4.5.1) needs besides AES and HMAC, shared
 * by the providers: the head of the authenticated data, the initial counter block, and a comparison
 * of tags in constant time.
 */
import type { CtrHmacSuite } from '../suites.ts'

const LENGTHS = 24

/**
 * Writes len(aad), len(ct), Nt as 8 bytes each, nonce and aad: everything that is authenticated
 * before the ciphertext. With `room`, leaves as many zero bytes behind it.
 */
export function authenticatedHead(
  suite: CtrHmacSuite,
  nonce: Uint8Array,
  aad: Uint8Array,
  ciphertextLength: number,
  room = 0,
): Uint8Array<ArrayBuffer> {
  const length = LENGTHS + nonce.length + aad.length
  const head = new Uint8Array(length + room)
  writeLength(head, 0, aad.length)
  writeLength(head, 8, ciphertextLength)
  writeLength(head, 16, suite.tagLength)
  head.set(nonce, LENGTHS)
  head.set(aad, LENGTHS + nonce.length)
  return head
}

function writeLength(out: Uint8Array, offset: number, value: number): void {
  const view = new DataView(out.buffer, out.byteOffset + offset, 8)
  view.setUint32(0, Math.floor(value / 0x1_0000_0000))
  view.setUint32(4, value >>> 0)
}

/** nonce || 0x00000000. */
export function initialCounter(nonce: Uint8Array): Uint8Array<ArrayBuffer> {
  const counter = new Uint8Array(16)
  counter.set(nonce)
  return counter
}

/** Whether `tag` is the start of `mac`, in time that depends on the length of `tag` alone. */
export function tagMatches(tag: Uint8Array, mac: Uint8Array): boolean {
  let difference = tag.length > mac.length ? 1 : 0
  for (let index = 0; index < tag.length; index++) {
    difference |= (tag[index] ?? 0) ^ (mac[index] ?? 0)
  }
  return difference === 0
}
