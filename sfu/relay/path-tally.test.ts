import { describe, expect, it } from 'vitest'
import type { Congestion } from '../../moq/transport/transport.ts'
import { makePathTally, PathMeter } from './path-tally.ts'

function congestion(lostPackets: number, rttMs = 30): Congestion {
  return { rttMs, congestionWindow: 20_000, bytesInFlight: 0, deliveryRate: 1e6, lostPackets }
}

describe('PathMeter', () => {
  it('adds up for how long media waited for the window, and no pause between looks', () => {
    const tally = makePathTally()
    const meter = new PathMeter(tally)
    meter.look(0, null, true)
    meter.look(50, null, true)
    meter.look(100, null, false)
    meter.look(150, null, true)
    expect(tally.windowLimitedMs).toBe(100)
    meter.look(5000, null, true)
    expect(tally.windowLimitedMs).toBe(100)
  })

  it('counts each lost packet of a path once, and those of all paths together', () => {
    const tally = makePathTally()
    const [one, two] = [new PathMeter(tally), new PathMeter(tally)]
    one.look(0, congestion(3), false)
    one.look(50, congestion(3), false)
    one.look(100, congestion(7), false)
    two.look(100, congestion(2), false)
    expect(tally.lostPackets).toBe(9)
  })

  it('takes the round-trip time of a path once a second', () => {
    const tally = makePathTally()
    const meter = new PathMeter(tally)
    for (let now = 0; now < 3000; now += 50) meter.look(now, congestion(0, 40), false)
    expect(tally.rtt.count).toBe(3)
    expect(tally.rtt.sum).toBe(120)
  })
})
