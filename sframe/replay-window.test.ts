import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReplayWindow } from './replay-window.ts'
import { MAX_UINT64, toUInt64, type UInt64 } from './uint64.ts'

/** The definition, without a bitmap. */
class Model {
  readonly #accepted = new Set<bigint>()
  #highest = -1n

  verdict(ctr: bigint, size: bigint): string {
    if (this.#accepted.has(ctr) && this.#highest - ctr < size) return 'replayed'
    return this.#highest - ctr >= size ? 'too-old' : 'fresh'
  }

  accept(ctr: bigint): void {
    this.#accepted.add(ctr)
    if (ctr > this.#highest) this.#highest = ctr
  }
}

describe('replay window', () => {
  it.each([32, 128])('of %i decides as the definition does, for any sequence', (size) => {
    const start = fc.constantFrom(0n, 2n ** 31n, 2n ** 32n, 2n ** 53n - 100n, MAX_UINT64 - 5000n)
    const offset = fc.oneof(fc.nat(60), fc.nat(300), fc.nat(5000))
    fc.assert(
      fc.property(start, fc.array(offset, { maxLength: 200 }), (base, offsets) => {
        const window = new ReplayWindow(size)
        const model = new Model()
        for (const step of offsets) {
          const ctr = base + BigInt(step)
          const canonical = toUInt64(ctr)
          const expected = model.verdict(ctr, BigInt(size))
          expect(window.check(canonical)).toBe(expected)
          expect(window.commit(canonical)).toBe(expected)
          if (expected === 'fresh') model.accept(ctr)
        }
      }),
    )
  })

  it('accepts each counter once, in whatever order within its size', () => {
    const counters = Array.from({ length: 64 }, (_, index) => index + 1000)
    fc.assert(
      fc.property(fc.shuffledSubarray(counters, { minLength: 64 }), (order) => {
        const window = new ReplayWindow(64)
        expect(order.map((ctr) => window.commit(ctr))).toEqual(order.map(() => 'fresh'))
        expect(order.map((ctr) => window.commit(ctr))).toEqual(order.map(() => 'replayed'))
      }),
    )
  })

  it('is not moved by a check', () => {
    const window = new ReplayWindow(32)
    window.commit(5)
    expect(window.check(1_000_000)).toBe('fresh')
    expect(window.check(4)).toBe('fresh')
    expect(window.commit(6)).toBe('fresh')
  })

  it('holds to the end of the counters', () => {
    const window = new ReplayWindow(32)
    const last: UInt64 = MAX_UINT64
    expect(window.commit(0)).toBe('fresh')
    expect(window.commit(last)).toBe('fresh')
    expect(window.commit(last)).toBe('replayed')
    expect(window.commit(last - 31n)).toBe('fresh')
    expect(window.commit(last - 32n)).toBe('too-old')
    expect(window.commit(0)).toBe('too-old')
  })

  it.each([0, 16, 33, 96, 2 ** 21, Number.NaN])('has no size of %s', (size) => {
    expect(() => new ReplayWindow(size)).toThrow(RangeError)
  })
})
