/** So many a second on average, and so many at once. */
export class Rate {
  private readonly aSecond: number
  private readonly atOnce: number
  private readonly now: () => number
  private left: number
  private at: number

  /** @param now ms, monotonic */
  constructor(aSecond: number, atOnce: number, now: () => number) {
    this.aSecond = aSecond
    this.atOnce = atOnce
    this.now = now
    this.left = atOnce
    this.at = now()
  }

  /** False: too many. */
  take(): boolean {
    const now = this.now()
    this.left = Math.min(this.atOnce, this.left + ((now - this.at) * this.aSecond) / 1000)
    this.at = now
    if (this.left < 1) return false
    this.left -= 1
    return true
  }
}
