/**
 * The variable-length integer of draft-18 section 1.4.1: the count of leading one bits of the first
 * byte gives the length (1 to 9 bytes), the remaining bits the value in network byte order.
 */

import { ProtocolError } from './errors.ts'

export const MAX_VI64 = 0xffff_ffff_ffff_ffffn

/** Length in bytes of an encoding that starts with this byte. */
export function vi64Length(firstByte: number): number {
  // Leading ones are the leading zeros of the complement in a byte.
  return firstByte === 0xff ? 9 : Math.clz32(~firstByte & 0xff) - 24 + 1
}

/** Bytes that the shortest encoding of a value takes. */
export function vi64Size(value: number | bigint): number {
  if (typeof value === 'bigint') return bigSize(value)
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x20_0000) return 3
  if (value < 0x1000_0000) return 4
  if (value < 0x8_0000_0000) return 5
  if (value < 0x400_0000_0000) return 6
  if (value < 0x2_0000_0000_0000) return 7
  return 8
}

function bigSize(value: bigint): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return vi64Size(Number(value))
  return value < 1n << 56n ? 8 : 9
}

/**
 * Writes the shortest encoding at `offset` and returns the offset behind it.
 * @throws RangeError when the value is not an integer from 0 to 2^64-1 (our own bug, not the peer's)
 */
export function writeVi64(target: Uint8Array, offset: number, value: number | bigint): number {
  if (typeof value === 'bigint') return writeBig(target, offset, value)
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a vi64: ${value}`)
  const size = vi64Size(value)
  let rest = value
  for (let i = offset + size - 1; i > offset; i--) {
    target[i] = rest & 0xff
    rest = Math.floor(rest / 256)
  }
  target[offset] = lead(size) | rest
  return offset + size
}

/** The first byte's length marker: size - 1 one bits, then a zero. */
function lead(size: number): number {
  return (0xff00 >> (size - 1)) & 0xff
}

function writeBig(target: Uint8Array, offset: number, value: bigint): number {
  if (value < 0n || value > MAX_VI64) throw new RangeError(`not a vi64: ${value}`)
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return writeVi64(target, offset, Number(value))
  const size = bigSize(value)
  let rest = value
  for (let i = offset + size - 1; i > offset; i--) {
    target[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  target[offset] = lead(size) | (size === 9 ? 0 : Number(rest))
  return offset + size
}

/**
 * Reads a value known to be whole in `source`; up to 2^53-1 it is a number, above it a bigint.
 * The caller has checked that `vi64Length(source[offset])` bytes are there.
 */
export function readVi64(source: Uint8Array, offset: number): number | bigint {
  const first = source[offset]!
  const size = vi64Length(first)
  if (size === 1) return first
  if (size === 2) return ((first & 0x3f) << 8) | source[offset + 1]!
  if (size <= 7) {
    let value = first & (0x7f >> (size - 1))
    for (let i = 1; i < size; i++) value = value * 256 + source[offset + i]!
    return value
  }
  let high = 0
  let low = 0
  const start = offset + 1
  if (size === 8) {
    high = (source[start]! << 16) | (source[start + 1]! << 8) | source[start + 2]!
    low = read32(source, start + 3)
  } else {
    high = read32(source, start)
    low = read32(source, start + 4)
  }
  if (high < 0x20_0000) return high * 0x1_0000_0000 + low
  return (BigInt(high) << 32n) | BigInt(low)
}

function read32(source: Uint8Array, offset: number): number {
  return (
    ((source[offset]! << 24) |
      (source[offset + 1]! << 16) |
      (source[offset + 2]! << 8) |
      source[offset + 3]!) >>>
    0
  )
}

/**
 * Narrows a value to a safe integer. Identifiers above 2^53-1 are legal in the draft and beyond what
 * this implementation counts with; no publisher that numbers from 0 or from a clock reaches them.
 */
export function safeVi64(value: number | bigint, what: string): number {
  if (typeof value === 'number') return value
  throw new ProtocolError(`${what} ${value} is above 2^53-1, which this endpoint does not support`)
}
