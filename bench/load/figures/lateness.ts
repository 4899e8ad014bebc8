import { Histogram, type HistogramData } from './histogram.ts'

/** A timer that is later than this did not keep its rate, ms. */
export const LATE_TICK_MS = 10

/** How late timers of a process ran; it crosses between processes. */
export interface LatenessData {
  readonly ticks: number
  readonly lateTicks: number
  readonly histogram: HistogramData
}

export class Lateness {
  private readonly histogram = new Histogram()
  private late = 0

  /** @param ms since the timer was due */
  note(ms: number): void {
    this.histogram.record(Math.max(0, ms))
    if (ms > LATE_TICK_MS) this.late++
  }

  toData(): LatenessData {
    return {
      ticks: this.histogram.count,
      lateTicks: this.late,
      histogram: this.histogram.toData(),
    }
  }
}
