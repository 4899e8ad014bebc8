import { describe, expect, it } from 'vitest'
import { Histogram } from './histogram.ts'

describe('Histogram', () => {
  it('counts a value in the first bucket whose bound it does not exceed', () => {
    const histogram = new Histogram([1, 5, 10])
    for (const value of [-1, 0, 1, 1.1, 5, 9, 10, 10.1, 1e9]) histogram.observe(value)
    expect([...histogram.counts]).toEqual([3, 2, 2, 2])
    expect(histogram.count).toBe(9)
  })

  it('sums what was observed, and nothing below zero', () => {
    const histogram = new Histogram([1])
    for (const value of [-4, 0.5, 2]) histogram.observe(value)
    expect(histogram.sum).toBe(2.5)
  })
})
