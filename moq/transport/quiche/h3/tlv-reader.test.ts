import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { H3Error } from './errors.ts'
import { encodeFrame } from './frames.ts'
import { TlvReader } from './tlv-reader.ts'

/** Type 1 whole up to 100 bytes, type 0 in parts, everything else skipped. */
function recorder() {
  const whole: [number, number][] = []
  let parts = 0
  const reader = new TlvReader({
    onType: (type) => (type === 1 ? 100 : type === 0 ? 'parts' : 'skip'),
    onItem: (type, value) => whole.push([type, value.length]),
    onPart: (_type, bytes) => {
      parts += bytes.length
    },
  })
  return { reader, whole, parts: () => parts }
}

describe('frames and capsules', () => {
  it('are found however the bytes are cut', () => {
    const bytes = Buffer.concat([
      encodeFrame(1, new Uint8Array(40)),
      encodeFrame(0, new Uint8Array(1000)),
      encodeFrame(0x1234567, new Uint8Array(70)),
      encodeFrame(1, new Uint8Array(0)),
    ])
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (steps) => {
        const { reader, whole, parts } = recorder()
        let at = 0
        for (let i = 0; at < bytes.length; i++) {
          const end = at + steps[i % steps.length]!
          reader.push(bytes.subarray(at, end))
          at = end
        }
        expect(whole).toEqual([
          [1, 40],
          [1, 0],
        ])
        expect(parts()).toBe(1000)
        expect(reader.isBetweenItems).toBe(true)
      }),
    )
  })

  it('are refused as soon as their length says that they are too long', () => {
    const { reader } = recorder()
    expect(() => reader.push(Uint8Array.from([1, 0x40, 101]))).toThrow(H3Error)
  })

  it('never cost more than they may, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }), (pieces) => {
        const { reader, whole } = recorder()
        try {
          for (const piece of pieces) reader.push(piece)
        } catch (error) {
          expect(error).toBeInstanceOf(H3Error)
        }
        for (const [, length] of whole) expect(length).toBeLessThanOrEqual(100)
      }),
    )
  })
})
