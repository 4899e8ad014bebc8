import { describe, expect, it } from 'vitest'
import { LevelMeter } from './level.ts'

describe('LevelMeter', () => {
  it.each([
    [1, 1, 0, true],
    [0.1, 0.1, 20, true],
    [0.001, 0.001, 60, false],
    [0, 0, 127, false],
  ])('of a constant %d is %d RMS and -%d dBov', (sample, rms, dbov, voice) => {
    const meter = new LevelMeter()
    meter.measure(new Float32Array(480).fill(sample))
    const level = meter.take()
    expect(level.rms).toBeCloseTo(rms)
    expect(level).toMatchObject({ dbov, voice })
  })

  it('covers all that was measured since the last take', () => {
    const meter = new LevelMeter()
    meter.measure(new Float32Array(100).fill(1))
    meter.measure(new Float32Array(300))
    expect(meter.take().rms).toBeCloseTo(0.5)
    expect(meter.take()).toEqual({ rms: 0, dbov: 127, voice: false })
  })
})
