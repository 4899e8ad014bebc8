import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHttp3Code, toHttp3Code, WEBTRANSPORT_CODES } from './error-codes.ts'

describe('WebTransport error codes', () => {
  it('begin and end where the draft says', () => {
    expect(toHttp3Code(0)).toBe(0x52e4a40fa8db)
    expect(toHttp3Code(0xffff_ffff)).toBe(0x52e5ac983162)
  })

  it('come back as they went, and never take a reserved number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (code) => {
        const wire = toHttp3Code(code)
        expect((wire - 0x21) % 0x1f).not.toBe(0)
        expect(fromHttp3Code(wire)).toBe(code)
      }),
    )
  })

  it('are no other numbers', () => {
    for (const code of [0, 0x10c, 0x52e4a40fa8da, 0x52e5ac983163, 2 ** 53]) {
      expect(fromHttp3Code(code)).toBeNull()
      expect(WEBTRANSPORT_CODES.fromWire(code)).toBe(0)
    }
    // The first reserved number of the range.
    const reserved = 0x52e4a40fa8db + 30
    expect((reserved - 0x21) % 0x1f).toBe(0)
    expect(fromHttp3Code(reserved)).toBeNull()
  })
})
