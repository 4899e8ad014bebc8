import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../moq/session/manual-clock.ts'
import { TrackDemand } from './track-demand.ts'

function demanding() {
  const clock = new ManualClock()
  let told = 0
  const demand = new TrackDemand(clock, () => told++)
  return { clock, demand, told: () => told }
}

describe('the demand for a track', () => {
  it('is what most of its subscribers need, and nothing without any', () => {
    const { demand } = demanding()
    expect([demand.layers, demand.wantsObjects]).toEqual([0, false])
    demand.change(-1, 2)
    demand.change(-1, 8)
    expect(demand.layers).toBe(8)
    demand.change(8, 1)
    expect(demand.layers).toBe(2)
    demand.change(2, -1)
    expect([demand.layers, demand.wantsObjects]).toEqual([1, true])
    demand.change(1, -1)
    expect([demand.layers, demand.wantsObjects]).toEqual([0, false])
  })

  it('goes on for five seconds when nobody has chosen the track any more', () => {
    const { clock, demand, told } = demanding()
    demand.change(-1, 3)
    demand.change(3, 0)
    clock.advance(4999)
    expect([demand.layers, demand.wantsObjects, told()]).toEqual([0, true, 0])
    clock.advance(1)
    expect([demand.wantsObjects, told()]).toEqual([false, 1])
    // One more who takes nothing wakes nobody; one who takes something does.
    demand.change(-1, 0)
    expect(demand.wantsObjects).toBe(false)
    demand.change(0, 1)
    expect(demand.wantsObjects).toBe(true)
  })

  it('leaves no timer when it is chosen again, or nobody is left', () => {
    const { clock, demand, told } = demanding()
    demand.change(-1, 0)
    expect(clock.timers).toBe(1)
    demand.change(0, 1)
    expect(clock.timers).toBe(0)
    demand.change(1, 0)
    demand.change(0, -1)
    expect([clock.timers, told()]).toEqual([0, 0])
    demand.change(-1, 0)
    demand.close()
    expect(clock.timers).toBe(0)
  })
})
