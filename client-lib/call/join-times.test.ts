import { expect, it } from 'vitest'
import { JoinTimeline } from './join-times.ts'

it('a join keeps the first time of each step, and marks it for developer tools', () => {
  performance.clearMarks()
  const timeline = new JoinTimeline()
  const [{ startTime }] = performance.getEntriesByName('sotto:join') as [PerformanceMark]
  expect(timeline.snapshot.connected).toBeNull()
  timeline.reached('connected', startTime + 40)
  timeline.reached('connected', startTime + 90)
  // Seen by a worker whose clock is a little behind.
  timeline.reached('transport', startTime - 3)
  expect(timeline.snapshot).toMatchObject({ transport: 0, connected: 40, keys: null })
  const marks = performance.getEntriesByName('sotto:connected')
  expect(marks.map((mark) => Math.round(mark.startTime - startTime))).toEqual([40])
})
