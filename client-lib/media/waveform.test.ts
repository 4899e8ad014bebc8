import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { leastSamples, lengthen, periodOf, shorten } from './waveform.ts'

const RATE = 48_000
const FRAME = 960

const tone = (hz: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: 2 * FRAME }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / RATE))

function largestStep(samples: Float32Array, length: number): number {
  let largest = 0
  for (let i = 1; i < length; i++)
    largest = Math.max(largest, Math.abs(samples[i]! - samples[i - 1]!))
  return largest
}

describe('periods of a waveform', () => {
  it.each([100, 150, 240, 400])('are found in a tone of %i Hz, to the sample', (hz) => {
    const { length, likeness } = periodOf(tone(hz), FRAME, RATE)
    expect(likeness).toBeGreaterThan(0.99)
    const periods = (length * hz) / RATE
    expect(Math.abs(periods - Math.round(periods))).toBeLessThan(0.02)
    expect(Math.round(periods)).toBeGreaterThanOrEqual(1)
  })

  it('are anything in silence, and unlike in noise', () => {
    expect(periodOf(new Float32Array(FRAME), FRAME, RATE).likeness).toBe(1)
    let state = 1
    const noise = Float32Array.from({ length: FRAME }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
      return state / 2 ** 31
    })
    expect(periodOf(noise, FRAME, RATE).likeness).toBeLessThan(0.5)
  })

  it('can be taken out and put in without a click, the ends as they were', () => {
    for (const change of [shorten, lengthen]) {
      const samples = tone(180)
      const [first, last] = [samples[0], samples[FRAME - 1]!]
      const period = periodOf(samples, FRAME, RATE)
      const length = change([samples], FRAME, period)
      expect(Math.abs(length - FRAME)).toBe(period.length)
      expect(samples[0]).toBe(first)
      expect(samples[length - 1]).toBeCloseTo(last, 1)
      expect(largestStep(samples, length)).toBeLessThan(0.5 * ((2 * Math.PI * 180) / RATE) * 1.1)
    }
  })

  it('never make a sound louder, whatever it is', () => {
    const samples = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), {
      minLength: leastSamples(RATE),
      maxLength: leastSamples(RATE),
    })
    fc.assert(
      fc.property(samples, (values) => {
        for (const change of [shorten, lengthen]) {
          const plane = new Float32Array(2 * FRAME)
          plane.set(values)
          const length = change([plane], FRAME, periodOf(plane, FRAME, RATE))
          expect(plane.subarray(0, length).every((value) => Math.abs(value) <= 1)).toBe(true)
        }
      }),
      { numRuns: 20 },
    )
  })
})
