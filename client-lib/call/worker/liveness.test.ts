import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../moq/session/manual-clock.ts'
import { Liveness } from './liveness.ts'

function world() {
  const clock = new ManualClock()
  const state = { bytes: 0, asked: 0 }
  const changes: boolean[] = []
  const liveness = new Liveness({
    clock,
    received: () => state.bytes,
    ask: () => state.asked++,
    onChange: (silent) => changes.push(silent),
  })
  return { clock, state, changes, liveness }
}

describe('liveness', () => {
  it('asks nothing while something comes', () => {
    const { clock, state, changes } = world()
    for (let ms = 0; ms < 5000; ms += 100) {
      state.bytes++
      clock.advance(100)
    }
    expect([state.asked, changes]).toEqual([0, []])
  })

  it('takes the relay for gone within 3.5 s of silence, and back at the first byte', () => {
    const { clock, state, changes } = world()
    clock.advance(1000)
    expect(state.asked).toBe(1)
    clock.advance(1900)
    expect(changes).toEqual([])
    clock.advance(350)
    expect(changes).toEqual([true])
    state.bytes++
    clock.advance(250)
    expect(changes).toEqual([true, false])
  })

  it('is more patient with a relay that was slow and not gone', () => {
    const { clock, state, changes } = world()
    clock.advance(3250)
    state.bytes++
    clock.advance(250)
    expect(changes).toEqual([true, false])
    clock.advance(4500)
    expect(changes).toEqual([true, false])
    clock.advance(1000)
    expect(changes).toEqual([true, false, true])
  })

  it('is content with an answer, however little else comes', () => {
    const { clock, state, changes, liveness } = world()
    for (let second = 0; second < 10; second++) {
      clock.advance(1250)
      liveness.heard()
    }
    expect(state.asked).toBeGreaterThan(5)
    expect(changes).toEqual([])
  })

  it('is in a hurry after a hint', () => {
    const { clock, state, changes, liveness } = world()
    liveness.hurry()
    expect(state.asked).toBe(1)
    clock.advance(1000)
    expect(changes).toEqual([true])
  })

  it('does not hold it against the relay that this machine slept', () => {
    const clock = new ManualClock()
    let asleep = 0
    let silent = false
    const sleepy = {
      now: () => clock.now() + asleep,
      after: (ms: number, task: () => void) => clock.after(ms, task),
    }
    let asked = 0
    new Liveness({
      clock: sleepy,
      received: () => 0,
      ask: () => asked++,
      onChange: (now) => {
        silent = now
      },
    })
    clock.advance(500)
    asleep = 3_600_000
    clock.advance(250)
    expect([asked, silent]).toEqual([1, false])
    clock.advance(1750)
    expect(silent).toBe(false)
    clock.advance(500)
    expect(silent).toBe(true)
  })

  it('ends with its connection', () => {
    const { clock, liveness } = world()
    liveness.close()
    expect(clock.timers).toBe(0)
  })
})
