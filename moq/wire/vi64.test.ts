import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Reader } from './reader.ts'
import { MAX_VI64, readVi64, vi64Length, vi64Size, writeVi64 } from './vi64.ts'

const bytesOf = (hex: string) =>
  Uint8Array.from(hex.match(/../g)!.map((b) => Number.parseInt(b, 16)))

describe('vi64 (draft-18 section 1.4.1)', () => {
  // The draft's own examples.
  it.each([
    ['25', 37],
    ['8025', 37],
    ['bbbd', 15_293],
    ['ed7f3e7d', 226_442_877],
    ['faa1a0e403d8', 2_893_212_287_960],
    ['fc8998abc66bc0', 151_288_809_941_952],
    ['fefa318fa8e3ca11', 70_423_237_261_249_041n],
    ['ffffffffffffffffff', 18_446_744_073_709_551_615n],
  ])('%s is %s', (hex, value) => {
    const bytes = bytesOf(hex)
    expect(vi64Length(bytes[0]!)).toBe(bytes.length)
    expect(readVi64(bytes, 0)).toBe(value)
  })

  it('reads back what it wrote, in the shortest form', () => {
    const value = fc.oneof(fc.bigInt(0n, MAX_VI64), fc.nat().map(BigInt))
    fc.assert(
      fc.property(value, (big) => {
        const n = big <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(big) : big
        const bytes = new Uint8Array(9)
        const end = writeVi64(bytes, 0, n)
        expect(end).toBe(vi64Size(n))
        expect(vi64Length(bytes[0]!)).toBe(end)
        expect(readVi64(bytes, 0)).toBe(n)
        if (end > 1) expect(big >= 1n << BigInt(7 * (end - 1))).toBe(true)
      }),
    )
  })

  it.each([
    127,
    128,
    16_383,
    16_384,
    2 ** 21 - 1,
    2 ** 21,
    2 ** 49 - 1,
    2 ** 49,
    2 ** 53 - 1,
  ])('holds the edge %d', (value) => {
    const bytes = new Uint8Array(9)
    writeVi64(bytes, 0, value)
    expect(readVi64(bytes, 0)).toBe(value)
  })

  it('refuses to write what is no vi64', () => {
    const target = new Uint8Array(9)
    for (const value of [-1, 0.5, Number.NaN, 2 ** 53, -1n, MAX_VI64 + 1n]) {
      expect(() => writeVi64(target, 0, value)).toThrow(RangeError)
    }
  })

  it('never reads past the end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), (bytes) => {
        const reader = new Reader(bytes)
        try {
          reader.vi64Any()
          expect(reader.offset).toBeLessThanOrEqual(bytes.length)
        } catch (error) {
          expect((error as Error).name).toBe('ProtocolError')
        }
      }),
    )
  })
})
