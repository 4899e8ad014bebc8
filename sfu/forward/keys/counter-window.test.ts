import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CounterWindow, MAX_JUMP, WINDOW } from './counter-window.ts'

const TWO_32 = 0x1_0000_0000

function take(window: CounterWindow, counter: number) {
  return window.take(Math.floor(counter / TWO_32), counter >>> 0)
}

describe('the counter window', () => {
  it('takes a first counter of any value as fresh', () => {
    for (const first of [0, 7, TWO_32 - 1, 2 ** 52]) {
      const window = new CounterWindow()
      expect(take(window, first)).toBe('fresh')
      expect(window.highest).toBe(first)
    }
  })

  it('takes counters in any order within the window, each once', () => {
    const start = TWO_32 - WINDOW / 2
    const counters = fc.shuffledSubarray(
      Array.from({ length: WINDOW }, (_, i) => start + i),
      { minLength: 1 },
    )
    fc.assert(
      fc.property(counters, (order) => {
        const window = new CounterWindow()
        expect(order.every((counter) => take(window, counter) === 'fresh')).toBe(true)
        expect(order.every((counter) => take(window, counter) === 'replayed')).toBe(true)
        expect(window.highest).toBe(Math.max(...order))
      }),
      { numRuns: 20 },
    )
  })

  it('agrees with a set of what came, for steps up and down', () => {
    const steps = fc.array(fc.integer({ min: -WINDOW - 50, max: WINDOW + 50 }), { maxLength: 300 })
    fc.assert(
      fc.property(steps, (moves) => {
        const window = new CounterWindow()
        const seen = new Set<number>()
        let highest = -1
        let at = 100_000
        for (const move of moves) {
          at = Math.max(0, at + move)
          const fresh = seen.has(at) ? 'replayed' : 'fresh'
          const expected = highest >= 0 && at <= highest - WINDOW ? 'regressed' : fresh
          expect(take(window, at)).toBe(expected)
          seen.add(at)
          highest = Math.max(highest, at)
        }
      }),
    )
  })

  it('calls a counter behind the window a regression, and stays where it is', () => {
    const window = new CounterWindow()
    take(window, 10_000)
    expect(take(window, 10_000 - WINDOW)).toBe('regressed')
    expect(take(window, 10_001 - WINDOW)).toBe('fresh')
    expect(take(window, 0)).toBe('regressed')
    expect(take(window, 10_001)).toBe('fresh')
  })

  it('does not move for a single jump, and does when the sender goes on there', () => {
    const window = new CounterWindow()
    take(window, 5)
    const far = 10 + MAX_JUMP
    expect(take(window, far)).toBe('jumped')
    expect(take(window, 6)).toBe('fresh')
    expect(take(window, far)).toBe('jumped')
    expect(take(window, far + 1)).toBe('fresh')
    expect(take(window, 7)).toBe('regressed')
    expect(window.highest).toBe(far + 1)
  })

  it('allows what a publisher gives up before it is sent', () => {
    const window = new CounterWindow()
    take(window, 0)
    expect(take(window, MAX_JUMP)).toBe('fresh')
  })

  it('forgets all when it is reset', () => {
    const window = new CounterWindow()
    take(window, 9)
    window.reset()
    expect(take(window, 9)).toBe('fresh')
  })
})
