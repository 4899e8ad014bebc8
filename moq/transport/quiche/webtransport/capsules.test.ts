import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { H3Error } from '../h3/errors.ts'
import { encodeFrame } from '../h3/frames.ts'
import { CAPSULE_DRAIN_SESSION, capsuleReader, encodeCloseSession } from './capsules.ts'

function recorder() {
  const seen: unknown[] = []
  const reader = capsuleReader({
    onCloseSession: (code, reason) => seen.push([code, reason]),
    onDrainSession: () => seen.push('drain'),
  })
  return { seen, reader }
}

describe('capsules', () => {
  it('carry code and reason of a close, and a drain', () => {
    const { seen, reader } = recorder()
    reader.push(encodeFrame(0x190b4d38, new Uint8Array(500)))
    reader.push(encodeFrame(CAPSULE_DRAIN_SESSION, new Uint8Array(0)))
    reader.push(encodeCloseSession(0xffff_ffff, 'grüße'))
    expect(seen).toEqual(['drain', [0xffff_ffff, 'grüße']])
  })

  it('cut a long reason between characters', () => {
    const { seen, reader } = recorder()
    reader.push(encodeCloseSession(1, `x${'ü'.repeat(600)}`))
    expect(seen).toEqual([[1, `x${'ü'.repeat(511)}`]])
  })

  it('are refused when too long or too short', () => {
    expect(() => recorder().reader.push(encodeFrame(0x2843, new Uint8Array(1029)))).toThrow(H3Error)
    expect(() => recorder().reader.push(encodeFrame(0x2843, new Uint8Array(3)))).toThrow(H3Error)
  })

  it('answer hostile bytes with the one error at most', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          recorder().reader.push(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(H3Error)
        }
      }),
    )
  })
})
