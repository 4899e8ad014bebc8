import { expect, it } from 'vitest'
import { decodeReceiverReport, encodeReceiverReport } from '../../moq/media/index.ts'
import { ANY_SIZE, completeView, wishOf } from './participant-view.ts'

it('a view is completed and rounded, so that a report does not tell of each move of a window', () => {
  expect(completeView({ width: 641.5, height: 360 })).toEqual({
    ...ANY_SIZE,
    width: 704,
    height: 384,
  })
  expect(completeView({ width: 0, height: 0, hidden: true, pinned: true, priority: 3 })).toEqual({
    ...ANY_SIZE,
    hidden: true,
    pinned: true,
    priority: 3,
  })
})

it.each([
  [{ width: Number.NaN, height: -5 }],
  [{ width: 1e9, height: Number.POSITIVE_INFINITY, framerate: 1e9, priority: 1e9 }],
  [{ width: 1, height: 1, framerate: -1, priority: Number.NaN }],
])('whatever a page says, a report can: %j', (view) => {
  const wishes = [wishOf('ann', 'camera', completeView(view))]
  const report = { arrivals: null, wishes }
  expect(decodeReceiverReport(encodeReceiverReport(report))).toEqual(report)
})
