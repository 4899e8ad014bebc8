/**
 * Holds decoded samples back for as long as their arrival varies, and no longer. It starts small,
 * grows with each underrun, shrinks slowly while there is more than enough, and fades in and out of
 * what is missing. Its only clock is the count of samples played, so it is tested without one.
 */

import type { PcmChunk } from './pcm.ts'

export interface JitterBufferOptions {
  /** Hz; of the chunks and of the output. */
  readonly sampleRate: number
  /** Output channels. A mono chunk fills all. */
  readonly channels: number
  /** ms; defaults 60, 40 and 300. */
  readonly startMs?: number
  readonly minMs?: number
  readonly maxMs?: number
}

export interface JitterBufferStats {
  /** What it aims to hold; ms. */
  targetMs: number
  /** What it holds; ms. */
  bufferedMs: number
  underruns: number
  /** Chunks that came after their place was played. */
  late: number
  /** Silence put in for samples that never came; ms. */
  concealedMs: number
  /** Cut out to catch up; ms. */
  skippedMs: number
}

const GROW_MS = 20
const SHRINK_MS = 5
/** How long there must have been too much before the target shrinks. */
const SHRINK_AFTER_MS = 4000
/** A target this far below what is held is caught up with by cuts. */
const SLACK_MS = 40
const CUT_MS = 5
const CUT_EVERY_MS = 100
const FADE_MS = 5
/** A longer gap in the timestamps is a pause of the speaker's (mute), not a loss. */
const MAX_CONCEAL_US = 200_000
/** Timestamps further back than this are a new time line, not late chunks. */
const MAX_LATE_US = 1_000_000

export class JitterBuffer {
  readonly counters = { underruns: 0, late: 0, rejected: 0, concealed: 0, skipped: 0 }
  private readonly sampleRate: number
  private readonly planes: Float32Array<ArrayBuffer>[]
  private readonly capacity: number
  private readonly minimum: number
  private readonly maximum: number
  private readonly fade: number
  private target: number
  /** Sample counts since the beginning; positions in the ring are these modulo the capacity. */
  private written = 0
  private read = 0
  private playing = false
  private nextTimestamp: number | null = null
  /** Samples of the fades at hand: of what is written next, and of what is played next. */
  private fadeInWrite = 0
  private fadeInRead = 0
  private readonly tail: Float32Array<ArrayBuffer>
  private tailLeft = 0
  private lowest = Number.POSITIVE_INFINITY
  private windowLeft: number
  private cutWait = 0

  constructor(options: JitterBufferOptions) {
    const { sampleRate, startMs = 60, minMs = 40, maxMs = 300 } = options
    this.sampleRate = sampleRate
    this.minimum = this.samplesOf(minMs)
    this.maximum = this.samplesOf(maxMs)
    this.target = this.samplesOf(startMs)
    this.fade = this.samplesOf(FADE_MS)
    this.windowLeft = this.samplesOf(SHRINK_AFTER_MS)
    // Room for a burst on top of the largest target.
    this.capacity = 2 * this.maximum + this.samplesOf(200)
    this.planes = Array.from({ length: options.channels }, () => new Float32Array(this.capacity))
    this.tail = new Float32Array(options.channels)
  }

  stats(): JitterBufferStats {
    return {
      targetMs: this.msOf(this.target),
      bufferedMs: this.msOf(this.buffered),
      underruns: this.counters.underruns,
      late: this.counters.late,
      concealedMs: this.msOf(this.counters.concealed),
      skippedMs: this.msOf(this.counters.skipped),
    }
  }

  push(chunk: PcmChunk): void {
    const length = chunk.channels[0]?.length ?? 0
    if (chunk.sampleRate !== this.sampleRate || length === 0 || length > this.maximum) {
      this.counters.rejected++
      return
    }
    if (!this.fitTimeLine(chunk.timestamp)) return
    this.nextTimestamp = chunk.timestamp + (length / this.sampleRate) * 1e6
    this.append(chunk, length)
    // A burst beyond all measure: keep the newest.
    if (this.buffered > this.capacity - this.maximum) this.skip(this.buffered - this.target)
  }

  /** Fills `outputs`, a plane a channel, with the next samples; silence where there are none. */
  pull(outputs: readonly Float32Array[]): void {
    const wanted = outputs[0]?.length ?? 0
    if (!this.playing && this.buffered >= this.target) this.start()
    const taken = this.playing ? Math.min(wanted, this.buffered) : 0
    this.copyOut(outputs, taken)
    if (taken < wanted) this.fallSilent(outputs, taken)
    else this.adapt(wanted)
  }

  private get buffered(): number {
    return this.written - this.read
  }

  /** False for a chunk whose place was already played. Puts silence in for what was lost. */
  private fitTimeLine(timestamp: number): boolean {
    if (this.nextTimestamp === null) return true
    const ahead = timestamp - this.nextTimestamp
    if (ahead < -MAX_LATE_US) return true
    // Timestamps are rounded and clocks drift: half a frame is still "now".
    if (ahead < -10_000) {
      this.counters.late++
      return false
    }
    if (ahead > 10_000 && ahead <= MAX_CONCEAL_US && this.playing && this.buffered > 0) {
      this.conceal(Math.round((ahead / 1e6) * this.sampleRate))
    }
    return true
  }

  private append(chunk: PcmChunk, length: number): void {
    for (let c = 0; c < this.planes.length; c++) {
      const source = chunk.channels[c] ?? chunk.channels[0]!
      const plane = this.planes[c]!
      for (let i = 0; i < length; i++) {
        const gain = i < this.fadeInWrite ? i / this.fadeInWrite : 1
        plane[(this.written + i) % this.capacity] = (source[i] ?? 0) * gain
      }
    }
    this.fadeInWrite = 0
    this.written += length
  }

  private conceal(length: number): void {
    const faded = Math.min(this.fade, this.buffered)
    for (const plane of this.planes) {
      for (let i = 0; i < faded; i++) {
        plane[(this.written - 1 - i) % this.capacity]! *= i / faded
      }
      for (let i = 0; i < length; i++) plane[(this.written + i) % this.capacity] = 0
    }
    this.written += length
    this.fadeInWrite = this.fade
    this.counters.concealed += length
  }

  private start(): void {
    this.playing = true
    this.fadeInRead = this.fade
    this.tailLeft = 0
    this.lowest = Number.POSITIVE_INFINITY
    this.windowLeft = this.samplesOf(SHRINK_AFTER_MS)
  }

  private copyOut(outputs: readonly Float32Array[], count: number): void {
    for (let c = 0; c < outputs.length; c++) {
      const plane = this.planes[c] ?? this.planes[0]!
      const output = outputs[c]!
      for (let i = 0; i < count; i++) output[i] = plane[(this.read + i) % this.capacity]!
      for (let i = 0; i < Math.min(count, this.fadeInRead); i++) {
        output[i]! *= (this.fade - this.fadeInRead + i) / this.fade
      }
      if (count > 0 && c < this.tail.length) this.tail[c] = output[count - 1]!
    }
    this.read += count
    this.fadeInRead = Math.max(0, this.fadeInRead - count)
  }

  /** From the last sample to silence without a click, and back to filling up. */
  private fallSilent(outputs: readonly Float32Array[], from: number): void {
    if (this.playing) {
      this.playing = false
      this.tailLeft = this.fade
      this.counters.underruns++
      this.target = Math.min(this.maximum, this.target + this.samplesOf(GROW_MS))
    }
    const wanted = outputs[0]?.length ?? 0
    for (let c = 0; c < outputs.length; c++) {
      const level = this.tail[c] ?? 0
      for (let i = from; i < wanted; i++) {
        outputs[c]![i] = level * Math.max(0, (this.tailLeft - (i - from)) / this.fade)
      }
    }
    this.tailLeft = Math.max(0, this.tailLeft - (wanted - from))
  }

  /** Watches the least that was held over a while, and plays a little faster when it is too much. */
  private adapt(played: number): void {
    this.lowest = Math.min(this.lowest, this.buffered)
    this.windowLeft -= played
    if (this.windowLeft <= 0) {
      // Half the target was never needed.
      if (this.lowest > this.target / 2) {
        this.target = Math.max(this.minimum, this.target - this.samplesOf(SHRINK_MS))
      }
      this.lowest = Number.POSITIVE_INFINITY
      this.windowLeft = this.samplesOf(SHRINK_AFTER_MS)
    }
    this.cutWait -= played
    if (this.cutWait <= 0 && this.buffered > this.target + this.samplesOf(SLACK_MS)) this.cut()
  }

  /** Takes a few ms out, the samples before blending into those behind. */
  private cut(): void {
    const length = this.samplesOf(CUT_MS)
    for (const plane of this.planes) {
      for (let i = 0; i < length; i++) {
        const before = plane[(this.read + i) % this.capacity]!
        const after = (this.read + length + i) % this.capacity
        plane[after] = before + (plane[after]! - before) * (i / length)
      }
    }
    this.read += length
    this.counters.skipped += length
    this.cutWait = this.samplesOf(CUT_EVERY_MS)
  }

  private skip(length: number): void {
    this.read += length
    this.counters.skipped += length
    this.fadeInRead = this.fade
  }

  private samplesOf(ms: number): number {
    return Math.round((ms * this.sampleRate) / 1000)
  }

  private msOf(samples: number): number {
    return (samples * 1000) / this.sampleRate
  }
}
