/**
 * KIDs and counters are unsigned 64-bit integers (RFC 9605 section 4.3). Ours are a `number` while
 * they are safe integers, which every value of a real call is, and a `bigint` only from 2^53 up. The
 * form is canonical: two equal values are `===`, so either form works as a `Map` key.
 */
export type UInt64 = number | bigint

/** The largest key id and counter that a header can hold. */
export const MAX_UINT64 = 0xffff_ffff_ffff_ffffn

const TWO_32 = 0x1_0000_0000
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

/**
 * The canonical form of `value`.
 * @throws RangeError if it is not an integer from 0 to 2^64 - 1
 */
export function toUInt64(value: UInt64): UInt64 {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && value >= 0) return value
  } else if (value >= 0n && value <= MAX_UINT64) {
    return value <= MAX_SAFE ? Number(value) : value
  }
  throw new RangeError(`not an unsigned 64-bit integer: ${value}`)
}

/** The upper 32 bits. */
export function high32(value: UInt64): number {
  if (typeof value === 'number') return Math.floor(value / TWO_32)
  return Number(value >> 32n)
}

/** The lower 32 bits, unsigned. */
export function low32(value: UInt64): number {
  // `>>>` takes a number modulo 2^32, exactly so up to 2^53.
  if (typeof value === 'number') return value >>> 0
  return Number(value & 0xffff_ffffn)
}

/** From two unsigned 32-bit halves. */
export function fromHalves(high: number, low: number): UInt64 {
  if (high < 0x20_0000) return high * TWO_32 + low
  return (BigInt(high) << 32n) | BigInt(low)
}

/** Bytes of the shortest big-endian form, 1 to 8. */
export function byteLength(value: UInt64): number {
  const high = high32(value)
  return high === 0 ? byteLength32(low32(value)) : 4 + byteLength32(high)
}

function byteLength32(value: number): number {
  return value === 0 ? 1 : 4 - (Math.clz32(value) >> 3)
}

/** Writes `value` big-endian into `length` bytes of `out` at `offset`. */
export function writeUInt64(value: UInt64, out: Uint8Array, offset: number, length: number): void {
  let part = low32(value)
  for (let index = length - 1; index >= 0; index--) {
    if (index === length - 5) part = high32(value)
    out[offset + index] = part & 0xff
    part >>>= 8
  }
}

/** The upper 32 bits of the big-endian integer of `length` (0 to 8) bytes at `offset`. */
export function readHigh(bytes: Uint8Array, offset: number, length: number): number {
  return readWord(bytes, offset, offset + length - 4)
}

/** Its lower 32 bits. */
export function readLow(bytes: Uint8Array, offset: number, length: number): number {
  return readWord(bytes, length > 4 ? offset + length - 4 : offset, offset + length)
}

function readWord(bytes: Uint8Array, start: number, end: number): number {
  let word = 0
  for (let index = start; index < end; index++) word = (word << 8) | (bytes[index] ?? 0)
  return word >>> 0
}
