import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JitterBuffer } from './jitter-buffer.ts'
import { RATE, randomFrom, travel } from './jitter-simulation.ts'
import type { PcmChunk } from './pcm.ts'

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

/** The largest step of a tone by itself, with a little for what is blended. */
const stepOf = (tone: number): number => ((2 * Math.PI * tone) / RATE) * 0.5 * 1.1 + 0.001

describe('JitterBuffer', () => {
  it('is silent for its delay, then plays what it was given', () => {
    const { buffer, pull } = setUp()
    const played = [0, 1, 2, 3].map((i) => {
      buffer.push(chunk(i))
      return pull(FRAME)
    })
    for (const silent of played.slice(0, 3)) expect(silent.every((s) => s === 0)).toBe(true)
    expect(played[3]!.at(-1)).toBe(0.5)
    expect(buffer.playing).toBe(true)
  })

  it('plays mono on every channel', () => {
    const { buffer } = setUp({ startMs: 40 })
    for (const i of [0, 1]) buffer.push(chunk(i))
    const outputs = [new Float32Array(3 * FRAME), new Float32Array(3 * FRAME)]
    buffer.pull(outputs)
    expect(outputs[0]!.at(-1)).toBe(0.5)
    expect(outputs[1]).toEqual(outputs[0])
  })

  it('says which timestamp is played next', () => {
    const { buffer, pull } = setUp({ startMs: 60 })
    expect(buffer.playhead).toBeNull()
    for (let i = 0; i < 5; i++) {
      buffer.push(chunk(100 + i))
      pull(FRAME)
    }
    const before = buffer.playhead!
    expect(before / 1000).toBeCloseTo(2100 - 60, -1)
    pull(FRAME / 2)
    expect((buffer.playhead! - before) / 1000).toBeCloseTo(10, 6)
  })

  it('holds little where the path is even, and adds nothing to it', () => {
    const { buffer, largestStep } = travel({ seconds: 30, delayOf: () => 30 })
    const { targetMs, delayMs, underruns, concealedMs } = buffer.stats()
    expect(targetMs).toBe(40)
    expect(delayMs).toBeLessThan(55)
    expect([underruns, concealedMs]).toEqual([0, 0])
    expect(largestStep).toBeLessThan(stepOf(200))
  })

  it('bears that one frame in twenty is up to 80 ms late with hardly a break', () => {
    const random = randomFrom(7)
    const delayOf = () => 30 + (random() < 0.05 ? 80 * random() : 5 * random())
    let early = 0
    const { buffer, largestStep } = travel({
      seconds: 120,
      delayOf,
      onBlock: (of, at) => {
        if (at < 10_000) early = of.stats().underruns
      },
    })
    const { underruns, delayMs, concealedMs } = buffer.stats()
    // Of 6000 frames, 300 are late.
    expect(underruns - early).toBeLessThanOrEqual(12)
    expect(concealedMs).toBeLessThan(600)
    expect(delayMs).toBeLessThan(120)
    expect(largestStep).toBeLessThan(stepOf(200))
  })

  it('grows at once when everything is late, and is as short as before half a minute later', () => {
    // Nothing comes for 300 ms, then all of it.
    const delayOf = (i: number) => (i >= 500 && i < 515 ? 330 - (i - 500) * 20 : 30)
    const delays = new Map<number, number>()
    const { buffer, largestStep } = travel({
      seconds: 60,
      delayOf,
      onBlock: (of, at) => delays.set(Math.floor(at / 1000), of.stats().delayMs),
    })
    expect(delays.get(9)).toBeLessThan(60)
    expect(delays.get(11)).toBeGreaterThan(250)
    expect(delays.get(50)).toBeLessThan(60)
    expect(buffer.stats()).toMatchObject({ underruns: 1, skippedMs: 0 })
    expect(largestStep).toBeLessThan(stepOf(200))
  })

  it('leaves out what is far too late after an outage, rather than to be slow for long', () => {
    const delayOf = (i: number) => (i >= 500 && i < 575 ? 1530 - (i - 500) * 20 : 30)
    const delays = new Map<number, number>()
    const { buffer, largestStep } = travel({
      seconds: 20,
      delayOf,
      onBlock: (of, at) => delays.set(Math.floor(at / 1000), of.stats().delayMs),
    })
    expect(delays.get(12)).toBeLessThan(720)
    expect(delays.get(14)).toBeLessThan(450)
    expect(buffer.stats().skippedMs).toBeGreaterThan(300)
    expect(largestStep).toBeLessThan(stepOf(200))
  })

  it.each([200, -200])('keeps its delay while the clocks drift apart by %i ppm', (ppm) => {
    let least = Number.POSITIVE_INFINITY
    let most = 0
    const { buffer, largestStep } = travel({
      seconds: 600,
      ppm,
      delayOf: () => 30,
      onBlock: (of, at) => {
        if (at < 20_000 || at % 100 > 3) return
        const { delayMs } = of.stats()
        least = Math.min(least, delayMs)
        most = Math.max(most, delayMs)
      },
    })
    const { underruns, shortenedMs, lengthenedMs } = buffer.stats()
    expect(least).toBeGreaterThan(20)
    expect(most).toBeLessThan(60)
    expect(underruns).toBe(0)
    expect(ppm > 0 ? shortenedMs : lengthenedMs).toBeGreaterThan(80)
    expect(largestStep).toBeLessThan(stepOf(200))
  })

  it.each([
    110, 200, 333, 440, 1000,
  ])('conceals lost frames of a tone of %i Hz without a click', (tone) => {
    const random = randomFrom(11)
    const delayOf = () => (random() < 0.05 ? null : 30 + 10 * random())
    const { buffer, largestStep } = travel({ seconds: 30, tone, delayOf })
    const { underruns, concealedMs } = buffer.stats()
    expect(underruns).toBe(0)
    expect(concealedMs).toBeGreaterThan(1000)
    expect(concealedMs).toBeLessThan(2200)
    expect(largestStep).toBeLessThan(stepOf(tone))
  })

  it('plays nothing longer than 100 ms in place of what does not come', () => {
    let loudest = 0
    travel({
      seconds: 3,
      delayOf: (i) => (i < 100 ? 30 : null),
      onBlock: (_, at, block) => {
        if (at > 2200) for (const sample of block) loudest = Math.max(loudest, Math.abs(sample))
      },
    })
    expect(loudest).toBe(0)
  })

  it('takes a long gap for a pause: no underrun, and the delay is that of before', () => {
    const delayOf = (i: number) => (i >= 300 && i < 450 ? null : 30)
    const { buffer, largestStep } = travel({ seconds: 20, delayOf })
    const { underruns, concealedMs, delayMs } = buffer.stats()
    expect(underruns).toBe(0)
    expect(concealedMs).toBeLessThanOrEqual(100)
    expect(delayMs).toBeLessThan(60)
    expect(largestStep).toBeLessThan(stepOf(200))
  })

  it('waits for a slower picture, as long as it is told to, and no longer than it may', () => {
    let atFifteen = 0
    const wait = (of: JitterBuffer, at: number, block: Float32Array) => {
      if (block.length === 0 || of.playhead === null) return
      // The picture is ready 150 ms behind its capture, and for ten seconds 2 s behind.
      const pictureMs = at < 20_000 ? 150 : at < 30_000 ? 2000 : 30
      of.delayBy(pictureMs - (at - of.playhead / 1000))
      if (at < 15_000) atFifteen = of.stats().delayMs
    }
    let most = 0
    const { buffer } = travel({
      seconds: 60,
      delayOf: () => 30,
      onBlock: (of, at, block) => {
        wait(of, at, block)
        most = Math.max(most, of.stats().delayMs)
      },
    })
    expect(atFifteen).toBeGreaterThan(100)
    expect(atFifteen).toBeLessThan(135)
    expect(most).toBeLessThan(420)
    expect(buffer.stats().delayMs).toBeLessThan(60)
    expect(buffer.stats().underruns).toBe(0)
  })

  it('drops what comes after its place or twice, and takes a new time line', () => {
    const { buffer, pull } = setUp({ startMs: 40 })
    for (const i of [1000, 1001, 1002, 1001]) buffer.push(chunk(i))
    expect(buffer.stats()).toMatchObject({ late: 1, bufferedMs: 60 })
    pull(4 * FRAME)
    buffer.push(chunk(1000))
    expect(buffer.stats().late).toBe(2)
    buffer.push(chunk(0))
    expect(buffer.stats()).toMatchObject({ late: 2 })
    pull(2 * FRAME)
    expect(pull(FRAME).at(-1)).toBe(0.5)
  })

  it('puts chunks in order that come out of it', () => {
    const { buffer, pull } = setUp()
    for (const i of [0, 2, 1, 3]) buffer.push(chunk(i))
    pull(7 * FRAME)
    expect(buffer.stats()).toMatchObject({ late: 0, underruns: 0 })
  })

  it('keeps no more than it could ever play in time', () => {
    const { buffer } = setUp({ maxMs: 100 })
    for (let i = 0; i < 60; i++) buffer.push(chunk(i))
    expect(buffer.stats().bufferedMs).toBeLessThanOrEqual(400)
    expect(buffer.stats().skippedMs).toBeGreaterThanOrEqual(800)
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
      value: fc.double({ min: -1, max: 1, noNaN: true }),
      pull: fc.integer({ min: 0, max: 3000 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const { buffer, pull } = setUp()
        for (const { timestamp, length, value, pull: samples } of steps) {
          buffer.push(chunk(timestamp, value, length))
          const played = pull(samples)
          expect(played.every((s) => s >= -1 && s <= 1)).toBe(true)
          expect(buffer.stats().bufferedMs).toBeGreaterThanOrEqual(0)
          expect(buffer.stats().bufferedMs).toBeLessThan(1000)
        }
      }),
    )
  })
})
