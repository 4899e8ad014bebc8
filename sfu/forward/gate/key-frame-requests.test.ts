import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../moq/session/manual-clock.ts'
import { KeyFrameRequests, REQUEST_INTERVAL_MS } from './key-frame-requests.ts'

function requests() {
  const clock = new ManualClock()
  const sent: number[] = []
  let coalesced = 0
  const asks = new KeyFrameRequests({
    clock,
    send: () => sent.push(clock.now()),
    onCoalesced: () => coalesced++,
  })
  return { clock, sent, asks, coalesced: () => coalesced }
}

describe('key-frame requests', () => {
  it('send the first at once and, of all that follow, one an interval', () => {
    const { clock, sent, asks } = requests()
    for (let ms = 0; ms < 1200; ms += 10) {
      asks.ask()
      clock.advance(10)
    }
    expect(sent).toEqual([0, 500, 1000])
    expect(REQUEST_INTERVAL_MS).toBe(500)
  })

  it('do not repeat what a key frame answered', () => {
    const { clock, sent, asks } = requests()
    asks.ask()
    clock.advance(100)
    asks.ask()
    asks.keyFrameCame()
    clock.advance(1000)
    expect(sent).toEqual([0])
    expect(clock.timers).toBe(0)
  })

  it('keep the interval after a key frame, for what was lost since', () => {
    const { clock, sent, asks } = requests()
    asks.ask()
    clock.advance(100)
    asks.keyFrameCame()
    clock.advance(50)
    asks.ask()
    clock.advance(1000)
    asks.ask()
    expect(sent).toEqual([0, 500, 1150])
  })

  it('leave no timer behind and send nothing once closed', () => {
    const { clock, sent, asks } = requests()
    asks.ask()
    asks.ask()
    asks.close()
    asks.ask()
    clock.advance(1000)
    expect(sent).toEqual([0])
    expect(clock.timers).toBe(0)
  })

  it('counts who needs no request of their own', () => {
    const { clock, asks, sent, coalesced } = requests()
    for (let i = 0; i < 5; i++) asks.ask()
    expect([sent.length, coalesced()]).toEqual([1, 3])
    asks.keyFrameCame()
    expect([sent.length, coalesced()]).toEqual([1, 4])
    clock.advance(10_000)
    asks.ask()
    asks.ask()
    asks.close()
    expect([sent.length, coalesced()]).toEqual([2, 4])
  })
})
