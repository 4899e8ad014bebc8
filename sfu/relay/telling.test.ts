import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../moq/session/manual-clock.ts'
import { Telling } from './telling.ts'

function told(total: number) {
  const clock = new ManualClock()
  const request = {
    over: false,
    mayBeTold: true,
    charged: 0,
    charge: (bytes: number) => {
      request.charged += bytes
    },
  }
  const seen: string[] = []
  let stalled = 0
  const telling = new Telling({
    clock,
    request,
    next: (after) => {
      const name = String(after === null ? 0 : Number(after) + 1)
      if (Number(name) === total) return null
      seen.push(name)
      return name
    },
    onStalled: () => {
      stalled++
      request.over = true
    },
  })
  return { clock, request, seen, telling, stalled: () => stalled }
}

describe('the answers of a prefix request (sections 10.18 and 10.19)', () => {
  it('are told at once when they are few, and are paid for', () => {
    const { seen, request, clock } = told(10)
    expect(seen.length).toBe(10)
    expect(request.charged).toBe(10)
    clock.advance(60_000)
    expect(seen.length).toBe(10)
  })

  it('are told in slices when they are many, each once', () => {
    const { seen, clock } = told(1000)
    expect(seen.length).toBeLessThan(100)
    clock.advance(1000)
    expect(seen.length).toBe(1000)
    expect(new Set(seen).size).toBe(1000)
  })

  it('wait while the peer may be told no more, and go on where they stood', () => {
    const { seen, request, clock, stalled } = told(1000)
    const before = seen.length
    request.mayBeTold = false
    clock.advance(20_000)
    expect(seen.length).toBe(before)
    request.mayBeTold = true
    clock.advance(1000)
    expect([seen.length, stalled()]).toEqual([1000, 0])
  })

  it('are given up when the peer takes none for half a minute', () => {
    const { request, clock, stalled } = told(1000)
    request.mayBeTold = false
    clock.advance(29_000)
    expect(stalled()).toBe(0)
    clock.advance(60_000)
    expect(stalled()).toBe(1)
  })

  it('end with the request', () => {
    const { seen, request, clock, telling, stalled } = told(1000)
    const before = seen.length
    telling.stop()
    clock.advance(60_000)
    request.over = true
    expect([seen.length, stalled()]).toEqual([before, 0])
  })
})
