import { expect, it } from 'vitest'
import { SeenObjects } from './seen-objects.ts'

it('an object is new once, in each group', () => {
  const seen = new SeenObjects()
  expect([seen.add(1, 0), seen.add(1, 1), seen.add(2, 0), seen.add(1, 1)]).toEqual([
    true,
    true,
    true,
    false,
  ])
})

it('what is remembered is bounded: old groups are forgotten', () => {
  const seen = new SeenObjects()
  for (let group = 0; group < 1000; group++) seen.add(group, 0)
  expect(seen.add(999, 0)).toBe(false)
  expect(seen.add(0, 0)).toBe(true)
})
