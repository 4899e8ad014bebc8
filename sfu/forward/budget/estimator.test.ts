import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Estimator } from './estimator.ts'
import type { PathSample } from './path-sample.ts'

const OPTIONS = { initial: 1e6, min: 50_000, max: 1e8 }

const sampleAt = (at: number, changes: Partial<PathSample> = {}): PathSample => ({
  at,
  deliveryRate: 0.5e6,
  toldRate: 0,
  arrivedRate: Math.min(changes.deliveryRate ?? 0.5e6, changes.sendRate ?? 0.5e6),
  sendRate: 0.5e6,
  windowMs: 200,
  rttMs: 50,
  queueMs: 0,
  seesQueue: true,
  lossShare: 0,
  waiting: false,
  standingMs: 0,
  arrivedBytes: 0,
  ...changes,
})

function feed(estimator: Estimator, from: number, to: number, changes: Partial<PathSample>): void {
  for (let at = from; at < to; at += 50) estimator.onSample(sampleAt(at, changes))
}

describe('an estimate', () => {
  it('goes up by what arrived for sure', () => {
    const estimator = new Estimator(OPTIONS)
    estimator.onSample(sampleAt(0, { deliveryRate: 9e6, arrivedRate: 2e6 }))
    expect(estimator.bitsPerSecond).toBe(2e6)
    expect(estimator.proven(0)).toBe(2e6)
  })

  it('does not go down for less being sent, nor for a large frame that waits a moment', () => {
    const estimator = new Estimator(OPTIONS)
    feed(estimator, 0, 5000, {})
    feed(estimator, 5000, 5200, { waiting: true })
    feed(estimator, 5200, 6000, {})
    expect(estimator.bitsPerSecond).toBe(1e6)
    expect(estimator.proven(6000)).toBe(0.5e6)
  })

  it('follows what arrives while media keeps waiting', () => {
    const estimator = new Estimator(OPTIONS)
    feed(estimator, 0, 1000, { waiting: true })
    expect(estimator.bitsPerSecond).toBeCloseTo(0.5e6, -4)
    expect(estimator.decreasedAt).toBeGreaterThan(0)
    feed(estimator, 1000, 3000, { waiting: true, deliveryRate: 2e6, sendRate: 2e6 })
    expect(estimator.bitsPerSecond).toBeCloseTo(2e6, -4)
  })

  it('does not fall with what is sent while a shrunken window drains and things arrive', () => {
    const estimator = new Estimator(OPTIONS)
    feed(estimator, 0, 3000, { waiting: true, deliveryRate: 0.9e6, sendRate: 0 })
    expect(estimator.bitsPerSecond).toBeCloseTo(0.9e6, -4)
  })

  it('goes down for a queue only when less arrives than is sent: else it is of others', () => {
    const estimator = new Estimator(OPTIONS)
    feed(estimator, 0, 2000, { queueMs: 200, rttMs: 250 })
    expect(estimator.bitsPerSecond).toBe(1e6)
    feed(estimator, 2000, 4000, { queueMs: 200, rttMs: 250, sendRate: 0.8e6 })
    expect(estimator.bitsPerSecond).toBeCloseTo(0.5e6, -4)
  })

  it('does not go down for loss of 5 %, but for loss of 20 % with less arriving', () => {
    const estimator = new Estimator(OPTIONS)
    feed(estimator, 0, 2000, { lossShare: 0.05, sendRate: 0.6e6 })
    expect(estimator.bitsPerSecond).toBe(1e6)
    feed(estimator, 2000, 4000, { lossShare: 0.2, sendRate: 0.6e6 })
    expect(estimator.bitsPerSecond).toBeLessThan(0.6e6)
  })

  it('loses its proof after half a minute', () => {
    const estimator = new Estimator(OPTIONS)
    feed(estimator, 0, 1000, { deliveryRate: 3e6, sendRate: 3e6 })
    feed(estimator, 1000, 40_000, {})
    expect(estimator.bitsPerSecond).toBe(3e6)
    expect(estimator.proven(40_000)).toBe(0.5e6)
  })

  it('is refuted by a third at most, and never below what media takes', () => {
    const estimator = new Estimator(OPTIONS)
    estimator.refute(0.1e6, 0, 0)
    expect(estimator.bitsPerSecond).toBeCloseTo(0.7e6)
    estimator.refute(0.5e6, 0, 0)
    expect(estimator.bitsPerSecond).toBeCloseTo(0.625e6)
  })

  it('is not refuted where as much was seen to arrive as it says', () => {
    const estimator = new Estimator(OPTIONS)
    estimator.refute(0.3e6, 1.1e6, 0)
    expect(estimator.bitsPerSecond).toBe(1e6)
    estimator.refute(0.3e6, 0.9e6, 0)
    expect(estimator.bitsPerSecond).toBeCloseTo(0.9e6)
  })

  it('stays within its bounds, whatever it is told', () => {
    const figure = fc.double({ min: 0, max: 1e12, noNaN: true })
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            deliveryRate: figure,
            sendRate: figure,
            rttMs: figure,
            queueMs: figure,
            waiting: fc.boolean(),
          }),
        ),
        (samples) => {
          const estimator = new Estimator(OPTIONS)
          samples.forEach((changes, index) => {
            estimator.onSample(sampleAt(index * 50, changes))
            const { bitsPerSecond } = estimator
            expect(bitsPerSecond).toBeGreaterThanOrEqual(OPTIONS.min)
            expect(bitsPerSecond).toBeLessThanOrEqual(OPTIONS.max)
            const proven = estimator.proven(index * 50)
            expect(proven >= 0 && proven <= bitsPerSecond).toBe(true)
          })
        },
      ),
    )
  })
})
