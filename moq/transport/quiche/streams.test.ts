import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { NativeConnection } from './binding.ts'
import { RAW_CODES } from './stream-codes.ts'
import { QuicSendStream } from './streams.ts'

const OWNER = { sendLater: () => {}, resetSending: () => {}, setOrder: () => {} }

/** A stream, and what quiche was given of it. @param takes how much of each call, in turn */
function rig(takes: readonly number[] = [Number.POSITIVE_INFINITY]) {
  const stream = new QuicSendStream(OWNER, 3, 0, RAW_CODES)
  const calls: number[] = []
  const given: number[] = []
  let fin = false
  const native = {
    streamSend(_id: number, bytes: Uint8Array, last: boolean) {
      const count = Math.min(bytes.length, takes[calls.length % takes.length]!)
      calls.push(count)
      for (const byte of bytes.subarray(0, count)) given.push(byte)
      fin = last && count === bytes.length
      return count === 0 && bytes.length > 0 ? null : count
    },
  } as unknown as NativeConnection
  return { stream, native, calls, given, ended: () => fin }
}

describe('a stream that sends', () => {
  it('gives quiche small chunks together, with the end', () => {
    const { stream, native, calls, given, ended } = rig()
    stream.write(Uint8Array.of(1))
    stream.write(Uint8Array.of(2, 3))
    stream.write(Uint8Array.of(4))
    stream.finish()
    stream.drain(native, 1000)
    expect(given).toEqual([1, 2, 3, 4])
    expect(calls).toEqual([4])
    expect([ended(), stream.isOver, stream.buffered]).toEqual([true, true, 0])
  })

  it('ends with a call of its own where all was given before', () => {
    const { stream, native, calls, ended } = rig()
    stream.write(Uint8Array.of(1))
    stream.drain(native, 1000)
    stream.finish()
    expect(stream.isDrained).toBe(false)
    stream.drain(native, 1000)
    expect(calls).toEqual([1, 0])
    expect([ended(), stream.isDrained]).toEqual([true, true])
  })

  it('gives every byte once and in order, whatever the chunks, the grants and what quiche takes', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 12 })
    const takes = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 5 })
    const grants = fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(lengths, takes, grants, (lengths, takes, grants) => {
        // At least one call takes something, or it would go on for good.
        const { stream, native, given, ended } = rig([...takes, 1000])
        const written: number[] = []
        for (const [index, length] of lengths.entries()) {
          const chunk = Uint8Array.from({ length }, (_, i) => index * 31 + i)
          written.push(...chunk)
          stream.write(chunk)
          const before = given.length
          stream.drain(native, grants[index % grants.length]!)
          expect(given.length - before).toBeLessThanOrEqual(grants[index % grants.length]!)
          expect(stream.buffered).toBe(written.length - given.length)
        }
        stream.finish()
        while (!stream.isDrained) stream.drain(native, 5000)
        expect(Buffer.compare(Uint8Array.from(given), Uint8Array.from(written))).toBe(0)
        expect([ended(), stream.isOver, stream.taken]).toEqual([true, true, written.length])
      }),
      { numRuns: 50 },
    )
  })
})
