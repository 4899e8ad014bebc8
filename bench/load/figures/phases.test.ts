import { expect, it } from 'vitest'
import { Phases } from './phases.ts'

it('phases follow each other from the start of measuring, and nothing is in one outside', () => {
  const phases = new Phases(1000, [
    { name: 'good', ms: 100 },
    { name: 'bad', ms: 50 },
  ])
  expect([999, 1000, 1099.9, 1100, 1149, 1150].map((time) => phases.at(time))).toEqual([
    -1, 0, 0, 1, 1, -1,
  ])
  expect(phases.end).toBe(1150)
})
