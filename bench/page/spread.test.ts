import { expect, it } from 'vitest'
import { percentilesOf } from './spread.ts'

it('percentiles are values that were measured, by nearest rank', () => {
  const values = Array.from({ length: 20 }, (_, i) => 20 - i)
  expect(percentilesOf(values)).toEqual({ count: 20, p50: 10, p95: 19, max: 20 })
  expect(percentilesOf([7])).toEqual({ count: 1, p50: 7, p95: 7, max: 7 })
})

it('nothing measured is no figure', () => {
  expect(percentilesOf([])).toEqual({ count: 0, p50: null, p95: null, max: null })
})
