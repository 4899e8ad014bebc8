import { STAMP_BYTES } from './stamp.ts'

const MAX_FRAME_BYTES = 8 * 1024 * 1024
let noise = new Uint8Array(0)

/**
 * A frame to be encrypted, with room for a stamp. All frames of a process share the bytes: encryption
 * copies them.
 */
export function filler(bytes: number): Uint8Array {
  const size = Math.min(MAX_FRAME_BYTES, Math.max(2 * STAMP_BYTES, bytes))
  if (noise.length < size) noise = new Uint8Array(Math.max(65_536, 2 * size)).fill(0x5a)
  return noise.subarray(0, size)
}
