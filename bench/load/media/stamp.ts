/**
 * When an object was sent, written inside what is encrypted: neither a relay nor a repeated object can
 * change it.
 */

export const STAMP_BYTES = 8

const scratch = new DataView(new ArrayBuffer(STAMP_BYTES))
const scratchBytes = new Uint8Array(scratch.buffer)

/** @param payload of `STAMP_BYTES` at least; its first bytes are overwritten */
export function writeStamp(payload: Uint8Array, sentAt: number): void {
  scratch.setFloat64(0, sentAt)
  payload.set(scratchBytes)
}

/** Null for what bears no stamp. */
export function readStamp(payload: Uint8Array): number | null {
  if (payload.length < STAMP_BYTES) return null
  scratchBytes.set(payload.subarray(0, STAMP_BYTES))
  const sentAt = scratch.getFloat64(0)
  return Number.isFinite(sentAt) ? sentAt : null
}
