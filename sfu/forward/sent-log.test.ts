import { describe, expect, it } from 'vitest'
import { SentLog } from './sent-log.ts'

describe('a log of what was sent', () => {
  it('tells how long ago the first byte after so many was sent', () => {
    const log = new SentLog()
    expect(log.age(5, 0)).toBe(0)
    for (let i = 1; i <= 10; i++) log.note(i * 20, i * 1000)
    expect(log.age(210, 0)).toBe(190)
    expect(log.age(210, 2999)).toBe(150)
    expect(log.age(210, 3000)).toBe(130)
    expect(log.age(210, 10_000)).toBe(0)
  })

  it('counts what is sent within 10 ms as one, from its beginning', () => {
    const log = new SentLog()
    for (let now = 0; now < 30; now++) log.note(now, now + 1)
    expect(log.age(100, 0)).toBe(100)
    expect(log.age(100, 10)).toBe(90)
  })

  it('keeps a second at least, and what is older counts as of its age', () => {
    const log = new SentLog()
    for (let now = 0; now < 10_000; now++) log.note(now, now)
    const age = log.age(10_000, 0)
    expect(age).toBeGreaterThan(1000)
    expect(age).toBeLessThan(1500)
  })
})
