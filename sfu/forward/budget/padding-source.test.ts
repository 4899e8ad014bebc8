import { describe, expect, it } from 'vitest'
import { Budget } from './budget.ts'
import { PaddingSource } from './padding-source.ts'

const PATH = {
  rttMs: 40,
  congestionWindow: 50_000,
  bytesInFlight: null,
  deliveryRate: 1e6,
  lostPackets: 0,
}

function world(maxDatagramSize: number) {
  const sends: [number, string][] = []
  const state = { now: 0, sent: 0, takes: true }
  const budget = new Budget()
  const source = new PaddingSource(budget, {
    now: () => state.now,
    sentBytes: () => state.sent,
    maxDatagramSize: () => maxDatagramSize,
    sendPadding(bytes, by) {
      if (state.takes) sends.push([bytes, by])
      return state.takes
    },
  })
  return { budget, source, sends, state }
}

/** A probe to 3 Mbit/s, that is 375 bytes a ms. */
function begin(budget: Budget): void {
  budget.want(9e6)
  budget.onSample(0, PATH, 0, 0)
  expect(budget.isProbing).toBe(true)
}

describe('padding', () => {
  it('is due only while a probe goes on', () => {
    const { source, sends } = world(1200)
    expect(source.pull(10_000)).toBe(0)
    expect(sends).toEqual([])
  })

  it('fills what media leaves of the rate, in datagrams (section 11.5.2)', () => {
    const { budget, source, sends, state } = world(1200)
    begin(budget)
    state.now = 20
    state.sent = 4500
    expect(source.pull(10_000)).toBe(3000)
    expect(sends).toEqual([
      [1200, 'datagram'],
      [1200, 'datagram'],
      [600, 'datagram'],
    ])
    state.sent = 8000
    expect(source.pull(10_000)).toBe(0)
  })

  it('is never more than there is room for, and what came too late is not made up for', () => {
    const { budget, source, state } = world(1200)
    begin(budget)
    state.now = 20
    expect(source.pull(1000)).toBe(1000)
    state.now = 1000
    // 60 ms of the rate.
    expect(budget.paddingDue(1000, 1000)).toBe(22_500)
    state.sent = 23_500
    expect(source.pull(100_000)).toBe(0)
  })

  it('stops at the first datagram that is not taken', () => {
    const { budget, source, state } = world(1200)
    begin(budget)
    state.now = 20
    state.takes = false
    expect(source.pull(10_000)).toBe(0)
  })

  it('goes on a stream where there are no datagrams (section 11.5.1)', () => {
    const { budget, source, sends, state } = world(0)
    begin(budget)
    state.now = 20
    expect(source.pull(4096)).toBe(4096)
    expect(sends).toEqual([[4096, 'stream']])
  })
})

describe('a budget', () => {
  it('tells what it knows', () => {
    const { budget } = world(1200)
    begin(budget)
    expect(budget.dump()).toEqual({
      bitsPerSecond: 900_000,
      provenBitsPerSecond: 0,
      estimate: 1_000_000,
      wanted: 9_000_000,
      queueMs: 0,
      paced: null,
      draining: false,
      probing: 3_000_000,
      probes: { success: 0, progress: 0, full: 0, nothing: 0 },
    })
  })
})
