import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SFrameError } from './errors.ts'
import {
  createMutableHeader,
  decodeHeader,
  encodeHeader,
  headerLength,
  MAX_HEADER_LENGTH,
  type MutableHeader,
  parseHeader,
} from './header.ts'
import { hex, uint64, unhex, vectors } from './testing.ts'
import { MAX_UINT64, toUInt64 } from './uint64.ts'

function fieldsOf({ kid, ctr, length, fault }: MutableHeader) {
  return [kid, ctr, length, fault]
}

describe('SFrame header', () => {
  it('matches every official vector in both directions (RFC 9605 C.1)', () => {
    expect(vectors.header.length).toBe(289)
    for (const { kid, ctr, encoded } of vectors.header) {
      const header = { kid: uint64(kid), ctr: uint64(ctr), length: encoded.length / 2 }
      expect(hex(encodeHeader(BigInt(kid), BigInt(ctr)))).toBe(encoded)
      expect(decodeHeader(unhex(encoded))).toEqual(header)
    }
  })

  it('survives a round trip for any KID and CTR, with anything behind and before it', () => {
    const value = fc.oneof(
      fc.nat(20).map(BigInt),
      fc.bigInt({ min: 0n, max: MAX_UINT64 }),
      fc.constantFrom(2n ** 53n - 1n, 2n ** 53n, MAX_UINT64),
    )
    fc.assert(
      fc.property(
        value,
        value,
        fc.uint8Array({ maxLength: 4 }),
        fc.uint8Array(),
        (kid, ctr, before, after) => {
          const encoded = encodeHeader(kid, ctr)
          const { length } = encoded
          expect(length).toBeLessThanOrEqual(MAX_HEADER_LENGTH)
          expect(length).toBe(headerLength(toUInt64(kid), toUInt64(ctr)))
          const header = createMutableHeader()
          const stream = Uint8Array.from([...before, ...encoded, ...after])
          expect(parseHeader(stream, before.length, header)).toBe(true)
          expect(fieldsOf(header)).toEqual([toUInt64(kid), toUInt64(ctr), length, null])
        },
      ),
    )
  })

  it('gives hostile bytes either their one encoding or a named error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        try {
          const { kid, ctr, length } = decodeHeader(bytes)
          expect(hex(encodeHeader(kid, ctr))).toBe(hex(bytes.subarray(0, length)))
        } catch (error) {
          expect(error).toBeInstanceOf(SFrameError)
          expect(['truncated', 'malformed-header']).toContain((error as SFrameError).code)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('refuses every cut of every official header', () => {
    const header = createMutableHeader()
    for (const { encoded } of vectors.header) {
      const bytes = unhex(encoded)
      for (let length = 0; length < bytes.length; length++) {
        expect(parseHeader(bytes.subarray(0, length), 0, header)).toBe(false)
        expect(header.fault).toBe('truncated')
      }
    }
  })

  it.each([
    ['a KID below 8 behind the config byte', '8007'],
    ['a CTR below 8 behind the config byte', '0807'],
    ['a KID with a leading zero', '9000ff'],
    ['a CTR with a leading zero', '0900ff'],
    ['a CTR with a leading zero behind a good KID', '89ff00ff'],
    ['eight zero bytes', '0f0000000000000000'],
  ])('refuses %s', (_what, bytes) => {
    expect(() => decodeHeader(unhex(bytes))).toThrow(
      expect.objectContaining({ name: 'SFrameError', code: 'malformed-header' }),
    )
  })

  it('reads on after a refusal with the same memory', () => {
    const header = createMutableHeader()
    expect(parseHeader(new Uint8Array(0), 0, header)).toBe(false)
    expect(parseHeader(unhex('1105'), 0, header)).toBe(true)
    expect(fieldsOf(header)).toEqual([1, 1, 1, null])
  })

  it.each([
    ['the shortest form', 1n, 1n],
    ['the longest form', MAX_UINT64, MAX_UINT64],
  ])('is parsed without allocating, in %s', (_what, kid, ctr) => {
    const bytes = encodeHeader(kid, ctr)
    const header = createMutableHeader()
    const parses = 20_000
    const growth = Array.from({ length: 15 }, () => {
      const before = process.memoryUsage().heapUsed
      for (let index = 0; index < parses; index++) parseHeader(bytes, 0, header)
      return process.memoryUsage().heapUsed - before
    })
    expect(header.kid).toBe(toUInt64(kid))
    // The median: a garbage collection falls into few of the tries, the compiler into the first.
    // The smallest object has 12 bytes or more.
    growth.sort((a, b) => a - b)
    expect(growth[7]! / parses).toBeLessThan(4)
  })

  it('does not encode what is no 64-bit integer', () => {
    expect(() => encodeHeader(-1, 0)).toThrow(RangeError)
    expect(() => encodeHeader(0, 2 ** 53)).toThrow(RangeError)
    expect(() => encodeHeader(0, 2n ** 64n)).toThrow(RangeError)
  })
})
