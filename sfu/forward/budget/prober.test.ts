import { describe, expect, it } from 'vitest'
import type { PathSample } from './path-sample.ts'
import { type ProbeOutcome, Prober, type ProbeWish } from './prober.ts'

const sampleAt = (at: number, changes: Partial<PathSample> = {}): PathSample => ({
  at,
  deliveryRate: 1e6,
  toldRate: 0,
  arrivedRate: Math.min(changes.deliveryRate ?? 1e6, changes.sendRate ?? 1e6),
  sendRate: 1e6,
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

const WISH: ProbeWish = {
  wanted: 9e6,
  estimate: 1e6,
  proven: 1e6,
  full: false,
  decreasedAt: Number.NEGATIVE_INFINITY,
}

/** One probe from the first sample that may begin it; how long it waited and how it ended. */
function probe(prober: Prober, from: number, changes: Partial<PathSample>, wish = WISH) {
  let at = from
  while (prober.target === 0) prober.onSample(sampleAt(at++), wish)
  const waited = at - 1 - from
  const { target } = prober
  let outcome: ProbeOutcome | null = null
  while (!outcome) outcome = prober.onSample(sampleAt(at++, changes), wish)
  return { waited, target, outcome, length: at - 1 - from - waited, end: at }
}

describe('a prober', () => {
  it('goes to what is wanted, at most to three times the estimate', () => {
    const prober = new Prober()
    prober.onSample(sampleAt(0), { ...WISH, wanted: 1.8e6 })
    expect(prober.target).toBeCloseTo(2e6)
    const bold = new Prober()
    bold.onSample(sampleAt(0), WISH)
    expect(bold.target).toBe(3e6)
  })

  it.each([
    ['nothing more is wanted', {}, { wanted: 1e6 }],
    ['the path is full', {}, { full: true }],
    ['media waits', { waiting: true }, {}],
    ['much is lost', { lossShare: 0.2 }, {}],
    ['a long queue stands', { queueMs: 300, rttMs: 350 }, {}],
  ])('does not begin while %s', (_why, changes, wish) => {
    const prober = new Prober()
    prober.onSample(sampleAt(0, changes), { ...WISH, ...wish })
    expect(prober.target).toBe(0)
  })

  it('ends with success as soon as the rate arrives, and goes on soon', () => {
    const prober = new Prober()
    const first = probe(prober, 0, { deliveryRate: 2.8e6, sendRate: 3e6 })
    expect(first).toMatchObject({ outcome: { result: 'success', delivered: 2.8e6 }, length: 1 })
    expect(probe(prober, first.end, {}).waited).toBeLessThanOrEqual(300)
  })

  it('ends at once when a queue grows, and waits longer each time, soon up to 2 s', () => {
    const prober = new Prober()
    const wish = { ...WISH, decreasedAt: 0 }
    const waits: number[] = []
    let at = 1000
    for (let i = 0; i < 6; i++) {
      const { end, length, outcome, waited } = probe(prober, at, { queueMs: 30, rttMs: 80 }, wish)
      expect([outcome.result, length]).toEqual(['full', 1])
      waits.push(Math.round(waited / 100) * 100)
      at = end
    }
    expect(waits).toEqual([0, 1000, 1500, 2000, 2000, 2000])
    expect(probe(prober, at, {}, wish).target).toBe(1.3e6)
  })

  it('waits and is careful when the path has just become narrower', () => {
    const prober = new Prober()
    const { end } = probe(prober, 0, { deliveryRate: 2.8e6, sendRate: 3e6 })
    const { waited, target } = probe(prober, end, {}, { ...WISH, decreasedAt: end })
    expect([waited, target]).toEqual([1000, 1.3e6])
  })

  it('tells the best that it saw, which may be more than arrived for sure', () => {
    const prober = new Prober()
    const { outcome } = probe(prober, 0, { toldRate: 1.2e6, queueMs: 30, rttMs: 80 })
    expect(outcome).toMatchObject({ result: 'full', delivered: 1e6, seen: 1.2e6 })
  })

  it('waits up to 10 s when the path has not changed for a minute', () => {
    const prober = new Prober()
    let end = 0
    let waited = 0
    for (let i = 0; i < 10; i++) ({ end, waited } = probe(prober, end, { lossShare: 0.3 }))
    expect(Math.round(waited / 100)).toBe(100)
  })

  it('measures the growth of a queue from its own beginning: a standing one is of others', () => {
    const prober = new Prober()
    prober.onSample(sampleAt(0, { queueMs: 90, rttMs: 140 }), WISH)
    expect(prober.onSample(sampleAt(20, { queueMs: 100, rttMs: 150 }), WISH)).toBeNull()
    const grown = prober.onSample(sampleAt(40, { queueMs: 120, rttMs: 170 }), WISH)
    expect(grown?.result).toBe('full')
  })

  it('lets media wait for the congestion window, unless that is all that would show', () => {
    const prober = new Prober()
    prober.onSample(sampleAt(0), WISH)
    expect(prober.onSample(sampleAt(20, { waiting: true }), WISH)).toBeNull()
    const blind = new Prober()
    blind.onSample(sampleAt(0), WISH)
    const end = blind.onSample(sampleAt(20, { waiting: true, seesQueue: false }), WISH)
    expect(end?.result).toBe('full')
  })

  it('gives up after half a second and some without progress', () => {
    const { outcome, length } = probe(new Prober(), 0, {})
    expect(outcome.result).toBe('nothing')
    expect(length).toBeGreaterThanOrEqual(500)
    expect(length).toBeLessThan(600)
  })

  it('goes on while more and more arrives, but for 4 s at most', () => {
    const prober = new Prober()
    const wish = { ...WISH, wanted: 90e6, estimate: 30e6 }
    let outcome: ProbeOutcome | null = null
    let at = 0
    for (; !outcome; at += 20) {
      const rate = 1e6 * 1.005 ** (at / 5)
      outcome = prober.onSample(sampleAt(at, { deliveryRate: rate, sendRate: rate }), wish)
    }
    expect(at).toBeGreaterThan(3900)
    expect(at).toBeLessThan(4100)
    expect(outcome.result).toBe('progress')
  })

  it('stops when nobody wants it any more', () => {
    const prober = new Prober()
    prober.onSample(sampleAt(0), WISH)
    expect(prober.onSample(sampleAt(20), { ...WISH, wanted: 1e6 })?.result).toBe('nothing')
    expect(prober.target).toBe(0)
  })
})
