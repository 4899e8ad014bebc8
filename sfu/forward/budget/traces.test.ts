/** Budgets over simulated links: an idealised sender, real probes, a video that follows the budget. */

import { describe, expect, it } from 'vitest'
import { type Look, PathWorld } from './test-path.ts'

const CONTROLS = ['bbr', 'cubic'] as const

const mean = (looks: readonly Look[], of: (look: Look) => number): number =>
  looks.reduce((sum, look) => sum + of(look), 0) / looks.length

const share = (looks: readonly Look[], holds: (look: Look) => boolean): number =>
  looks.filter(holds).length / looks.length

describe.each(CONTROLS)('a budget over %s', (control) => {
  it('follows 5, 1 and 5 Mbit/s: down within 1.5 s, back at the top within 5 s', () => {
    const world = new PathWorld({ control, link: { rate: 5e6, delayMs: 25 } })
    world.run(15_000)
    expect(world.delayUntil(0, ({ media }) => media === 3_500_000)).toBeLessThan(3000)

    world.link.change({ rate: 1e6 }, world.now)
    world.run(20_000)
    expect(world.delayUntil(15_000, ({ budget }) => budget < 1e6)).toBeLessThan(1500)
    const narrow = world.between(18_000, 35_000)
    expect(Math.max(...narrow.map(({ budget }) => budget))).toBeLessThan(1e6)
    expect(mean(narrow, ({ budget }) => budget)).toBeGreaterThan(0.65e6)
    // What is sent fits: hardly anything waits in the link, probes included.
    expect(share(narrow, ({ linkMs }) => linkMs > 150)).toBeLessThan(0.05)

    world.link.change({ rate: 5e6 }, world.now)
    world.run(15_000)
    expect(world.delayUntil(35_000, ({ media }) => media === 3_500_000)).toBeLessThan(5000)
  })

  it('does not collapse while the application sends little, for however long', () => {
    const world = new PathWorld({ control, link: { rate: 5e6, delayMs: 25 } })
    world.run(10_000)
    world.cap = 200_000
    world.run(120_000)
    const idle = world.between(10_000, 130_000)
    expect(Math.min(...idle.map(({ budget }) => budget))).toBeGreaterThan(3.5e6)
    // The proof grows old, and is had anew before anything is stepped up.
    expect(idle.at(-1)!.proven).toBeLessThan(0.5e6)
    const padded = world.paddingBytes
    world.cap = Number.POSITIVE_INFINITY
    world.run(5000)
    expect(world.paddingBytes).toBeGreaterThan(padded)
    expect(world.delayUntil(130_000, ({ media }) => media === 3_500_000)).toBeLessThan(2000)
  })

  it('keeps a share beside a download, and has it all when that ends', () => {
    const world = new PathWorld({ control, link: { rate: 4e6, delayMs: 25 } })
    world.run(10_000)
    world.compete(true)
    world.run(40_000)
    const beside = world.between(15_000, 50_000)
    expect(mean(beside, ({ budget }) => budget)).toBeGreaterThan(0.15 * 4e6)
    expect(Math.min(...beside.map(({ budget }) => budget))).toBeGreaterThan(0.05 * 4e6)
    world.compete(false)
    world.run(15_000)
    expect(world.delayUntil(50_000, ({ budget }) => budget > 3.2e6)).toBeLessThan(6000)
  })

  it('finds 5 Mbit/s at a round trip of 300 ms', () => {
    const world = new PathWorld({
      control,
      link: { rate: 5e6, delayMs: 150, queueBytes: 200_000 },
    })
    world.run(40_000)
    expect(world.delayUntil(0, ({ budget }) => budget > 3.4e6)).toBeLessThan(12_000)
    expect(mean(world.between(12_000, 40_000), ({ budget }) => budget)).toBeGreaterThan(3.4e6)
  })

  it('falls to the floor in an outage of 10 s, and is back within 5 s', () => {
    const world = new PathWorld({ control, link: { rate: 4e6, delayMs: 25 } })
    world.run(15_000)
    world.link.change({ rate: 0 }, world.now)
    world.run(10_000)
    expect(world.looks.at(-1)!.budget).toBeLessThan(0.15e6)
    world.link.change({ rate: 4e6 }, world.now)
    world.run(15_000)
    const top = control === 'bbr' ? 5000 : 12_000
    expect(world.delayUntil(25_000, ({ budget }) => budget > 3e6)).toBeLessThan(top)
  })

  it('costs a narrow link little: 500 kbit/s, everything wanted', () => {
    const world = new PathWorld({ control, link: { rate: 5e5, delayMs: 25 } })
    world.run(60_000)
    const settled = world.between(5000, 60_000)
    expect(mean(settled, ({ budget }) => budget)).toBeGreaterThan(0.37e6)
    expect(Math.max(...settled.map(({ budget }) => budget))).toBeLessThan(0.5e6)
    // Key frames of the video alone make 80 ms; CUBIC fills the queue by nature.
    const most = control === 'bbr' ? 0.05 : 0.08
    expect(share(settled, ({ linkMs }) => linkMs > 150)).toBeLessThan(most)
    // Less than a tenth of what the link carries in that time.
    expect(world.paddingBytes).toBeLessThan((0.1 * 5e5 * 60) / 8)
  })
})

describe('a budget', () => {
  it('is not brought down by random loss of 2 % where the controller is not', () => {
    const world = new PathWorld({ control: 'bbr', link: { rate: 5e6, delayMs: 25, loss: 0.02 } })
    world.run(40_000)
    const settled = world.between(5000, 40_000)
    expect(Math.min(...settled.map(({ budget }) => budget))).toBeGreaterThan(3.5e6)
  })

  it('is what CUBIC makes of random loss of 2 %, not less', () => {
    const world = new PathWorld({ control: 'cubic', link: { rate: 5e6, delayMs: 25, loss: 0.02 } })
    world.run(40_000)
    // 1.22 packets a round trip over the root of the loss: about 1.6 Mbit/s when it has data always.
    const settled = world.between(5000, 40_000)
    expect(mean(settled, ({ budget }) => budget)).toBeGreaterThan(0.6e6)
  })

  it('goes by reports of the receiver where the engine gives no signal', () => {
    const world = new PathWorld({
      control: 'cubic',
      reports: true,
      link: { rate: 5e6, delayMs: 25 },
    })
    world.run(15_000)
    expect(world.delayUntil(0, ({ media }) => media === 3_500_000)).toBeLessThan(5000)
    world.link.change({ rate: 1e6 }, world.now)
    world.run(20_000)
    expect(world.delayUntil(15_000, ({ budget }) => budget < 1e6)).toBeLessThan(2000)
    expect(mean(world.between(18_000, 35_000), ({ budget }) => budget)).toBeGreaterThan(0.5e6)
    world.link.change({ rate: 5e6 }, world.now)
    world.run(15_000)
    expect(world.delayUntil(35_000, ({ media }) => media === 3_500_000)).toBeLessThan(6000)
  })

  it('is the same for any luck: ten seeds of 1 % loss and jitter', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const link = { rate: 2e6, delayMs: 40, jitterMs: 20, loss: 0.01 }
      const world = new PathWorld({ control: 'bbr', link, seed })
      world.run(20_000)
      const settled = world.between(8000, 20_000)
      expect(mean(settled, ({ budget }) => budget)).toBeGreaterThan(1.3e6)
      expect(Math.max(...settled.map(({ budget }) => budget))).toBeLessThan(2.1e6)
    }
  })
})
