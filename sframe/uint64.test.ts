import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  byteLength,
  fromHalves,
  high32,
  low32,
  MAX_UINT64,
  readHigh,
  readLow,
  toUInt64,
  writeUInt64,
} from './uint64.ts'

const anyUInt64 = fc.oneof(
  fc.bigInt({ min: 0n, max: MAX_UINT64 }),
  fc.nat().map(BigInt),
  fc.constantFrom(...[8n, 16n, 24n, 32n, 40n, 48n, 53n, 56n, 64n].flatMap(around)),
)

function around(bits: bigint): bigint[] {
  const edge = 1n << bits
  return [edge - 2n, edge - 1n, edge, edge + 1n].filter((value) => value <= MAX_UINT64)
}

describe('64-bit integers', () => {
  it('are numbers while safe and bigints above', () => {
    expect(toUInt64(2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER)
    expect(toUInt64(2n ** 53n)).toBe(2n ** 53n)
  })

  it.each([
    -1,
    0.5,
    Number.NaN,
    2 ** 53,
    Number.POSITIVE_INFINITY,
    -1n,
    2n ** 64n,
  ])('refuse %s', (value) => {
    expect(() => toUInt64(value)).toThrow(RangeError)
  })

  it('survive writing and reading at any offset, as BigInt arithmetic has it', () => {
    fc.assert(
      fc.property(anyUInt64, fc.nat(5), (value, offset) => {
        const canonical = toUInt64(value)
        expect(high32(canonical)).toBe(Number(value >> 32n))
        expect(low32(canonical)).toBe(Number(value & 0xffffffffn))
        const length = byteLength(canonical)
        expect(length).toBe(Math.max(1, Math.ceil(value.toString(16).length / 2)))
        for (const room of [length, 8]) {
          const bytes = new Uint8Array(offset + room + 1).fill(0xaa)
          writeUInt64(canonical, bytes, offset, room)
          expect(bytes[offset + room]).toBe(0xaa)
          expect(readHigh(bytes, offset, room)).toBe(high32(canonical))
          expect(readLow(bytes, offset, room)).toBe(low32(canonical))
          expect(fromHalves(high32(canonical), low32(canonical))).toBe(canonical)
        }
      }),
    )
  })
})
