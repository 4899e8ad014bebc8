/**
 * Short-lived buffers, cut from slabs: above 64 bytes an array of its own costs far more than the
 * bytes in it. A piece keeps its slab alive, so it is for what is sent soon and not for a cache, and it
 * must never be transferred to another thread.
 */

const SLAB_BYTES = 65_536
/** Larger pieces are arrays of their own: they would leave too much of a slab unused. */
const MAX_PIECE = 8192

let slab = new Uint8Array(SLAB_BYTES)
let used = 0

/** @returns `length` zero bytes that nobody else has */
export function allocatePiece(length: number): Uint8Array {
  if (length > MAX_PIECE) return new Uint8Array(length)
  if (used + length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES)
    used = 0
  }
  const piece = slab.subarray(used, used + length)
  used += length
  return piece
}
