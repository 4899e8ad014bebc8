import type { Arrivals } from '../../../moq/media/index.ts'

/** How long the fastest object counts as the path's own delay, in periods of half of it. */
const BASE_PERIOD_MS = 15_000

/**
 * What a receiver tells its relay of what arrives (`Arrivals` of a receiver report). How long it was
 * under way is taken from the stamps, so all publishers share one clock.
 */
export class ArrivalMeter {
  private sinceAt: number
  private bytes = 0
  private received = 0
  private lostBefore = 0
  private leastMs = Number.POSITIVE_INFINITY
  /** Least delay in this period and in the one before. */
  private base = Number.POSITIVE_INFINITY
  private baseBefore = Number.POSITIVE_INFINITY
  private periodAt: number

  constructor(now: number) {
    this.sinceAt = now
    this.periodAt = now
  }

  /** An object came. @param latencyMs since it was sent */
  arrived(bytes: number, latencyMs: number): void {
    this.bytes += bytes
    this.received++
    this.leastMs = Math.min(this.leastMs, latencyMs)
    this.base = Math.min(this.base, latencyMs)
  }

  /**
   * What arrived since the last time.
   * @param lost objects known to be missing since the beginning
   */
  take(now: number, lost: number): Arrivals {
    if (now - this.periodAt >= BASE_PERIOD_MS) {
      this.periodAt = now
      this.baseBefore = this.base
      this.base = this.leastMs
    }
    const fastest = Math.min(this.base, this.baseBefore)
    const queueMs = Number.isFinite(this.leastMs) ? this.leastMs - fastest : 0
    const arrivals: Arrivals = {
      intervalMs: Math.min(60_000, Math.max(1, Math.round(now - this.sinceAt))),
      bytes: this.bytes,
      received: this.received,
      lost: Math.max(0, lost - this.lostBefore),
      queueMs: Math.min(60_000, Math.max(0, Math.round(queueMs))),
    }
    this.sinceAt = now
    this.bytes = 0
    this.received = 0
    this.lostBefore = lost
    this.leastMs = Number.POSITIVE_INFINITY
    return arrivals
  }
}
