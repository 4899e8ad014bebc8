/** For tests: sound that travels with a varying delay, through a jitter buffer, in simulated time. */

import { JitterBuffer, type JitterBufferOptions } from './jitter-buffer.ts'

export const RATE = 48_000
export const FRAME_MS = 20
const FRAME = (RATE * FRAME_MS) / 1000
const BLOCK = 128

/** A small generator with a seed (xorshift), so that every run is the same. */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

export interface Travel {
  readonly seconds: number
  /** ms that frame number `i` takes; null: it is lost, or was never sent. */
  readonly delayOf: (i: number) => number | null
  /** How much faster the sender's sound card runs than the listener's, parts in a million. */
  readonly ppm?: number
  /** Hz, of the tone that is sent; an integer. */
  readonly tone?: number
  readonly options?: Partial<JitterBufferOptions>
  /** After each block that was played. */
  readonly onBlock?: (buffer: JitterBuffer, atMs: number, block: Float32Array) => void
}

export interface Played {
  readonly buffer: JitterBuffer
  /** Largest step between neighbouring samples, and when it was; ms. */
  readonly largestStep: number
  readonly largestStepAt: number
}

/** Timestamps are of the sender's samples, as of a page that never looks at its wall clock again. */
export function travel({
  seconds,
  delayOf,
  ppm = 0,
  tone = 200,
  options,
  onBlock,
}: Travel): Played {
  const buffer = new JitterBuffer({ sampleRate: RATE, channels: 1, ...options })
  const frameMs = FRAME_MS / (1 + ppm / 1e6)
  const arrivals: { at: number; i: number }[] = []
  for (let i = 0; i < (seconds * 1000) / frameMs; i++) {
    const delay = delayOf(i)
    if (delay !== null) arrivals.push({ at: i * frameMs + delay, i })
  }
  arrivals.sort((a, b) => a.at - b.at || a.i - b.i)
  const block = new Float32Array(BLOCK)
  const second = secondOf(tone)
  let next = 0
  let last = 0
  let largestStep = 0
  let largestStepAt = 0
  for (let samples = 0; samples < seconds * RATE; samples += BLOCK) {
    const now = (samples * 1000) / RATE
    for (; next < arrivals.length && arrivals[next]!.at <= now; next++) {
      const { i } = arrivals[next]!
      buffer.push({
        timestamp: i * FRAME_MS * 1000,
        sampleRate: RATE,
        channels: [frameOf(second, i)],
      })
    }
    buffer.pull([block])
    for (const sample of block) {
      const step = Math.abs(sample - last)
      if (step > largestStep) {
        largestStep = step
        largestStepAt = now
      }
      last = sample
    }
    onBlock?.(buffer, now, block)
  }
  return { buffer, largestStep, largestStepAt }
}

function secondOf(tone: number): Float32Array<ArrayBuffer> {
  const turn = (2 * Math.PI * tone) / RATE
  return Float32Array.from({ length: RATE }, (_, n) => 0.5 * Math.sin(turn * n))
}

function frameOf(second: Float32Array<ArrayBuffer>, i: number): Float32Array<ArrayBuffer> {
  const from = (i * FRAME) % RATE
  return second.slice(from, from + FRAME)
}
