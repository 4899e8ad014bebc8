/** Extremes and rates over the last stretch of time, in bounded memory. */

const BUCKETS = 3

/** The largest value of about the last `windowMs`: old ones go a third of the window at a time. */
export class WindowedMax {
  private readonly bucketMs: number
  private readonly buckets = new Array<number>(BUCKETS).fill(Number.NEGATIVE_INFINITY)
  private newest = 0

  constructor(windowMs: number) {
    this.bucketMs = windowMs / BUCKETS
  }

  add(value: number, now: number): void {
    this.turn(now)
    const at = this.newest % BUCKETS
    if (value > this.buckets[at]!) this.buckets[at] = value
  }

  /** -Infinity when nothing was added of late. */
  max(now: number): number {
    this.turn(now)
    const [first, second, third] = this.buckets
    return Math.max(first!, second!, third!)
  }

  clear(): void {
    this.buckets.fill(Number.NEGATIVE_INFINITY)
  }

  private turn(now: number): void {
    const bucket = Math.floor(now / this.bucketMs)
    if (bucket <= this.newest) return
    const passed = Math.min(BUCKETS, bucket - this.newest)
    for (let i = 1; i <= passed; i++) {
      this.buckets[(this.newest + i) % BUCKETS] = Number.NEGATIVE_INFINITY
    }
    if (passed === BUCKETS) this.buckets.fill(Number.NEGATIVE_INFINITY)
    this.newest = bucket
  }
}

/** The growth of a counter over the last stretch. */
export class CounterWindow {
  private readonly times: number[] = []
  private readonly counts: number[] = []

  /**
   * @param count since the beginning; never goes down
   * @param windowMs how far to look back; looks are made several times in it
   */
  note(count: number, now: number, windowMs: number): void {
    this.times.push(now)
    this.counts.push(count)
    // One look from before the window stays, as what happened in the window is counted from it.
    while (this.times.length > 2 && this.times[1]! <= now - windowMs) {
      this.times.shift()
      this.counts.shift()
    }
  }

  /** Growth over the stretch. */
  get growth(): number {
    const last = this.counts.length - 1
    return last < 1 ? 0 : this.counts[last]! - this.counts[0]!
  }

  /** Length of the stretch, ms; 0 before the second look. */
  get span(): number {
    const last = this.times.length - 1
    return last < 1 ? 0 : this.times[last]! - this.times[0]!
  }

  /** Growth a second. */
  get rate(): number {
    return this.span === 0 ? 0 : (this.growth * 1000) / this.span
  }
}
