/**
 * Wall-clock times of frames that are being encoded, until they come out: whatever the capture's clock does
 * meanwhile, a frame keeps the time that it had when it went in.
 */
export class FrameTimes {
  private readonly timestamps: number[] = []
  private readonly times: number[] = []

  /** @param timestamp of the capture, µs @param time µs since the Unix epoch */
  add(timestamp: number, time: number): void {
    if (this.timestamps.length === MOST) {
      this.timestamps.shift()
      this.times.shift()
    }
    this.timestamps.push(timestamp)
    this.times.push(time)
  }

  /**
   * The time of a frame that came out; those that went in before it do not come any more.
   * @returns µs since the Unix epoch; null for a frame that is not known
   */
  take(timestamp: number): number | null {
    const at = this.timestamps.indexOf(timestamp)
    if (at < 0) return null
    this.timestamps.splice(0, at + 1)
    return this.times.splice(0, at + 1).at(-1)!
  }
}

/** Encoders are given no more than a few at once. */
const MOST = 16
