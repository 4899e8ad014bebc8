/**
 * Variable-length integers (RFC 9000, Section 16). Values above 2^53 - 1 lose precision and are only
 * ever compared or skipped.
 */

/** Bytes that `value` takes: 1, 2, 4 or 8. */
export function varintLength(value: number): number {
  if (value < 0x40) return 1
  if (value < 0x4000) return 2
  if (value < 0x4000_0000) return 4
  return 8
}

/** Bytes that the integer beginning with `first` takes. */
export function varintLengthFrom(first: number): number {
  return 1 << (first >> 6)
}

/** Reads the integer at `offset`, all of whose bytes must be there. */
export function readVarint(bytes: Uint8Array, offset: number): number {
  const length = varintLengthFrom(bytes[offset]!)
  let value = bytes[offset]! & 0x3f
  for (let i = 1; i < length; i++) value = value * 256 + bytes[offset + i]!
  return value
}

/** Whether a whole integer begins at `offset`. */
export function hasVarint(bytes: Uint8Array, offset: number): boolean {
  return offset < bytes.length && offset + varintLengthFrom(bytes[offset]!) <= bytes.length
}

/** Writes `value` (0 to 2^53 - 1) at `offset`. @returns the offset behind it */
export function writeVarint(value: number, into: Uint8Array, offset: number): number {
  const length = varintLength(value)
  let rest = value
  for (let i = length - 1; i >= 0; i--) {
    into[offset + i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  into[offset] = into[offset]! | (Math.log2(length) << 6)
  return offset + length
}

/** The integers one after the other, as bytes of their own. */
export function varints(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.reduce((sum, value) => sum + varintLength(value), 0))
  let offset = 0
  for (const value of values) offset = writeVarint(value, bytes, offset)
  return bytes
}
