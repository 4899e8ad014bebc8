import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  hasVarint,
  readVarint,
  varintLength,
  varintLengthFrom,
  varints,
  writeVarint,
} from './varint.ts'

const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))

describe('variable-length integers', () => {
  // RFC 9000, Appendix A.1; the first does not fit a double and is rounded.
  it.each([
    ['c2197c5eff14e88c', Number(0x2197c5eff14e88cn)],
    ['9d7f3e7d', 494878333],
    ['7bbd', 15293],
    ['25', 37],
    ['4025', 37],
  ])('reads %s', (bytes, value) => {
    expect(readVarint(hex(bytes), 0)).toBe(value)
    expect(hasVarint(hex(bytes), 0)).toBe(true)
    expect(hasVarint(hex(bytes).subarray(1), 0)).toBe(
      bytes.length > 2 && hasVarint(hex(bytes.slice(2)), 0),
    )
  })

  it.each([
    0,
    63,
    64,
    16383,
    16384,
    1073741823,
    1073741824,
    Number.MAX_SAFE_INTEGER,
  ])('writes %d in the fewest bytes', (value) => {
    const bytes = varints(value)
    expect(bytes.length).toBe(varintLength(value))
    expect(varintLengthFrom(bytes[0]!)).toBe(bytes.length)
    expect(readVarint(bytes, 0)).toBe(value)
  })

  it('reads what it writes, at any offset', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(20), (value, offset) => {
        const bytes = new Uint8Array(40).fill(0xff)
        const end = writeVarint(value, bytes, offset)
        expect(end - offset).toBe(varintLength(value))
        expect(readVarint(bytes, offset)).toBe(value)
      }),
    )
  })
})
