import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../moq/session/manual-clock.ts'
import { PathTicker, type Ticked } from './path-ticker.ts'

class Path implements Ticked {
  isUrgent = false
  isIdle = false
  readonly ticks: number[] = []

  tick(now: number): void {
    this.ticks.push(now)
  }
}

function ticking(...paths: Path[]) {
  const clock = new ManualClock()
  const ticker = new PathTicker(clock)
  for (const path of paths) ticker.add(path)
  return { clock, ticker }
}

describe('the ticker of paths', () => {
  it('looks each 50 ms, and each 20 ms at one that is urgent, with one timer', () => {
    const quiet = new Path()
    const urgent = new Path()
    const { clock } = ticking(quiet, urgent)
    clock.advance(100)
    expect(quiet.ticks).toEqual([50, 100])
    urgent.isUrgent = true
    clock.advance(150)
    expect(clock.timers).toBe(1)
    expect(quiet.ticks).toEqual([50, 100, 150, 210])
    expect(urgent.ticks).toEqual([50, 100, 150, 170, 190, 210, 230, 250])
  })

  it('leaves no timer when the last one leaves, is idle or goes while it is looked at', () => {
    const [first, second] = [new Path(), new Path()]
    const { clock, ticker } = ticking(first, second)
    ticker.delete(first)
    ticker.delete(first)
    expect(clock.timers).toBe(1)
    second.isIdle = true
    clock.advance(50)
    expect(clock.timers).toBe(0)
    ticker.add(second)
    ticker.add(second)
    expect(clock.timers).toBe(1)
    second.tick = () => ticker.delete(second)
    clock.advance(50)
    expect(clock.timers).toBe(0)
  })
})
