import { describe, expect, it } from 'vitest'
import { InFlight } from './in-flight.ts'

describe('bytes in flight', () => {
  it('are what the engine tells while its window has room, and when it is just full', () => {
    const inFlight = new InFlight()
    expect(inFlight.look(20_000, 80_000, 0)).toBe(20_000)
    expect(inFlight.look(10_000, 80_000, 50)).toBe(10_000)
    expect(inFlight.look(80_000, 80_000, 100)).toBe(80_000)
  })

  it('are as many as before when the window shrinks below them, until there is room again', () => {
    const inFlight = new InFlight()
    inFlight.look(30_000, 80_000, 0)
    expect(inFlight.look(5400, 5400, 50)).toBe(30_000)
    expect(inFlight.look(5400, 5400, 400)).toBe(30_000)
    expect(inFlight.look(4000, 5400, 450)).toBe(4000)
    expect(inFlight.look(5400, 5400, 500)).toBe(5400)
  })

  it('are not remembered for longer than a second', () => {
    const inFlight = new InFlight()
    inFlight.look(30_000, 80_000, 0)
    expect(inFlight.look(5400, 5400, 1000)).toBe(5400)
  })

  it('are believed where they are told beyond the window', () => {
    const inFlight = new InFlight()
    inFlight.look(30_000, 80_000, 0)
    expect(inFlight.look(25_000, 5400, 50)).toBe(25_000)
  })
})
