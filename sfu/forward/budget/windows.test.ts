import { describe, expect, it } from 'vitest'
import { CounterWindow, WindowedMax } from './windows.ts'

describe('WindowedMax', () => {
  it('forgets what is older than its window and keeps what is younger than two thirds', () => {
    const window = new WindowedMax(30)
    expect(window.max(0)).toBe(Number.NEGATIVE_INFINITY)
    window.add(5, 5)
    window.add(3, 15)
    expect(window.max(24)).toBe(5)
    expect(window.max(31)).toBe(3)
    expect(window.max(100)).toBe(Number.NEGATIVE_INFINITY)
    window.add(-4, 1_000_000)
    expect(window.max(1_000_000)).toBe(-4)
  })
})

describe('CounterWindow', () => {
  it('gives the growth of about its window', () => {
    const window = new CounterWindow()
    expect(window.rate).toBe(0)
    for (let now = 0; now <= 1000; now += 50) window.note(now * 2, now, 200)
    expect([window.span, window.growth, window.rate]).toEqual([200, 400, 2000])
  })

  it('sees a counter that stands still', () => {
    const window = new CounterWindow()
    for (let now = 0; now <= 1000; now += 50) window.note(7, now, 200)
    expect(window.rate).toBe(0)
  })
})
