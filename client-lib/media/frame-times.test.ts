import { describe, expect, it } from 'vitest'
import { FrameTimes } from './frame-times.ts'

describe('FrameTimes', () => {
  it('gives each frame the time with which it went in, though frames before it were left out', () => {
    const times = new FrameTimes()
    times.add(10, 1010)
    times.add(20, 1020)
    times.add(5, 1030)
    expect(times.take(20)).toBe(1020)
    expect(times.take(10)).toBeNull()
    expect(times.take(5)).toBe(1030)
    expect(times.take(5)).toBeNull()
  })

  it('remembers no more than a few', () => {
    const times = new FrameTimes()
    for (let i = 0; i < 1000; i++) times.add(i, i)
    expect(times.take(900)).toBeNull()
    expect(times.take(999)).toBe(999)
  })
})
