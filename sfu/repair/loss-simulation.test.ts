import { describe, expect, it } from 'vitest'
import { type Outcome, type Remedy, type Scenario, simulate } from './loss-simulation.ts'

const REPAIR: Remedy = { kind: 'repair' }
const NONE: Remedy = { kind: 'none' }
const FRAME: Remedy = { kind: 'frame-parity' }
const BLOCK: Remedy = { kind: 'block-parity', size: 5 }

function run(remedy: Remedy, scenario: Partial<Scenario>): Outcome {
  return simulate({
    remedy,
    loss: 0.05,
    burst: 1,
    rttMs: 50,
    fragments: [2, 1],
    seconds: 60,
    seed: 1,
    ...scenario,
  })
}

describe('losses of enhancement frames', () => {
  it('are as many as chance has it when nothing is done', () => {
    // Of each three frames: of one fragment, of two, and of one that stands on those two.
    const expected = (0.95 + 0.95 ** 2 + 0.95 ** 3) / 3
    expect(run(NONE, {}).decodable).toBeCloseTo(expected, 1)
  })

  it.each([
    ['singly', 1],
    ['in bursts', 4],
  ])('that come %s are repaired better by asking again than by any parity, up to 50 ms RTT', (_, burst) => {
    for (const loss of [0.02, 0.05, 0.1]) {
      for (const fragments of [
        [2, 1],
        [7, 5],
      ] as const) {
        const scenario = { loss, burst, fragments }
        const repaired = run(REPAIR, scenario)
        // Little is left to tell apart at 2 %.
        expect(repaired.decodable).toBeGreaterThan(run(FRAME, scenario).decodable - 0.005)
        expect(repaired.decodable).toBeGreaterThan(run(BLOCK, scenario).decodable - 0.005)
        expect(repaired.decodable).toBeGreaterThan(0.95)
        expect(repaired.overhead).toBeLessThan(loss * 1.2)
      }
    }
  })

  it('cost nothing but themselves where the RTT leaves no time to ask', () => {
    const scenario = { rttMs: 140 }
    expect(run(REPAIR, scenario).overhead).toBe(0)
    expect(run(REPAIR, scenario).decodable).toBe(run(NONE, scenario).decodable)
  })
})
