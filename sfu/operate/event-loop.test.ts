import { afterEach, describe, expect, it } from 'vitest'
import { EventLoopWatch, ILL_LAG_MS, illnessOf } from './event-loop.ts'

let loop: EventLoopWatch

afterEach(() => loop.close())

describe('EventLoopWatch', () => {
  it('is well at the start, and tells of what was since the last look', async () => {
    loop = new EventLoopWatch()
    expect(loop.illness).toBeNull()
    // Lets the watch begin, blocks, and lets it look again: real time is what is measured.
    await new Promise((resolve) => setTimeout(resolve, 30))
    const end = performance.now() + 120
    while (performance.now() < end);
    await new Promise((resolve) => setTimeout(resolve, 30))
    const { lagMs, busy } = loop.take([0.5, 1])
    expect(lagMs[1]).toBeGreaterThan(50)
    expect(lagMs[0]).toBeLessThanOrEqual(lagMs[1]!)
    expect(busy).toBeGreaterThan(0.3)
    expect(loop.take([1]).lagMs).toEqual([0])
  })

  it('says that it is ill where timers run late by far', () => {
    loop = new EventLoopWatch()
    expect(illnessOf(ILL_LAG_MS - 1)).toBeNull()
    expect(illnessOf(1234.5)).toBe('the event loop runs 1235 ms late (99th percentile)')
  })
})
