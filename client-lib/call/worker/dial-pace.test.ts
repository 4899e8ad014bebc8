import { describe, expect, it } from 'vitest'
import { Backoff } from './backoff.ts'
import { DialPace } from './dial-pace.ts'
import { TransportChoice } from './transport-choice.ts'

describe('the pace at which a lost relay is dialled', () => {
  it('is at once, then slower, so that a browser holds back no handshake for long', () => {
    let now = 0
    const pace = new DialPace(() => now)
    let dials = 0
    for (; now < 60_000; now += 50) {
      if (!pace.isDue(null)) continue
      dials++
      pace.failed('webtransport')
    }
    expect(dials).toBeGreaterThan(6)
    // Chromium would make the twelfth wait for 20 s.
    expect(dials).toBeLessThan(12)
  })

  it('does not hold back when the web server of the relay answers again', () => {
    let now = 0
    const pace = new DialPace(() => now)
    for (; now < 30_000; now += 50) if (pace.isDue(false)) pace.failed('webtransport')
    expect(pace.isDue(false)).toBe(false)
    expect(pace.isDue(true)).toBe(true)
    pace.failed('webtransport')
    expect(pace.isDue(true)).toBe(false)
    now += 100
    expect(pace.isDue(true)).toBe(true)
  })

  it('gives a handshake the time that a browser makes it wait', () => {
    let now = 0
    const pace = new DialPace(() => now)
    const fresh = pace.patienceMs('webtransport')
    for (let n = 0; n < 8; n++) pace.failed('webtransport')
    expect(pace.patienceMs('webtransport')).toBeGreaterThanOrEqual(fresh + 2560)
    now += 6 * 60_000
    expect(pace.patienceMs('webtransport')).toBe(fresh)
  })
})

describe('pauses between tries', () => {
  it('double from 100 ms to a second, and to five after a minute, with jitter', () => {
    const most = new Backoff(() => 1)
    expect([0, 1, 2, 3, 4, 5].map(() => most.next(0))).toEqual([100, 200, 400, 800, 1000, 1000])
    expect(most.next(60_000)).toBe(5000)
    most.reset()
    expect(most.next(0)).toBe(100)
    expect(new Backoff(() => 0).next(0)).toBe(50)
  })
})

describe('the transport of a lost relay', () => {
  it('is the one that worked, and each third time the other', () => {
    const choice = new TransportChoice('auto', null)
    choice.note('websocket')
    expect([1, 2, 3, 4].map(() => choice.next())).toEqual([
      'websocket',
      'websocket',
      'webtransport',
      'websocket',
    ])
    choice.networkChanged()
    expect(choice.next()).toBe('webtransport')
  })

  it('is what the application wants, if it wants one', () => {
    const choice = new TransportChoice('websocket', 'webtransport')
    expect([1, 2, 3].map(() => choice.next())).toEqual(Array(3).fill('websocket'))
    expect(choice.first.prefer).toBe('websocket')
  })

  it('begins with what worked before', () => {
    expect(new TransportChoice('auto', 'websocket').first).toEqual({
      prefer: 'auto',
      first: 'websocket',
    })
    expect(new TransportChoice('auto', null).first).toEqual({ prefer: 'auto' })
  })
})
