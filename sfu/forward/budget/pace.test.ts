import { describe, expect, it } from 'vitest'
import { Pace } from './pace.ts'
import type { PathSample } from './path-sample.ts'

const sampleAt = (at: number, changes: Partial<PathSample> = {}): PathSample => ({
  at,
  deliveryRate: 1e6,
  toldRate: 0,
  arrivedRate: 1e6,
  sendRate: 1e6,
  windowMs: 200,
  rttMs: 50,
  queueMs: 0,
  seesQueue: true,
  standingMs: 0,
  arrivedBytes: 0,
  lossShare: 0,
  waiting: false,
  ...changes,
})

/** Samples each 20 ms. @returns the last rate that came out of the queue */
function feed(
  pace: Pace,
  from: number,
  to: number,
  changes: (at: number) => Partial<PathSample>,
): number {
  let rate = 0
  for (let at = from; at < to; at += 20) rate = pace.onSample(sampleAt(at, changes(at)), false)
  return rate
}

describe('a pace', () => {
  it('has no limit before there was a queue', () => {
    const pace = new Pace()
    feed(pace, 0, 5000, () => ({ standingMs: 50 }))
    expect(pace.rate(5000, 1e6)).toBe(Number.POSITIVE_INFINITY)
  })

  it('stops at a queue, tells what comes out of it, and goes on when it is gone', () => {
    const pace = new Pace()
    const standing = { standingMs: 300, queueMs: 300 }
    // 50 bytes a ms: 400 kbit/s.
    const rate = feed(pace, 0, 400, (at) => ({ ...standing, arrivedBytes: 1000 + at * 50 }))
    expect(rate).toBeCloseTo(400_000)
    expect(pace.rate(400, 1e6)).toBe(0)
    feed(pace, 400, 420, () => ({}))
    expect(pace.rate(420, 4e5)).toBe(4e5)
  })

  it('takes a path that pauses and then gives all at once for no slow one', () => {
    const pace = new Pace()
    const paused = feed(pace, 0, 400, () => ({ standingMs: 200, arrivedBytes: 5000 }))
    expect([paused, pace.isHolding]).toEqual([0, true])
    expect(feed(pace, 400, 440, () => ({ arrivedBytes: 90_000 }))).toBe(0)
    expect(pace.isHolding).toBe(false)
  })

  it('does not wait for a queue that stays: others make it', () => {
    const pace = new Pace()
    feed(pace, 0, 3000, () => ({ standingMs: 200, queueMs: 200 }))
    expect(pace.isHolding).toBe(false)
    // Nor when little of ours is out for a moment and the queue is there still.
    feed(pace, 3000, 3100, () => ({ queueMs: 200 }))
    feed(pace, 3100, 3200, () => ({ standingMs: 200, queueMs: 200 }))
    expect(pace.isHolding).toBe(false)
    feed(pace, 3200, 3300, () => ({}))
    feed(pace, 3300, 3400, () => ({ standingMs: 200, queueMs: 200 }))
    expect(pace.isHolding).toBe(true)
  })

  it('stays at what the path carries while more is wanted: that is for probes to find', () => {
    const pace = new Pace()
    pace.onSample(sampleAt(0), true)
    expect(pace.rate(30_000, 1e6, false)).toBe(1e6)
    expect(pace.rate(61_000, 1e6, false)).toBe(Number.POSITIVE_INFINITY)
  })

  it('allows more and more after the last queue, and everything after a minute', () => {
    const pace = new Pace()
    pace.onSample(sampleAt(0), true)
    expect(pace.rate(2000, 1e6)).toBe(1e6)
    expect(pace.rate(7000, 1e6)).toBe(2e6)
    expect(pace.rate(61_000, 1e6)).toBe(Number.POSITIVE_INFINITY)
  })
})
