/** Pictures that wait for their time, of which the newest that is due is shown. */

/** What is queued: a `VideoFrame`, or a stand-in for one. */
export interface Picture {
  /** µs */
  readonly timestamp: number
  close(): void
}

/** As `PictureClock`. */
export interface PictureTiming {
  dueAt(timestamp: number): number
  shown(timestamp: number, now: number): void
}

/** More are too many pictures held at once for the decoder: then the oldest is shown before its time. */
const MOST_WAITING = 16
/** A repaint stands for the time around it; ms, half of a common screen's. */
const HALF_REPAINT_MS = 8

export class PictureQueue<P extends Picture> {
  readonly counters = { drawn: 0, skipped: 0 }
  private readonly timing: PictureTiming
  private readonly waiting: P[] = []

  constructor(timing: PictureTiming) {
    this.timing = timing
  }

  get size(): number {
    return this.waiting.length
  }

  /** Takes a picture over, in order of time. */
  push(picture: P): void {
    this.waiting.push(picture)
    // The page is not repainted: nothing is seen of it anyway.
    if (this.waiting.length > 2 * MOST_WAITING) this.passOver()
  }

  /**
   * The picture to show now, for the caller to close; null: the one that is shown stays.
   * @param now ms, as of the timing
   */
  take(now: number): P | null {
    const until = now + HALF_REPAINT_MS
    while (this.waiting.length > 1 && this.isDue(this.waiting[1]!, until)) this.passOver()
    const first = this.waiting[0]
    if (first === undefined) return null
    // The very first is better seen early than in step with its sound.
    const isHeld = this.counters.drawn > 0 && !this.isDue(first, until)
    if (isHeld && this.waiting.length <= MOST_WAITING) return null
    this.waiting.shift()
    this.counters.drawn++
    this.timing.shown(first.timestamp, now)
    return first
  }

  clear(): void {
    while (this.waiting.length > 0) this.passOver()
  }

  private isDue({ timestamp }: P, until: number): boolean {
    return this.timing.dueAt(timestamp) <= until
  }

  private passOver(): void {
    this.waiting.shift()?.close()
    this.counters.skipped++
  }
}
