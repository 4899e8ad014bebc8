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

  it('does not look more seldom where the machine took the process off its core during a look', () => {
    const clock = new ManualClock()
    const ticker = new PathTicker(clock)
    const path = new Path()
    path.isUrgent = true
    const look = path.tick.bind(path)
    path.tick = (now) => {
      look(now)
      clock.advance(100)
    }
    ticker.add(path)
    clock.advance(1000)
    const gaps = path.ticks.slice(1).map((at, i) => at - path.ticks[i]!)
    expect(Math.max(...gaps)).toBe(120)
  })

  it('takes a tenth of the time at most, in slices of 2 ms, and passes nobody over', () => {
    const clock = new ManualClock()
    let spent = 0
    const ticker = new PathTicker({
      now: () => clock.now() + spent,
      after: (ms, task) => clock.after(ms, task),
    })
    const starts: number[] = []
    const paths = Array.from({ length: 200 }, () => {
      const path = new Path()
      path.tick = (now) => {
        if (starts.at(-1) !== now) starts.push(now)
        path.ticks.push(now)
        spent += 0.1
      }
      return path
    })
    for (const path of paths) ticker.add(path)
    // Those that want the most looks come first, and yet leave some to the others.
    for (const path of paths.slice(0, 100)) path.isUrgent = true
    clock.advance(1000)
    const looks = paths.map(({ ticks }) => ticks.length)
    const all = looks.reduce((sum, count) => sum + count, 0)
    expect(all * 0.1).toBeLessThan(110)
    expect(all).toBeGreaterThan(800)
    expect(Math.min(...looks)).toBeGreaterThanOrEqual(4)
    const mostInOneGo = starts.map(
      (start) => paths.filter(({ ticks }) => ticks.includes(start)).length,
    )
    expect(Math.max(...mostInOneGo)).toBeLessThanOrEqual(21)
  })
})
