import { expect, it } from 'vitest'
import { ManualClock } from '../../../moq/session/manual-clock.ts'
import { startTicker } from './ticker.ts'

it('a ticker keeps its rate: after a late tick the others are made good', () => {
  const clock = new ManualClock()
  const late: number[] = []
  // A clock that only a slow program moves: the third tick takes 50 ms.
  const stop = startTicker(clock, 10, 20, (ms) => {
    late.push(ms)
    if (late.length === 3) clock.advance(50)
  })
  clock.advance(110)
  stop()
  clock.advance(100)
  expect(late).toEqual([0, 0, 0, 30, 10, 0])
  expect(clock.timers).toBe(0)
})
