import { describe, expect, it } from 'vitest'
import { bitrateText, linePath, msText, shareText } from './figures.ts'

describe('figures in words', () => {
  it('have the unit that fits', () => {
    expect([0, 800, 640_400, 2_540_000].map(bitrateText)).toEqual([
      '0 kbit/s',
      '1 kbit/s',
      '640 kbit/s',
      '2.5 Mbit/s',
    ])
    expect([0, 0.004, 0.0555, 0.5, 1].map(shareText)).toEqual([
      '0 %',
      '0.4 %',
      '5.5 %',
      '50 %',
      '100 %',
    ])
    expect([null, 12.4].map(msText)).toEqual(['not known', '12 ms'])
  })
})

describe('a line', () => {
  const box = { width: 90, height: 20, points: 4, least: 10 }

  it('goes from left to right, and ends at the right while there are few points', () => {
    expect(linePath([0, 10, 5, 0], box)).toBe('M0.0 20.0L30.0 0.0L60.0 10.0L90.0 20.0')
    expect(linePath([0, 10], box)).toBe('M60.0 20.0L90.0 0.0')
    expect(linePath([], box)).toBe('')
  })

  it('fits in its box, however large the values are, and does not make much of little', () => {
    expect(linePath([0, 40, 20], box)).toBe('M30.0 20.0L60.0 0.0L90.0 10.0')
    expect(linePath([1, 1], box)).toBe('M60.0 18.0L90.0 18.0')
  })
})
