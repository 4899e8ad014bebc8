import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Histogram } from './histogram.ts'

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram()
  for (const value of values) histogram.record(value)
  return histogram
}

describe('a histogram', () => {
  it('says nothing of nothing', () => {
    expect(new Histogram().percentile(0.5)).toBeNull()
    expect(new Histogram().distribution()).toEqual([])
  })

  it('keeps a percentile to within a sixty-fourth, and the largest exactly', () => {
    const values = fc.array(fc.double({ min: 0.02, max: 500_000, noNaN: true }), { minLength: 1 })
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (times, share) => {
        const sorted = times.toSorted((a, b) => a - b)
        const exact = sorted[Math.max(0, Math.ceil(share * times.length) - 1)]!
        const found = histogramOf(times).percentile(share)!
        expect(found).toBeGreaterThanOrEqual(exact)
        expect(found).toBeLessThanOrEqual(exact * (1 + 1 / 64) + 1e-9)
        expect(histogramOf(times).max).toBe(sorted.at(-1))
      }),
    )
  })

  it('adds up with others as if all had been recorded in one', () => {
    const [first, second] = [
      [1, 2, 3, 400],
      [0.001, 2, 1e9],
    ]
    const sum = Histogram.from(histogramOf(first!).toData())
    sum.add(histogramOf(second!).toData())
    expect(sum.toData()).toEqual(histogramOf([...first!, ...second!]).toData())
    expect(sum.count).toBe(7)
  })

  it('gives a distribution that ends with all', () => {
    const points = histogramOf([1, 1, 2, 8]).distribution()
    expect(points.map(([, share]) => share)).toEqual([0.5, 0.75, 1])
    expect(points.at(-1)![0]).toBe(8)
  })

  it('takes a time below zero, as clocks allow, for the least', () => {
    expect(histogramOf([-1, Number.NaN]).percentile(1)).toBeLessThan(0.02)
  })
})
