/** When how much was sent: how long ago that was which is not acknowledged yet. In fixed memory. */

const ENTRIES = 128
/** What is sent within so long is one entry, ms. */
const STEP_MS = 10

export class SentLog {
  /** Entry: when its first bytes were sent, and the bytes sent until its end. A ring. */
  private readonly times = new Float64Array(ENTRIES)
  private readonly totals = new Float64Array(ENTRIES)
  private count = 0

  /** @param total bytes sent since the beginning, not less than before */
  note(now: number, total: number): void {
    const last = (this.count - 1) % ENTRIES
    if (this.count > 0 && now - this.times[last]! < STEP_MS) {
      this.totals[last] = total
      return
    }
    this.times[this.count % ENTRIES] = now
    this.totals[this.count % ENTRIES] = total
    this.count++
  }

  /**
   * How long ago the first byte after the first `total` was sent, ms; 0 when nothing was sent after
   * them. What is older than the log counts as of its age.
   */
  age(now: number, total: number): number {
    for (let i = Math.max(0, this.count - ENTRIES); i < this.count; i++) {
      if (this.totals[i % ENTRIES]! > total) return Math.max(0, now - this.times[i % ENTRIES]!)
    }
    return 0
  }
}
