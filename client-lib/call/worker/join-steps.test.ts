import { expect, it } from 'vitest'
import type { JoinStep } from '../join-times.ts'
import { JoinSteps } from './join-steps.ts'

it('a step of the join is told once, however often it is reached', () => {
  const told: JoinStep[] = []
  const steps = new JoinSteps((step) => told.push(step))
  for (const step of ['transport', 'keys', 'transport', 'firstObject', 'keys'] as const) {
    steps.reach(step)
  }
  expect(told).toEqual(['transport', 'keys', 'firstObject'])
})
