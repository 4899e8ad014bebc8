/**
 * Samples as the audio thread gives them, cut into blocks of 20 ms at 48 kHz, which is what the encoder
 * takes at a time. The memory of the blocks goes round: who has read one gives it back. Where that does
 * not come, blocks are left out, and counted. Timestamps count samples; where the audio thread itself
 * stood still, and sound was lost that nobody saw, they jump, so that picture and sound stay together.
 */

import { AUDIO_SAMPLE_RATE } from '../codecs.ts'
import { Resampler } from './resampler.ts'

const BLOCK_MS = 20
/** Samples of a block. */
export const BLOCK_SAMPLES = (AUDIO_SAMPLE_RATE * BLOCK_MS) / 1000
/** Blocks that may be under way: 160 ms. */
const BLOCKS = 8
/** After some had to be left out, so many must be back before it goes on: a gap is no shorter than two. */
const RECOVERED = 2
/** How far sound may fall behind the clock before it counts as lost, ms. Threads are late by some. */
const GLITCH_MS = 25
/** Time over which the least late sample tells how late all are, ms. */
const WINDOW_MS = 1000

/** A block on its way; its memory is to be given back. */
export interface SampleBlock {
  /** Wall-clock µs of the first sample. */
  readonly timestamp: number
  /** One channel, -1..1, `BLOCK_SAMPLES` of them at 48 kHz. */
  readonly samples: Float32Array<ArrayBuffer>
}

export class SampleBlocks {
  /** Blocks: made, and left out because none came back. Glitches: times at which sound was lost. */
  readonly counters = { made: 0, dropped: 0, glitches: 0 }
  private readonly rate: number
  private readonly onBlock: (block: SampleBlock) => void
  private readonly resampler: Resampler | null
  private readonly free: Float32Array<ArrayBuffer>[] = []
  private block: Float32Array<ArrayBuffer> | null = null
  private filled = 0
  private isStarved = false
  /** Wall-clock ms of the first sample; samples of the input and blocks since. */
  private origin: number | null = null
  private taken = 0
  private blocks = 0
  /** How late samples come at the least, ms: in the window now, and before. */
  private least = Number.POSITIVE_INFINITY
  private usual: number | null = null
  private windowEnds = WINDOW_MS
  private readonly keep = (sample: number): void => {
    if (this.block) this.block[this.filled] = sample
    if (++this.filled === BLOCK_SAMPLES) this.flush()
  }

  /**
   * @param rate of the samples that come, Hz
   * @param onBlock takes the block, and gives its memory back by `giveBack`
   */
  constructor(rate: number, onBlock: (block: SampleBlock) => void) {
    this.rate = rate
    this.onBlock = onBlock
    this.resampler = rate === AUDIO_SAMPLE_RATE ? null : new Resampler(rate, AUDIO_SAMPLE_RATE)
    for (let i = 0; i < BLOCKS; i++) this.free.push(new Float32Array(BLOCK_SAMPLES))
    this.block = this.free.pop()!
  }

  /**
   * @param samples null: silence @param count how many there are
   * @param now wall-clock ms
   */
  push(samples: Float32Array | null, count: number, now: number): void {
    this.taken += count
    this.followClock(now)
    for (let i = 0; i < count; i++) {
      const sample = samples === null ? 0 : samples[i]!
      if (this.resampler) this.resampler.push(sample, this.keep)
      else this.keep(sample)
    }
  }

  /** A block's memory, for the next one. */
  giveBack(samples: Float32Array<ArrayBuffer>): void {
    if (samples.length === BLOCK_SAMPLES && this.free.length < BLOCKS) this.free.push(samples)
  }

  private flush(): void {
    const { block } = this
    this.filled = 0
    if (block === null) this.counters.dropped++
    else {
      this.counters.made++
      const start = this.origin! + this.blocks * BLOCK_MS
      this.onBlock({ timestamp: Math.round(start * 1000), samples: block })
    }
    this.blocks++
    if (this.free.length >= RECOVERED) this.isStarved = false
    this.block = this.isStarved ? null : (this.free.pop() ?? null)
    if (this.block === null) this.isStarved = true
  }

  private followClock(now: number): void {
    const passed = (this.taken * 1000) / this.rate
    this.origin ??= now - passed
    this.least = Math.min(this.least, now - this.origin - passed)
    if (passed < this.windowEnds) return
    this.windowEnds = passed + WINDOW_MS
    const lost = this.usual === null ? 0 : this.least - this.usual
    if (lost > GLITCH_MS) {
      this.counters.glitches++
      this.origin += lost
    } else {
      this.usual = this.least
    }
    this.least = Number.POSITIVE_INFINITY
  }
}
