import { expect, it } from 'vitest'
import { Timeline } from './timeline.ts'

it('a timeline has a step each half second of measuring, and adds up with others', () => {
  const first = new Timeline(1000, 1500)
  first.at(1499)!.objects++
  first.at(2499)!.bytes += 10
  first.frame(1500, 2, 1)
  expect(first.at(999)).toBeNull()
  expect(first.at(2500)).toBeNull()
  first.frame(5000, 0, 0)
  const sum = new Timeline(0, 1500)
  sum.add(first.steps)
  sum.add(first.steps)
  expect(sum.steps).toEqual([
    { objects: 2, bytes: 0, byRendition: [0, 0, 0], byLayer: [0, 0, 0] },
    { objects: 0, bytes: 0, byRendition: [0, 0, 2], byLayer: [0, 2, 0] },
    { objects: 0, bytes: 20, byRendition: [0, 0, 0], byLayer: [0, 0, 0] },
  ])
})
