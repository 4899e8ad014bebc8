import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { allocate, type Claim, type Tier } from './allocate.ts'
import { ladderOf } from './ladder.ts'
import { CAMERA, NO_LIMITS } from './test-sources.ts'

const LADDER = ladderOf(CAMERA, NO_LIMITS, 'face')
const AUDIO = [{ rendition: 0, temporalLayers: 1, bits: 32_000 }]

const claim = (tier: Tier, changes: Partial<Claim> = {}): Claim => ({
  tier,
  priority: 128,
  ladder: tier === 'audio' ? AUDIO : LADDER,
  ...changes,
})

const FIRST: readonly Tier[] = ['audio', 'front', 'video', 'screen']
const FURTHER: readonly Tier[] = ['audio', 'front', 'screen', 'video']

/** All granted steps, as numbers that ascend in the order in which they are granted. */
function grants(claims: readonly Claim[], steps: readonly number[]): Set<string> {
  const all = new Set<string>()
  steps.forEach((top, index) => {
    const { tier, priority } = claims[index]!
    for (let step = 0; step <= top; step++) {
      const place =
        step === 0
          ? [0, FIRST.indexOf(tier), priority, 0, index]
          : [1, FURTHER.indexOf(tier), priority, step, index]
      all.add(place.map((part) => String(part).padStart(4, '0')).join(' '))
    }
  })
  return all
}

const ladder = fc
  .array(fc.integer({ min: 1, max: 100 }), { maxLength: 5 })
  .map((costs) =>
    [...new Set(costs)]
      .sort((a, b) => a - b)
      .map((bits, rendition) => ({ rendition, temporalLayers: 1, bits })),
  )
const claims: fc.Arbitrary<Claim[]> = fc.array(
  fc.record({
    tier: fc.constantFrom('audio', 'front', 'video', 'screen'),
    priority: fc.nat(2),
    ladder,
  }),
  { maxLength: 8 },
)

describe('an allocation', () => {
  it('gives everybody a picture first, then better ones by rank', () => {
    const all = [claim('video'), claim('front'), claim('screen'), claim('audio')]
    const at = (budget: number) => allocate(budget, all).steps
    expect(at(0)).toEqual([-1, -1, -1, 0])
    expect(at(100_000)).toEqual([-1, 0, -1, 0])
    expect(at(212_000)).toEqual([0, 0, 0, 0])
    expect(at(700_000)).toEqual([0, 4, 1, 0])
    expect(at(4_200_000)).toEqual([4, 6, 6, 0])
    expect(at(1e9)).toEqual([6, 6, 6, 0])
  })

  it('goes by priority within a rank, and in turns among equals', () => {
    const [first, second] = [claim('video', { priority: 200 }), claim('video', { priority: 10 })]
    expect(allocate(400_000, [first, second]).steps).toEqual([1, 3])
    expect(allocate(400_000, [claim('video'), claim('video')]).steps).toEqual([2, 2])
  })

  it('never costs more than the budget, but for sound', () => {
    fc.assert(
      fc.property(claims, fc.nat(500), (all, budget) => {
        const { steps, bits } = allocate(budget, all)
        const costs = steps.map((step, index) => all[index]!.ladder[step]?.bits ?? 0)
        expect(bits).toBe(costs.reduce((sum, cost) => sum + cost, 0))
        const sound = costs.filter((_, index) => all[index]!.tier === 'audio')
        const needed = sound.reduce((sum, cost) => sum + cost, 0)
        expect(bits).toBeLessThanOrEqual(Math.max(budget, needed))
        all.forEach(({ tier, ladder: own }, index) => {
          if (tier === 'audio') expect(steps[index]).toBe(own.length - 1)
        })
      }),
    )
  })

  it('with a larger budget loses no step but for one that comes earlier', () => {
    fc.assert(
      fc.property(claims, fc.nat(400), fc.nat(200), (all, budget, more) => {
        const small = grants(all, allocate(budget, all).steps)
        const large = grants(all, allocate(budget + more, all).steps)
        const [first] = [...small, ...large]
          .filter((grant) => small.has(grant) !== large.has(grant))
          .sort()
        if (first !== undefined) expect(large.has(first)).toBe(true)
      }),
    )
  })

  it('respects the limit of each claim', () => {
    fc.assert(
      fc.property(claims, fc.nat(500), fc.integer({ min: -1, max: 4 }), (all, budget, limit) => {
        const { steps } = allocate(
          budget,
          all.map((one) => ({ ...one, limit })),
        )
        for (const step of steps) expect(step).toBeLessThanOrEqual(limit)
      }),
    )
  })

  it('leaves nothing unused that the next step of anybody would fit into', () => {
    fc.assert(
      fc.property(claims, fc.nat(500), (all, budget) => {
        const { steps, bits } = allocate(budget, all)
        all.forEach(({ ladder: own }, index) => {
          const next = own[steps[index]! + 1]
          // Who got no picture before the others' better ones may have to wait for a larger budget.
          if (!next || steps[index] === -1) return
          expect(bits + next.bits - own[steps[index]!]!.bits).toBeGreaterThan(budget)
        })
      }),
    )
  })
})
