import { describe, expect, it } from 'vitest'
import { ArrivalMeter } from './arrival-meter.ts'

describe('an arrival meter', () => {
  it('tells what came since the last time', () => {
    const meter = new ArrivalMeter(0)
    meter.arrived(100, 10)
    meter.arrived(50, 12)
    expect(meter.take(200, 1)).toEqual({
      intervalMs: 200,
      bytes: 150,
      received: 2,
      lost: 1,
      queueMs: 0,
    })
    expect(meter.take(400, 1)).toMatchObject({ intervalMs: 200, bytes: 0, received: 0, lost: 0 })
  })

  it('tells how much later objects come than the fastest did', () => {
    const meter = new ArrivalMeter(0)
    meter.arrived(1, 10)
    meter.take(200, 0)
    meter.arrived(1, 95)
    meter.arrived(1, 90)
    expect(meter.take(400, 0).queueMs).toBe(80)
  })

  it('forgets the fastest after half a minute, as paths change', () => {
    const meter = new ArrivalMeter(0)
    meter.arrived(1, 10)
    for (let now = 200; now <= 40_000; now += 200) {
      meter.arrived(1, 60)
      meter.take(now, 0)
    }
    meter.arrived(1, 60)
    expect(meter.take(40_200, 0).queueMs).toBe(0)
  })
})
