import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../moq/session/manual-clock.ts'
import { guardedClock } from './guarded-clock.ts'

describe('a guarded clock', () => {
  it('tells what a task throws, and goes on', () => {
    const clock = new ManualClock()
    const told: unknown[] = []
    const guarded = guardedClock(clock, (error) => told.push(error))
    const bug = new Error('bug')
    const ran: number[] = []
    guarded.after(1, () => {
      throw bug
    })
    guarded.after(2, () => ran.push(guarded.now()))
    const stop = guarded.after(3, () => ran.push(-1))
    stop()
    clock.advance(5)
    expect([told, ran]).toEqual([[bug], [2]])
  })
})
