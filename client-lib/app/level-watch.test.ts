import { expect, it } from 'vitest'
import { loudness } from './level-watch.ts'

it('the bar of a microphone moves in steps that sound alike, from silence to full scale', () => {
  expect([0, 0.0001, 0.001].map(loudness)).toEqual([0, 0, 0])
  expect(loudness(0.01)).toBeCloseTo(1 / 3)
  expect(loudness(0.1)).toBeCloseTo(2 / 3)
  expect([1, 2].map(loudness)).toEqual([1, 1])
})
