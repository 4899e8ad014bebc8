import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Link, type LinkConditions, NO_SHAPING } from './link.ts'
import { seededRandom } from './random.ts'

function linkOf(conditions: Partial<LinkConditions>, seed = 1): Link<number> {
  return new Link({ ...NO_SHAPING, ...conditions }, seededRandom(seed))
}

/** Everything that arrives until `end`, with its time, looked at each millisecond. */
function arrivals(link: Link<number>, end: number, from = 0): [number, number][] {
  const all: [number, number][] = []
  for (let now = from; now <= end; now++) {
    for (let item = link.take(now); item !== undefined; item = link.take(now)) all.push([item, now])
  }
  return all
}

describe('a link', () => {
  it('delivers at its rate and after its delay', () => {
    const link = linkOf({ rate: 1_000_000, delayMs: 20 })
    for (let i = 0; i < 3; i++) link.offer(i, 1250, 0)
    expect(link.nextAt()).toBe(30)
    expect(arrivals(link, 100)).toEqual([
      [0, 30],
      [1, 40],
      [2, 50],
    ])
    expect(link.nextAt()).toBe(Number.POSITIVE_INFINITY)
  })

  it('without a rate delays only', () => {
    const link = linkOf({ delayMs: 5 })
    link.offer(1, 100_000, 7)
    expect(arrivals(link, 20, 7)).toEqual([[1, 12]])
  })

  it('drops what does not fit into its queue, and counts it', () => {
    const link = linkOf({ rate: 1_000_000, queueBytes: 2500 })
    for (let i = 0; i < 4; i++) link.offer(i, 1000, 0)
    expect(link.backlog).toBe(2000)
    expect(arrivals(link, 100).map(([item]) => item)).toEqual([0, 1])
    expect(link.stats).toMatchObject({ offered: 4, delivered: 2, dropped: 2, lost: 0 })
  })

  it('sends what waits at the new rate once the rate changes', () => {
    const link = linkOf({ rate: 1_000_000 })
    link.offer(0, 1250, 0)
    link.offer(1, 1250, 0)
    link.change({ rate: 100_000 }, 5)
    // Half of the first is through: the rest takes 50 ms, the second 100 ms.
    expect(arrivals(link, 300, 5)).toEqual([
      [0, 55],
      [1, 155],
    ])
  })

  it('keeps what waits through an outage', () => {
    const link = linkOf({ rate: 1_000_000 })
    link.change({ rate: 0 }, 0)
    link.offer(0, 1250, 10)
    expect(link.nextAt()).toBe(Number.POSITIVE_INFINITY)
    expect(arrivals(link, 9000)).toEqual([])
    link.change({ rate: 1_000_000 }, 10_000)
    expect(arrivals(link, 10_100, 10_000)).toEqual([[0, 10_010]])
  })

  it('loses the share that it is told to, the same for the same seed', () => {
    const fate = (seed: number): number[] => {
      const link = linkOf({ loss: 0.1 }, seed)
      for (let i = 0; i < 5000; i++) link.offer(i, 100, 0)
      return arrivals(link, 0).map(([item]) => item)
    }
    const first = fate(7)
    expect(first.length).toBeGreaterThan(4350)
    expect(first.length).toBeLessThan(4650)
    expect(fate(7)).toEqual(first)
    expect(fate(8)).not.toEqual(first)
  })

  it('never reorders, invents or repeats a packet, whatever happens', () => {
    const step = fc.record({
      wait: fc.nat(50),
      size: fc.integer({ min: 1, max: 1500 }),
      rate: fc.option(fc.constantFrom(0, 50_000, 1_000_000, Number.POSITIVE_INFINITY)),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(), (steps, seed) => {
        const link = linkOf(
          { rate: 500_000, delayMs: 10, jitterMs: 30, loss: 0.1, queueBytes: 5000 },
          seed,
        )
        const got: number[] = []
        let now = 0
        steps.forEach(({ wait, size, rate }, index) => {
          now += wait
          if (rate !== null) link.change({ rate }, now)
          link.offer(index, size, now)
          for (let item = link.take(now); item !== undefined; item = link.take(now)) got.push(item)
        })
        link.change({ rate: 1_000_000 }, now)
        got.push(...arrivals(link, now + 1000, now).map(([item]) => item))
        const { offered, delivered, lost, dropped } = link.stats
        expect(got).toEqual([...new Set(got)].sort((a, b) => a - b))
        expect(got.length).toBe(delivered)
        expect(delivered + lost + dropped).toBe(offered)
        expect(link.backlog).toBe(0)
      }),
    )
  })
})
