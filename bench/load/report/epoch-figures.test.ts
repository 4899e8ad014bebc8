import { expect, it } from 'vitest'
import type { RunRecord } from '../run.ts'
import { epochChanges } from './epoch-figures.ts'
import { recordOf } from './test-record.ts'

/** A run from 0 to 1000 ms. @param epochs of each member: number and time */
function runOf(epochs: readonly (readonly (readonly [epoch: number, at: number])[])[]): RunRecord {
  const record = recordOf(epochs.map(() => ({ firstAt: 0, audio: 0 })))
  const [worker] = record.workers
  const [publisher, ...watchers] = worker!.participants
  const participants = watchers.map((watcher, index) => ({
    ...watcher,
    epochs: epochs[index]!.map(([epoch, at]) => ({ group: 'g', epoch, at })),
  }))
  return {
    ...record,
    plan: { ...record.plan, mls: 'classical' },
    workers: [{ ...worker!, participants: [publisher!, ...participants] }],
  }
}

it('a change of epoch is how much later than the first the other members have its keys', () => {
  const first = [
    [0, -500],
    [1, 100],
    [2, 300],
  ] as const
  const second = [
    [1, 90],
    [2, 340],
  ] as const
  expect(epochChanges([runOf([first, second, [[2, 390]]])])).toEqual({
    count: 2,
    lags: [10, 40, 90],
  })
})

it('changes before and after measuring do not count, nor do rooms without a group', () => {
  const times = [
    [1, -10],
    [2, 1000],
  ] as const
  expect(epochChanges([runOf([times, times])])).toEqual({ count: 0, lags: [] })
  expect(epochChanges([recordOf([])])).toBeNull()
})
