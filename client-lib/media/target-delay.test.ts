import { describe, expect, it } from 'vitest'
import { randomFrom } from './jitter-simulation.ts'
import { TargetDelay } from './target-delay.ts'

/** Frames of 20 ms whose delays are given, from a time on. */
function arrive(target: TargetDelay, count: number, delayOf: (i: number) => number, from = 0) {
  for (let i = 0; i < count; i++) target.arrived(delayOf(i), from + 20 * i)
  return from + 20 * count
}

describe('TargetDelay', () => {
  it('begins as told, and comes down slowly to the least where the path is even', () => {
    const target = new TargetDelay({ startMs: 60, minMs: 30 })
    arrive(target, 40, () => 1000)
    expect(target.ms).toBe(60)
    const now = arrive(target, 60, () => 1000, 800)
    expect(target.ms).toBeGreaterThan(48)
    arrive(target, 400, () => 1000, now)
    expect(target.ms).toBe(30)
  })

  it('covers all but one frame in a hundred', () => {
    const random = randomFrom(3)
    const target = new TargetDelay()
    arrive(target, 1000, () => 500 + 100 * random())
    expect(target.ms).toBeGreaterThan(95)
    expect(target.ms).toBeLessThanOrEqual(115)
  })

  it('rises at once by a frame that was missed, and never above its most', () => {
    const target = new TargetDelay({ maxMs: 200 })
    arrive(target, 100, () => 50)
    target.missed(170)
    expect(target.ms).toBe(130)
    target.missed(5000)
    expect(target.ms).toBe(200)
  })

  it('takes a path that became longer for the new least after ten seconds', () => {
    const target = new TargetDelay()
    const now = arrive(target, 500, () => 30)
    arrive(target, 250, () => 90, now)
    expect(target.base).toBe(30)
    expect(target.ms).toBeGreaterThanOrEqual(70)
    arrive(target, 1500, () => 90, now + 5000)
    expect(target.base).toBe(90)
    expect(target.ms).toBe(40)
  })

  it('forgets the fastest frame over a long silence, in which clocks drift', () => {
    const target = new TargetDelay()
    arrive(target, 100, () => 30)
    target.arrived(700, 3_600_000)
    expect(target.base).toBe(700)
  })
})
