/** How many temporal layers of a track come, told from its frames. Pure: the clock is passed in. */

const WINDOW_MS = 1000

export class LayerMeter {
  private readonly now: () => number
  /** When a window began, and the highest layer in it and in the one before. */
  private since = Number.NEGATIVE_INFINITY
  private highest = -1
  private before = -1

  /** @param now ms, monotonic */
  constructor(now: () => number) {
    this.now = now
  }

  note(temporalLayer: number): void {
    const age = this.now() - this.since
    if (age >= WINDOW_MS) {
      this.before = age < 2 * WINDOW_MS ? this.highest : -1
      this.highest = -1
      this.since = this.now()
    }
    this.highest = Math.max(this.highest, temporalLayer)
  }

  /** Of about the last second in which any came; null before the first. */
  get layers(): number | null {
    const highest = Math.max(this.highest, this.before)
    return highest < 0 ? null : highest + 1
  }
}
