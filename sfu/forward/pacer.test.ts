import { describe, expect, it } from 'vitest'
import { Pacer } from './pacer.ts'
import { EgressWorld, TestOwner } from './test-support.ts'

describe('a pacer', () => {
  it('holds nothing back before it has a rate', () => {
    const pacer = new Pacer()
    pacer.sent(1e9)
    expect([pacer.mayGo(0), pacer.piece]).toEqual([true, Number.POSITIVE_INFINITY])
  })

  it('lets go a small burst, then what the rate allows, over any time', () => {
    const pacer = new Pacer()
    pacer.setRate(800_000, 0)
    let sent = 0
    for (let now = 0; now < 1000; now++) {
      while (pacer.mayGo(now)) {
        const piece = Math.min(pacer.piece, 1200)
        pacer.sent(piece)
        sent += piece
      }
    }
    expect(sent).toBeGreaterThan(99_000)
    expect(sent).toBeLessThan(104_000)
  })

  it('lets nothing go at a rate of zero, however long it waited', () => {
    const pacer = new Pacer()
    pacer.setRate(0, 0)
    expect(pacer.mayGo(10_000)).toBe(false)
    expect(pacer.hold(10_000)).toBe(Number.POSITIVE_INFINITY)
  })

  it('does not make others pay for ever for what audio took', () => {
    const pacer = new Pacer()
    pacer.setRate(100_000, 0)
    pacer.sent(1_000_000)
    expect(pacer.mayGo(1)).toBe(false)
    expect(pacer.mayGo(400)).toBe(true)
  })

  it('counts for how long something was held back', () => {
    const pacer = new Pacer()
    pacer.setRate(0, 0)
    pacer.hold(100)
    expect(pacer.takeHeldMs(150)).toBe(50)
    pacer.setRate(1e6, 200)
    expect(pacer.mayGo(200)).toBe(true)
    expect([pacer.takeHeldMs(300), pacer.takeHeldMs(400)]).toEqual([50, 0])
  })
})

describe('a paced scheduler', () => {
  const BIG = new Uint8Array(100_000)

  it('never holds back signalling and audio, and all that is below', () => {
    const world = new EgressWorld()
    world.egress.setRate(0)
    for (const traffic of ['base', 'audio', 'enhancement', 'signalling', 'other'] as const) {
      new TestOwner(world, traffic, { traffic }).stream(0)
    }
    world.drain()
    expect(world.sent.map(({ track }) => track)).toEqual(['signalling', 'audio'])
    world.egress.setRate(Number.POSITIVE_INFINITY)
    world.drain()
    expect(world.sent).toHaveLength(5)
  })

  it('holds fetches back as well', () => {
    const world = new EgressWorld()
    let pulls = 0
    const pull = () => Math.sign(++pulls) * 1000
    const fetch = { traffic: 3, subscriberPriority: 0, pull }
    world.egress.setRate(0)
    world.egress.wake(fetch)
    world.drain()
    expect(pulls).toBe(0)
  })

  it('writes a large object in pieces at its rate, and audio between them', () => {
    const world = new EgressWorld()
    const video = new TestOwner(world, 'video', { traffic: 'base' })
    const audio = new TestOwner(world, 'audio', { traffic: 'audio' })
    world.egress.setRate(800_000)
    const written: number[] = []
    video.queue(video.flow(0), 0, { body: BIG })
    world.drain(65_536)
    const { pacer } = world.egress
    for (let tenth = 0; tenth < 11; tenth++) {
      audio.stream(tenth)
      world.drain(65_536)
      written.push(pacer.sentBytes)
      for (let ms = 0; ms < 100; ms += 5) {
        world.clock.advance(5)
        world.drain(65_536)
      }
    }
    expect(world.sent.filter(({ track }) => track === 'audio')).toHaveLength(11)
    expect(written[5]).toBeGreaterThan(48_000)
    expect(written[5]).toBeLessThan(54_000)
    expect(pacer.sentBytes).toBe(BIG.length + 11 * 10)
    expect(world.egress.waitingBytes).toBe(0)
  })

  it('asks for room again by one timer when tokens are there, and has none once closed', () => {
    const world = new EgressWorld()
    const video = new TestOwner(world, 'video', { traffic: 'base' })
    world.egress.setRate(800_000)
    video.queue(video.flow(0), 0, { body: BIG })
    world.drain(65_536)
    expect(world.clock.timers).toBe(1)
    const before = world.asked
    world.egress.pull(65_536)
    expect([world.clock.timers, world.asked]).toEqual([1, before])
    world.clock.advance(20)
    expect([world.clock.timers, world.asked]).toEqual([0, before + 1])
    world.egress.pull(65_536)
    expect(world.clock.timers).toBe(1)
    world.egress.close()
    expect(world.clock.timers).toBe(0)
    world.egress.pull(65_536)
    expect(world.clock.timers).toBe(0)
  })
})
