import { describe, expect, it } from 'vitest'
import { filler } from './filler.ts'
import { readStamp, STAMP_BYTES, writeStamp } from './stamp.ts'

describe('a stamp', () => {
  it('is read as it was written, in the first bytes of a payload', () => {
    const payload = new Uint8Array(20).fill(9)
    writeStamp(payload, 1234.5678)
    expect(readStamp(payload)).toBe(1234.5678)
    expect(payload.subarray(STAMP_BYTES)).toEqual(new Uint8Array(12).fill(9))
  })

  it('is not read from what is too short or no time', () => {
    expect(readStamp(new Uint8Array(STAMP_BYTES - 1))).toBeNull()
    expect(readStamp(new Uint8Array(STAMP_BYTES).fill(0xff))).toBeNull()
  })

  it('has room in the smallest frame', () => {
    expect(filler(1).length).toBeGreaterThanOrEqual(STAMP_BYTES)
    expect(filler(300_000).length).toBe(300_000)
  })
})
