import { expect, it } from 'vitest'
import { parseConditions } from '../../net/conditions.ts'
import { conditionsText } from './link-process.ts'

it('conditions reach the shaper as they are planned', () => {
  const all = { rate: 500_000, delayMs: 20, jitterMs: 200, loss: 0.05, queueBytes: 64_000 }
  for (const conditions of [all, { rate: Number.POSITIVE_INFINITY }, { rate: 0 }, {}]) {
    expect(parseConditions(conditionsText(conditions))).toEqual(conditions)
  }
})
