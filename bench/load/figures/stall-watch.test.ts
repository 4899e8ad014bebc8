import { describe, expect, it } from 'vitest'
import { addStalls, noStalls, StallWatch } from './stall-watch.ts'

describe('a stall watch', () => {
  it('counts pauses above its limit, and keeps the longest of all', () => {
    const stalls = noStalls()
    const watch = new StallWatch(40)
    for (const now of [1000, 1040, 1041, 1100, 1300]) watch.note(now, stalls)
    expect(stalls).toEqual({ count: 2, totalMs: 259, longestMs: 200 })
  })

  it('begins with the first time, and counts nothing while nothing is measured', () => {
    const stalls = noStalls()
    const watch = new StallWatch(40)
    watch.note(500, stalls)
    watch.note(900, null)
    watch.note(930, stalls)
    expect(stalls).toEqual({ count: 0, totalMs: 0, longestMs: 30 })
  })

  it('adds up', () => {
    const sum = noStalls()
    addStalls(sum, { count: 1, totalMs: 50, longestMs: 50 })
    addStalls(sum, { count: 2, totalMs: 90, longestMs: 48 })
    expect(sum).toEqual({ count: 3, totalMs: 140, longestMs: 50 })
  })
})
