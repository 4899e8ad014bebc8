import { afterEach, describe, expect, it } from 'vitest'
import { EventLoopWatch, ILL_LAG_MS, illnessOf } from './event-loop.ts'
import { blockLoop } from './test-blocked-loop.ts'

let loop: EventLoopWatch | undefined

afterEach(() => loop?.close())

describe('EventLoopWatch', () => {
  it('is well at the start, and tells of what was since the last look', async () => {
    const began = performance.now()
    loop = new EventLoopWatch()
    expect(loop.illness).toBeNull()
    await blockLoop()
    const { lagMs, busy } = loop.take([0.5, 1])
    expect(lagMs[1]).toBeGreaterThan(50)
    expect(lagMs[0]).toBeLessThanOrEqual(lagMs[1]!)
    // Of the whole time, which is long on a machine that has other work.
    expect(busy).toBeGreaterThan(100 / (performance.now() - began))
    expect(loop.take([1]).lagMs).toEqual([0])
  })

  it('says how ill it is where timers run late by far', () => {
    expect(illnessOf(ILL_LAG_MS - 1)).toBeNull()
    expect(illnessOf(1234.5)).toBe('the event loop runs 1235 ms late (99th percentile)')
    expect(illnessOf(30, 20)).toBe('the event loop runs 30 ms late (99th percentile)')
  })

  it('is ill, and says so each time, where timers run later than they may', async () => {
    const told: (string | null)[] = []
    loop = new EventLoopWatch({
      illLagMs: 20,
      healthMs: 60,
      onIll: () => told.push(loop!.illness),
    })
    await blockLoop()
    await expect.poll(() => told[0]).toMatch(/^the event loop runs \d+ ms late/)
  })
})
