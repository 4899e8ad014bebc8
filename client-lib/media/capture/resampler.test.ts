import { describe, expect, it } from 'vitest'
import { Resampler } from './resampler.ts'

/** A tone of half a second through it. @returns power of the tone, and of what is no tone, in dB */
function run(from: number, to: number, hertz: number): { tone: number; rest: number } {
  const out: number[] = []
  const resampler = new Resampler(from, to)
  const emit = (sample: number) => out.push(sample)
  for (let i = 0; i < from / 2; i++) {
    resampler.push(Math.sin((2 * Math.PI * hertz * i) / from), emit)
  }
  expect(Math.abs(out.length - to / 2)).toBeLessThan(3)
  const steady = out.slice(200)
  // The tone that fits best, and what is left of it.
  const angle = (2 * Math.PI * hertz) / to
  let [inPhase, across] = [0, 0]
  steady.forEach((sample, i) => {
    inPhase += (sample * Math.cos(angle * i) * 2) / steady.length
    across += (sample * Math.sin(angle * i) * 2) / steady.length
  })
  let rest = 0
  steady.forEach((sample, i) => {
    rest += (sample - inPhase * Math.cos(angle * i) - across * Math.sin(angle * i)) ** 2
  })
  const db = (power: number) => 10 * Math.log10(power)
  return { tone: db(inPhase ** 2 + across ** 2), rest: db((2 * rest) / steady.length) }
}

describe('Resampler', () => {
  it.each([
    [44_100, 48_000],
    [96_000, 48_000],
    [16_000, 48_000],
  ])('keeps a tone as it is from %d to %d Hz', (from, to) => {
    const { tone, rest } = run(from, to, 1000)
    expect(Math.abs(tone)).toBeLessThan(0.1)
    expect(rest).toBeLessThan(-50)
  })

  it('lets through nothing that the lower rate cannot carry', () => {
    // It would be heard as 18 kHz.
    expect(run(96_000, 48_000, 30_000).rest).toBeLessThan(-50)
  })

  it('leaves a level where it was', () => {
    const out: number[] = []
    const resampler = new Resampler(44_100, 48_000)
    for (let i = 0; i < 1000; i++) resampler.push(0.5, (sample) => out.push(sample))
    for (const sample of out.slice(100)) expect(sample).toBeCloseTo(0.5, 5)
  })
})
