import { describe, expect, it } from 'vitest'
import { CaptureClock } from './capture-clock.ts'

/** Feeds frames of 33 ms that arrive with the given delays (ms); returns the mapped timestamps. */
function run(delays: readonly number[], start = 0): number[] {
  let wall = 0
  const clock = new CaptureClock(() => wall)
  return delays.map((delay, i) => {
    const captured = 1_000_000 + i * 33
    wall = captured + delay
    const timestamp = start + i * 33_000
    clock.arrived(timestamp)
    return clock.toWallClock(timestamp) / 1000 - captured
  })
}

describe('CaptureClock', () => {
  it('maps the first frame to when it was seen', () => {
    expect(run([5])).toEqual([5])
    expect(run([5], -7_000_000)).toEqual([5])
  })

  it('slides back to the earliest arrival, and stays through later ones', () => {
    const errors = run([100, ...new Array<number>(60).fill(3), 40, 40])
    expect(errors[0]).toBe(100)
    expect(errors[60]).toBeCloseTo(3, 1)
    expect(errors[62]).toBeLessThan(3.1)
  })

  it('keeps timestamps ascending while it slides', () => {
    const errors = run([300, ...new Array<number>(30).fill(0)])
    const timestamps = errors.map((error, i) => error + i * 33)
    expect(timestamps.every((t, i) => i === 0 || t > timestamps[i - 1]!)).toBe(true)
  })

  it('anchors anew after a jump', () => {
    expect(run([0, 0, 2000]).at(-1)).toBe(2000)
  })

  it('goes after a device that left something out, once every frame of two seconds is late by that', () => {
    const errors = run([5, ...new Array<number>(10).fill(0), ...new Array<number>(150).fill(300)])
    expect(errors[40]).toBeLessThan(10)
    expect(errors.at(-1)).toBeCloseTo(300, 0)
  })

  it('stays where some frames of each two seconds are in time', () => {
    const errors = run(Array.from({ length: 300 }, (_, i) => (i % 30 === 0 ? 0 : 300)))
    expect(Math.max(...errors)).toBeLessThan(6)
  })

  it('gives integers', () => {
    const clock = new CaptureClock(() => 0.1234567)
    expect(clock.toWallClock(0.5)).toBe(123)
  })
})
