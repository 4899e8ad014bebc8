/** How long the least transit is remembered, ms: clocks drift apart, and routes change. */
const MEMORY_MS = 10_000

/**
 * How late objects come against their own timestamps: the variation (RFC 3550 section 6.4.1) and the
 * delay that stands above the least one, which is a queue on the way. The two clocks need not agree.
 */
export class DelayMeter {
  /** ms */
  jitter = 0
  /** The least delay above the base since the last `takeStanding`, ms. */
  private standing = Number.POSITIVE_INFINITY
  private transit = Number.NaN
  private base = Number.POSITIVE_INFINITY
  /** The least of the half of the memory before this one. */
  private olderBase = Number.POSITIVE_INFINITY
  private halfSince = Number.NEGATIVE_INFINITY

  /** @param now ms @param timestamp µs of any origin */
  add(now: number, timestamp: number): void {
    const transit = now - timestamp / 1000
    if (!Number.isNaN(this.transit)) {
      this.jitter += (Math.abs(transit - this.transit) - this.jitter) / 16
    }
    this.transit = transit
    if (now - this.halfSince >= MEMORY_MS / 2) {
      this.olderBase = this.base
      this.base = Number.POSITIVE_INFINITY
      this.halfSince = now
    }
    if (transit < this.base) this.base = transit
    const above = transit - Math.min(this.base, this.olderBase)
    if (above < this.standing) this.standing = above
  }

  /** Infinity when nothing came since. */
  takeStanding(): number {
    const { standing } = this
    this.standing = Number.POSITIVE_INFINITY
    return standing
  }
}
