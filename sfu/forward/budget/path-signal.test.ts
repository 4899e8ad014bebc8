import { describe, expect, it } from 'vitest'
import type { Congestion } from '../../../moq/transport/transport.ts'
import { PathSignal } from './path-signal.ts'

const path = (changes: Partial<Congestion> = {}): Congestion => ({
  rttMs: 40,
  congestionWindow: 20_000,
  bytesInFlight: null,
  deliveryRate: 1e6,
  lostPackets: 0,
  ...changes,
})

describe('a path signal', () => {
  it('takes the queue from the round trips of the last half minute', () => {
    const signal = new PathSignal()
    expect(signal.sample(0, path(), 0, 0)).toMatchObject({ queueMs: 0, rttMs: 40 })
    expect(signal.sample(50, path({ rttMs: 100 }), 0, 0)).toMatchObject({ queueMs: 60 })
    // A longer route is no queue for ever.
    for (let now = 100; now < 31_000; now += 100) signal.sample(now, path({ rttMs: 100 }), 0, 0)
    expect(signal.sample(31_000, path({ rttMs: 100 }), 0, 0)).toMatchObject({ queueMs: 0 })
  })

  it('counts rates over a round trip at least, and loss over a second', () => {
    const signal = new PathSignal()
    let lost = 0
    for (let now = 0; now <= 2000; now += 50) {
      if (now % 100 === 0) lost++
      const sample = signal.sample(now, path({ rttMs: 400, lostPackets: lost }), now * 120, 0)
      if (now < 1200) continue
      // 120 bytes a ms, that is a packet each 10 ms, of which one each 100 ms is lost.
      expect(sample.sendRate).toBeCloseTo(960_000)
      expect(sample.windowMs).toBe(400)
      expect(sample.lossShare).toBeCloseTo(0.1, 1)
    }
  })

  it('does not take a bunch of acknowledgements for a fast path', () => {
    const signal = new PathSignal()
    const arrived = [1, 9, 9, 9, 1, 9].map((rate, index) => {
      const sample = signal.sample(
        index * 50,
        path({ deliveryRate: rate * 1e6 }),
        index * 62_500,
        0,
      )
      return sample.arrivedRate / 1e6
    })
    // 10 Mbit/s are sent from the second sample on.
    expect(arrived).toEqual([0, 0, 1, 9, 1, 1])
  })

  it('does not believe an engine that repeats itself: there are no acknowledgements', () => {
    const signal = new PathSignal()
    let rate = 1
    for (let now = 0; now <= 1500; now += 50) {
      rate = signal.sample(now, path(), Math.min(now, 500) * 125, 1).deliveryRate
      if (now <= 500) expect(rate).toBe(1e6)
    }
    expect(rate).toBe(0)
  })

  it('goes by fresh reports without an engine, by what is taken without reports', () => {
    const signal = new PathSignal()
    const report = { intervalMs: 200, bytes: 50_000, received: 90, lost: 10, queueMs: 15 }
    signal.onReport(0, report)
    expect(signal.sample(100, null, 0, 0)).toMatchObject({
      deliveryRate: 2e6,
      lossShare: 0.1,
      queueMs: 15,
      seesQueue: true,
    })
    for (let now = 1500; now < 2000; now += 50) signal.sample(now, null, 0, 0)
    expect(signal.sample(2000, null, 25_000, 1)).toMatchObject({
      deliveryRate: 1e6,
      sendRate: 1e6,
      seesQueue: false,
      waiting: true,
    })
  })

  it('prefers the engine to reports', () => {
    const signal = new PathSignal()
    signal.onReport(0, { intervalMs: 200, bytes: 5e6, received: 90, lost: 10, queueMs: 15 })
    expect(signal.sample(1, path(), 0, 0)).toMatchObject({ deliveryRate: 1e6, lossShare: 0 })
  })
})
