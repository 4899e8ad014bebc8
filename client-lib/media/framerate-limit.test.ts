import { describe, expect, it } from 'vitest'
import { FramerateLimit } from './framerate-limit.ts'

/** How many of a second's frames are taken, with up to 6 ms of jitter. */
function taken(limit: FramerateLimit, from: number, captured: number, wanted: number): number {
  let count = 0
  for (let i = 0; i < captured; i++) {
    const jitter = ((i * 7) % 13) * 500 - 3000
    if (limit.takes(from + (i * 1e6) / captured + jitter, wanted)) count++
  }
  return count
}

describe('a frame rate limit', () => {
  it.each([
    [30, 15],
    [30, 7.5],
    [30, 10],
    [24, 15],
    [60, 15],
  ])('takes of %d frames a second about %d', (captured, wanted) => {
    const count = taken(new FramerateLimit(), 5e9, captured, wanted)
    expect(Math.abs(count - wanted)).toBeLessThanOrEqual(1)
  })

  it('takes every frame of a camera that gives no more', () => {
    expect(taken(new FramerateLimit(), 0, 15, 15)).toBe(15)
    expect(taken(new FramerateLimit(), 0, 10, 15)).toBe(10)
  })

  it('goes on after a pause and with another clock, without a burst', () => {
    const limit = new FramerateLimit()
    taken(limit, 5e9, 30, 15)
    expect(taken(limit, 9e9, 30, 15)).toBeLessThanOrEqual(16)
    expect(taken(limit, 0, 30, 15)).toBeGreaterThanOrEqual(14)
  })
})
