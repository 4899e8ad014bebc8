/**
 * What is played where sound is missing: the last period of what was played, again and again, first in
 * full and then fading to silence. It goes on from the last sample without a step.
 */

import { leastSamples, periodOf } from './waveform.ts'

/** How long the repeated sound stays as loud as it was, and when it has become silence. */
const FULL_MS = 20
const SILENT_MS = 100
/** How long a step at the beginning takes to be smoothed out. */
const SMOOTH_MS = 3

export class Concealment {
  private readonly sampleRate: number
  /** The last samples played, the newest at the end. */
  private readonly history: Float32Array<ArrayBuffer>[]
  private readonly periods: Float32Array<ArrayBuffer>[]
  /** By how much the last sample played differs from where the repeated period would come from. */
  private readonly steps: Float32Array<ArrayBuffer>
  private readonly full: number
  private readonly silent: number
  private readonly smooth: number
  private period = 1
  /** Samples since the sound broke off. */
  private position: number

  constructor(sampleRate: number, channels: number) {
    this.sampleRate = sampleRate
    const length = leastSamples(sampleRate)
    const planes = () => Array.from({ length: channels }, () => new Float32Array(length))
    this.history = planes()
    this.periods = planes()
    this.steps = new Float32Array(channels)
    this.full = Math.round((FULL_MS * sampleRate) / 1000)
    this.silent = Math.round((SILENT_MS * sampleRate) / 1000)
    this.smooth = Math.round((SMOOTH_MS * sampleRate) / 1000)
    this.position = this.silent
  }

  /** Nothing more is to be heard of the sound that broke off. */
  get isSilent(): boolean {
    return this.position >= this.silent
  }

  /** What was played: the first `length` samples. */
  played(planes: readonly Float32Array[], length: number): void {
    for (let c = 0; c < this.history.length; c++) {
      const history = this.history[c]!
      const taken = Math.min(length, history.length)
      history.copyWithin(0, taken)
      history.set(planes[c]!.subarray(length - taken, length), history.length - taken)
    }
  }

  /** The sound breaks off here. */
  begin(): void {
    const length = this.history[0]!.length
    this.period = periodOf(this.history[0]!, length, this.sampleRate).length
    this.position = 0
    for (let c = 0; c < this.history.length; c++) this.copyPeriod(c, length)
  }

  /** Fills the first `length` samples. */
  fill(planes: readonly Float32Array[], length: number): void {
    for (let c = 0; c < this.history.length; c++) {
      const plane = planes[c]!
      for (let i = 0; i < length; i++) plane[i] = this.sample(c, this.position + i)
    }
    this.position += length
  }

  /** Lets the first `length` samples come up while what was repeated goes down. */
  blendInto(planes: readonly Float32Array[], length: number): void {
    for (let c = 0; c < this.history.length; c++) {
      const plane = planes[c]!
      for (let i = 0; i < length; i++) {
        const repeated = this.sample(c, this.position + i)
        plane[i] = repeated + (plane[i]! - repeated) * (i / length)
      }
    }
    this.position = this.silent
  }

  private copyPeriod(c: number, length: number): void {
    const { period } = this
    const history = this.history[c]!
    const repeated = this.periods[c]!
    const start = length - period
    // Towards its end it turns into what came before its beginning, so that it can follow itself.
    const seam = period >> 2
    for (let i = 0; i < period; i++) {
      const weight = Math.max(0, (i - (period - seam)) / seam)
      const last = history[start + i]!
      repeated[i] = last + (history[start - period + i]! - last) * weight
    }
    this.steps[c] = history[length - 1]! - history[start - 1]!
  }

  private sample(c: number, position: number): number {
    if (position >= this.silent) return 0
    const smoothed = Math.max(0, 1 - position / this.smooth)
    const value = this.periods[c]![position % this.period]! + this.steps[c]! * smoothed
    const fading = Math.max(0, position - this.full) / (this.silent - this.full)
    return Math.max(-1, Math.min(1, value)) * (1 - fading)
  }
}
