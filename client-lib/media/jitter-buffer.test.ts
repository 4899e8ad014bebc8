import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JitterBuffer } from './jitter-buffer.ts'
import type { PcmChunk } from './pcm.ts'

const RATE = 48_000
const FRAME = 960
const BLOCK = 128

const chunk = (i: number, value = 0.5, length = FRAME): PcmChunk => ({
  timestamp: i * 20_000,
  sampleRate: RATE,
  channels: [new Float32Array(length).fill(value)],
})

function setUp(options: { startMs?: number; minMs?: number; maxMs?: number } = {}) {
  const buffer = new JitterBuffer({ sampleRate: RATE, channels: 2, ...options })
  const pull = (samples: number): Float32Array => {
    const out = new Float32Array(samples)
    for (let at = 0; at < samples; at += BLOCK) {
      const size = Math.min(BLOCK, samples - at)
      buffer.pull([out.subarray(at, at + size), new Float32Array(size)])
    }
    return out
  }
  return { buffer, pull }
}

/** The largest step between neighbouring samples. */
function largestStep(samples: Float32Array): number {
  let largest = 0
  for (let i = 1; i < samples.length; i++) {
    largest = Math.max(largest, Math.abs(samples[i]! - samples[i - 1]!))
  }
  return largest
}

describe('JitterBuffer', () => {
  it('is silent until it holds its target, then plays what it was given', () => {
    const { buffer, pull } = setUp()
    buffer.push(chunk(0))
    buffer.push(chunk(1))
    expect(pull(BLOCK).every((s) => s === 0)).toBe(true)
    buffer.push(chunk(2))
    const played = pull(FRAME)
    expect(played[0]).toBe(0)
    expect(played[FRAME - 1]).toBe(0.5)
    expect(buffer.stats()).toMatchObject({ targetMs: 60, bufferedMs: 40, underruns: 0 })
  })

  it('plays mono on every channel', () => {
    const { buffer } = setUp({ startMs: 20 })
    buffer.push(chunk(0))
    const outputs = [new Float32Array(FRAME), new Float32Array(FRAME)]
    buffer.pull(outputs)
    expect(outputs[1]).toEqual(outputs[0])
  })

  it('fades out on an underrun, grows its target, and fades in again', () => {
    const { buffer, pull } = setUp({ startMs: 40 })
    for (let i = 0; i < 2; i++) buffer.push(chunk(i))
    const played = [pull(3 * FRAME)]
    expect(buffer.stats()).toMatchObject({ underruns: 1, targetMs: 60 })
    for (let i = 2; i < 5; i++) buffer.push(chunk(i))
    played.push(pull(2 * FRAME))
    const all = Float32Array.from(played.flatMap((p) => [...p]))
    expect(all[3 * FRAME - 1]).toBe(0)
    expect(all[5 * FRAME - 1]).toBe(0.5)
    expect(largestStep(all)).toBeLessThan(0.01)
  })

  it('never grows beyond its maximum', () => {
    const { buffer, pull } = setUp({ startMs: 40, maxMs: 100 })
    for (let i = 0; i < 60; i++) {
      buffer.push(chunk(i))
      if (i % 6 === 5) pull(8 * FRAME)
    }
    expect(buffer.stats().targetMs).toBe(100)
  })

  it('puts silence in for a lost frame, without a click, and keeps the time', () => {
    const { buffer, pull } = setUp()
    for (const i of [0, 1, 2]) buffer.push(chunk(i))
    pull(BLOCK)
    for (const i of [4, 5, 6]) buffer.push(chunk(i))
    expect(buffer.stats()).toMatchObject({ concealedMs: 20 })
    const played = pull(7 * FRAME - BLOCK)
    expect(played[3.5 * FRAME - BLOCK]).toBe(0)
    expect(played[5 * FRAME]).toBe(0.5)
    expect(largestStep(played)).toBeLessThan(0.01)
  })

  it('takes a long gap for a pause and does not play it', () => {
    const { buffer, pull } = setUp()
    for (const i of [0, 1, 2]) buffer.push(chunk(i))
    pull(BLOCK)
    buffer.push(chunk(500))
    expect(buffer.stats()).toMatchObject({ concealedMs: 0 })
  })

  it('drops what comes after its place, and takes a new time line', () => {
    const { buffer } = setUp()
    for (const i of [100, 101, 100]) buffer.push(chunk(i))
    expect(buffer.stats()).toMatchObject({ late: 1, bufferedMs: 40 })
    buffer.push(chunk(0))
    expect(buffer.stats()).toMatchObject({ late: 1, bufferedMs: 60 })
  })

  it('shrinks slowly while there is always more than it needs', () => {
    const { buffer, pull } = setUp({ startMs: 100 })
    for (let i = 0; i < 5; i++) buffer.push(chunk(i))
    for (let i = 5; i < 5 + 50 * 30; i++) {
      buffer.push(chunk(i))
      pull(FRAME)
    }
    const { targetMs, underruns } = buffer.stats()
    expect(targetMs).toBeLessThan(75)
    expect(targetMs).toBeGreaterThanOrEqual(40)
    expect(underruns).toBe(0)
  })

  it('catches up after a burst by small cuts that do not click', () => {
    const { buffer, pull } = setUp()
    for (let i = 0; i < 12; i++) buffer.push(chunk(i))
    const played = [pull(FRAME)]
    for (let i = 12; i < 12 + 200; i++) {
      buffer.push(chunk(i))
      played.push(pull(FRAME))
    }
    expect(buffer.stats().bufferedMs).toBeLessThanOrEqual(110)
    expect(buffer.stats().skippedMs).toBeGreaterThan(100)
    expect(largestStep(Float32Array.from(played.flatMap((p) => [...p])))).toBeLessThan(0.01)
  })

  it('refuses another sample rate, no samples and far too many', () => {
    const { buffer } = setUp()
    buffer.push({ ...chunk(0), sampleRate: 44_100 })
    buffer.push(chunk(1, 0.5, 0))
    buffer.push(chunk(2, 0.5, 10 * RATE))
    expect(buffer.counters.rejected).toBe(3)
    expect(buffer.stats().bufferedMs).toBe(0)
  })

  it('stays within bounds and plays finite samples, whatever comes', () => {
    const step = fc.record({
      timestamp: fc.integer({ min: -1, max: 400 }),
      length: fc.integer({ min: 0, max: 3000 }),
      pull: fc.integer({ min: 0, max: 3000 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const { buffer, pull } = setUp()
        for (const { timestamp, length, pull: samples } of steps) {
          buffer.push(chunk(timestamp, 1, length))
          const played = pull(samples)
          expect(played.every((s) => s >= 0 && s <= 1)).toBe(true)
          expect(buffer.stats().bufferedMs).toBeGreaterThanOrEqual(0)
          expect(buffer.stats().bufferedMs).toBeLessThan(1000)
        }
      }),
    )
  })
})
