import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { H3Error } from './errors.ts'
import { encodeControlStream } from './frames.ts'
import { decodeSettings } from './settings.ts'
import { varints } from './varint.ts'

describe('SETTINGS', () => {
  it('says what browsers look for', () => {
    const stream = encodeControlStream(true)
    // Stream type 0, frame type 4, one byte of length.
    expect([...stream.subarray(0, 2)]).toEqual([0, 4])
    const settings = decodeSettings(stream.subarray(3))
    expect(settings.get(0x08)).toBe(1)
    expect(settings.get(0x33)).toBe(1)
    expect(settings.get(0x2b603742)).toBe(1)
    expect(settings.get(0xc671706a)).toBe(1)
    expect(settings.get(0x14e9cd29)).toBe(1)
    expect(settings.get(0x01)).toBe(0)
  })

  it.each([
    ['cut off', varints(0x33, 1, 0x08)],
    ['repeated', varints(0x33, 1, 0x33, 1)],
    ['of HTTP/2', varints(0x04, 1)],
  ])('is refused when %s', (_what, payload) => {
    expect(() => decodeSettings(payload)).toThrow(H3Error)
  })

  it('answers hostile bytes with settings or the one error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(decodeSettings(bytes).size).toBeLessThanOrEqual(64)
        } catch (error) {
          expect(error).toBeInstanceOf(H3Error)
        }
      }),
    )
  })
})
