/**
 * Holds decoded sound back for as long as its arrival varies, and no longer, and plays it in time: a
 * frame is due a fixed delay behind its timestamp. The delay follows `TargetDelay` by taking periods of
 * the waveform out or putting them in, which also makes good for clocks that drift apart. What is missing
 * when it is due is concealed; what comes late is played late, and the delay has grown. Its only clock is
 * the count of samples played, so it is tested without one.
 */

import { Concealment } from './concealment.ts'
import type { PcmChunk } from './pcm.ts'
import { TargetDelay, type TargetDelayOptions } from './target-delay.ts'
import { leastSamples, lengthen, periodOf, shorten } from './waveform.ts'

export interface JitterBufferOptions extends TargetDelayOptions {
  /** Hz; of the chunks and of the output. */
  readonly sampleRate: number
  /** Output channels. A mono chunk fills all. */
  readonly channels: number
}

export interface JitterBufferStats {
  /** How long it aims to hold a chunk that came as fast as can be; ms. */
  targetMs: number
  /** How long it does; ms. */
  delayMs: number
  /** What waits to be played; ms. */
  bufferedMs: number
  /** Times that sound broke off because a chunk came after its time. */
  underruns: number
  /** Chunks that came after their place was played. */
  late: number
  /** Played in place of what was missing; ms. */
  concealedMs: number
  /** Dropped to catch up at once; ms. */
  skippedMs: number
  /** Taken out and put in to keep the delay; ms. */
  shortenedMs: number
  lengthenedMs: number
}

/** Longest chunk that is taken: that of Opus. */
const MAX_CHUNK_MS = 120
/** Timestamps are rounded and clocks drift: this far off is still "now". */
const TOLERANCE_US = 10_000
/** A longer gap in the timestamps is a pause of the speaker's (mute), not a loss. */
const MAX_LOSS_US = 200_000
/** A delay that changes by so much from one chunk to the next is a new time line. */
const NEW_TIME_LINE_MS = 2000
/** Without sound for so long, the next begins as the first did. */
const IDLE_MS = 400
/** Missing sound is made in pieces of this, to be over as soon as the missing comes. */
const PIECE_MS = 5
const BLEND_MS = 5
/** How far off the delay may be, and the pace of correcting it by how far it is. */
const SLACK_MS = 12
const PACE = [
  { from: 100, everyMs: 20 },
  { from: 40, everyMs: 60 },
  { from: SLACK_MS, everyMs: 200 },
] as const
/** Sound is cut where it is this periodic, and anywhere when that was waited for so many turns in vain. */
const LIKENESS = 0.7
const PATIENCE = 5
/** Further behind than this is caught up with at once. */
const SKIP_MS = 300

export class JitterBuffer {
  readonly counters = {
    underruns: 0,
    late: 0,
    rejected: 0,
    concealed: 0,
    skipped: 0,
    shortened: 0,
    lengthened: 0,
  }
  private readonly sampleRate: number
  private readonly target: TargetDelay
  private readonly concealment: Concealment
  private readonly maxBufferedMs: number
  /** In order of time. */
  private readonly queue: PcmChunk[] = []
  /** What is played now: `blockLength` samples, of which `blockRead` are played. */
  private readonly block: Float32Array<ArrayBuffer>[]
  private blockLength = 0
  private blockRead = 0
  private pulled = 0
  /** Behind what was taken from the queue last; µs. */
  private nextTimestamp: number | null = null
  /** From the last chunk's timestamp to its arrival, as `delay`. */
  private arrivalDelay: number | null = null
  /** From a timestamp to its sound, on the clock of samples; ms. Null before any. */
  private delay: number | null = null
  /** Delay that something else than the path asks for, ms, as `delay`. */
  private leastDelay = Number.NEGATIVE_INFINITY
  /** Without sound of its own since; ms on the clock of samples. Null while there is. */
  private brokenSince: number | null = Number.NEGATIVE_INFINITY
  private correctedAt = 0

  constructor(options: JitterBufferOptions) {
    const { sampleRate, channels } = options
    this.sampleRate = sampleRate
    this.target = new TargetDelay(options)
    this.concealment = new Concealment(sampleRate, channels)
    this.maxBufferedMs = (options.maxMs ?? 400) + SKIP_MS
    const length = this.samplesOf(MAX_CHUNK_MS) + leastSamples(sampleRate)
    this.block = Array.from({ length: channels }, () => new Float32Array(length))
  }

  stats(): JitterBufferStats {
    const { counters, delay } = this
    return {
      targetMs: this.target.ms,
      delayMs: delay === null ? 0 : delay - this.target.base,
      bufferedMs: this.bufferedMs,
      underruns: counters.underruns,
      late: counters.late,
      concealedMs: this.msOf(counters.concealed),
      skippedMs: this.msOf(counters.skipped),
      shortenedMs: this.msOf(counters.shortened),
      lengthenedMs: this.msOf(counters.lengthened),
    }
  }

  /**
   * Timestamp whose sound is the next sample pulled, µs: also of what is concealed. Null before any sound.
   */
  get playhead(): number | null {
    return this.delay === null ? null : (this.msOf(this.pulled) - this.delay) * 1000
  }

  /** There is sound, or a short gap in it. */
  get playing(): boolean {
    return this.brokenSince === null || this.clock - this.brokenSince < IDLE_MS
  }

  /**
   * Asks for more delay than the path does, so that a picture can keep up.
   * @param ms by which the sound is to be later than now; negative: by so much it need not be as late
   */
  delayBy(ms: number): void {
    if (this.delay !== null) this.leastDelay = this.delay + ms
  }

  push(chunk: PcmChunk): void {
    const length = chunk.channels[0]?.length ?? 0
    const usable = length > 0 && length <= this.samplesOf(MAX_CHUNK_MS)
    if (chunk.sampleRate !== this.sampleRate || !usable) {
      this.counters.rejected++
      return
    }
    const { timestamp } = chunk
    const now = this.msOf(this.pulled)
    const delay = now - timestamp / 1000
    if (Math.abs(delay - (this.arrivalDelay ?? delay)) > NEW_TIME_LINE_MS) this.startTimeLine()
    this.arrivalDelay = delay
    this.target.arrived(delay, now)
    if (timestamp < (this.nextTimestamp ?? timestamp) - TOLERANCE_US) {
      this.counters.late++
      return
    }
    this.insert(chunk)
    while (this.queue.length > 1 && this.bufferedMs > this.maxBufferedMs) this.skipFirst()
  }

  /** Fills `outputs`, a plane a channel, with the next samples; silence where there are none. */
  pull(outputs: readonly Float32Array[]): void {
    const wanted = outputs[0]?.length ?? 0
    for (let done = 0; done < wanted; ) {
      if (this.blockRead === this.blockLength) this.produce()
      const taken = Math.min(wanted - done, this.blockLength - this.blockRead)
      for (let c = 0; c < outputs.length; c++) {
        const plane = this.block[c] ?? this.block[0]!
        const output = outputs[c]!
        for (let i = 0; i < taken; i++) output[done + i] = plane[this.blockRead + i]!
      }
      this.blockRead += taken
      this.pulled += taken
      done += taken
    }
  }

  /** When the next sample that is made is played; ms. What was made before is played by then. */
  private get clock(): number {
    return this.msOf(this.pulled + this.blockLength - this.blockRead)
  }

  private get bufferedMs(): number {
    let samples = this.blockLength - this.blockRead
    for (const { channels } of this.queue) samples += channels[0]!.length
    return this.msOf(samples)
  }

  private get goal(): number {
    const { base, ms } = this.target
    // As much as the path may ask for, anything else may, too.
    return base + Math.max(ms, Math.min(this.target.most, this.leastDelay - base))
  }

  private insert(chunk: PcmChunk): void {
    let at = this.queue.length
    while (at > 0 && this.queue[at - 1]!.timestamp > chunk.timestamp) at--
    const before = this.queue[at - 1]
    if (before && chunk.timestamp - before.timestamp < this.durationOf(before) / 2) {
      this.counters.late++
      return
    }
    this.queue.splice(at, 0, chunk)
  }

  /** Makes the next samples: of the chunk that is due, else in place of what is missing. */
  private produce(): void {
    const head = this.queue[0]
    if (head === undefined || !this.isDue(head)) this.makeUp()
    else this.play(head)
  }

  private isDue({ timestamp }: PcmChunk): boolean {
    const { nextTimestamp, delay } = this
    const waited = this.clock - timestamp / 1000
    if (nextTimestamp === null || delay === null || !this.playing) return waited >= this.goal
    const gap = timestamp - nextTimestamp
    if (gap <= TOLERANCE_US) return true
    return waited >= (gap > MAX_LOSS_US ? this.goal : delay)
  }

  private makeUp(): void {
    if (this.brokenSince === null) {
      this.brokenSince = this.clock
      this.concealment.begin()
    }
    const length = this.samplesOf(PIECE_MS)
    if (!this.concealment.isSilent) this.counters.concealed += length
    this.concealment.fill(this.block, length)
    this.setBlock(length)
  }

  private play(head: PcmChunk): void {
    const chunk = this.playing && this.brokenSince !== null ? this.catchUp(head) : head
    const begins = this.brokenSince !== null
    if (begins) this.noteUnderrun(chunk)
    this.queue.shift()
    const now = this.clock
    const length = this.copy(chunk)
    this.delay = now - chunk.timestamp / 1000
    this.nextTimestamp = chunk.timestamp + this.durationOf(chunk)
    if (begins) this.concealment.blendInto(this.block, Math.min(length, this.samplesOf(BLEND_MS)))
    this.brokenSince = null
    this.setBlock(begins ? length : this.correct(length, now))
    this.concealment.played(this.block, this.blockLength)
  }

  /** After a break, what would be far too late is left out. */
  private catchUp(head: PcmChunk): PcmChunk {
    let chunk = head
    while (this.queue.length > 1 && this.clock - chunk.timestamp / 1000 > this.goal + SKIP_MS) {
      this.skipFirst()
      chunk = this.queue[0]!
    }
    return chunk
  }

  private noteUnderrun({ timestamp }: PcmChunk): void {
    if (!this.playing || this.delay === null) return
    const waited = this.clock - timestamp / 1000
    if (waited <= this.delay + PIECE_MS) return
    this.counters.underruns++
    this.target.missed(waited)
  }

  private copy(chunk: PcmChunk): number {
    for (let c = 0; c < this.block.length; c++) {
      this.block[c]!.set(chunk.channels[c] ?? chunk.channels[0]!)
    }
    return chunk.channels[0]!.length
  }

  /** Brings the delay nearer to what it should be, by a period at most. */
  private correct(length: number, now: number): number {
    const off = this.delay! - this.goal
    const pace = PACE.find(({ from }) => Math.abs(off) > from)
    if (pace === undefined) return length
    // Of what is the last there is, nothing is taken: the next may be late.
    const possible = off < 0 || this.queue.length > 0
    const early = now - this.correctedAt < pace.everyMs - PIECE_MS
    if (early || !possible || length < leastSamples(this.sampleRate)) return length
    const period = periodOf(this.block[0]!, length, this.sampleRate)
    const waitsFor = PATIENCE * pace.everyMs
    if (period.likeness < LIKENESS && now - this.correctedAt < waitsFor) return length
    this.correctedAt = now
    if (off > 0) {
      this.counters.shortened += period.length
      return shorten(this.block, length, period)
    }
    this.counters.lengthened += period.length
    return lengthen(this.block, length, period)
  }

  private skipFirst(): void {
    const skipped = this.queue.shift()!
    this.counters.skipped += skipped.channels[0]!.length
    // What follows is another place of the sound: it is blended into, like after a loss.
    this.nextTimestamp = this.queue[0]?.timestamp ?? null
    this.breakOff()
  }

  private startTimeLine(): void {
    this.queue.length = 0
    this.nextTimestamp = null
    this.leastDelay = Number.NEGATIVE_INFINITY
    this.delay = null
    this.target.startTimeLine()
    this.breakOff()
  }

  private breakOff(): void {
    if (this.brokenSince !== null) return
    this.brokenSince = this.clock
    this.concealment.begin()
  }

  private setBlock(length: number): void {
    this.blockLength = length
    this.blockRead = 0
  }

  private durationOf(chunk: PcmChunk): number {
    return (chunk.channels[0]!.length / this.sampleRate) * 1e6
  }

  private samplesOf(ms: number): number {
    return Math.round((ms * this.sampleRate) / 1000)
  }

  private msOf(samples: number): number {
    return (samples * 1000) / this.sampleRate
  }
}
