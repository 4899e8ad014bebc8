/** How an estimate follows what arrives. */
export interface UplinkSettings {
  /** What an uplink is taken to bear that never was full, bits/s. */
  readonly initial: number
  /** A queue that stands at least so high says that the uplink bears no more, ms. */
  readonly fullMs: number
  /** So high a queue is the publisher's own, however little arrives, ms. */
  readonly clearMs: number
  /** Below this the path is taken to be free, ms. */
  readonly freeMs: number
  /** So much loss, in thousandths, is congestion; half of it is left to chance. */
  readonly congestedPermille: number
  /** After a step down, the share of what arrived that is taken to fit: the queue has to drain. */
  readonly backOff: number
  /** The least share that a step down leaves where less arrives than would fit. */
  readonly cautious: number
  /** Between steps down, ms: a queue shows a decision late. */
  readonly settleMs: number
  /** Growth while the path is free, a second: soon after a step down, and later. */
  readonly growth: number
  readonly calmGrowth: number
  /** So long after a step down, ms. */
  readonly calmMs: number
  /** Of an uplink that was full once, the estimate is at most this many times what was seen to arrive, and `headroom` more, bits/s. */
  readonly beyond: number
  readonly headroom: number
  /** Nothing is said before so much time, ms. */
  readonly warmUpMs: number
  /** Least estimate, bits/s: sound and a small picture. */
  readonly least: number
  /** Greatest estimate, bits/s. */
  readonly most: number
}

export const DEFAULT_UPLINK: UplinkSettings = {
  initial: 2_500_000,
  fullMs: 60,
  clearMs: 200,
  freeMs: 25,
  congestedPermille: 100,
  backOff: 0.85,
  cautious: 0.7,
  settleMs: 600,
  growth: 0.08,
  calmGrowth: 0.5,
  calmMs: 5000,
  beyond: 1.5,
  headroom: 100_000,
  warmUpMs: 1000,
  least: 50_000,
  most: Number.POSITIVE_INFINITY,
}

/** What is known of a publisher's uplink since the last time. */
export interface UplinkReading {
  /** Payload bits a second that arrived. */
  readonly bitrate: number
  readonly lossPermille: number
  /** The least delay above the base, ms; Infinity: nothing came that tells. */
  readonly standingMs: number
}

/**
 * What a publisher's uplink bears, from what arrives: a queue that stands, or heavy loss, shows its
 * limit, and until one does the uplink is taken to be a good one. From then on the estimate grows while
 * the path is free, and not far beyond what was seen to arrive. A publisher that sends little proves
 * nothing and loses nothing: the estimate stays, and a small queue that such a publisher cannot have made
 * lowers it by a share only.
 */
export class UplinkEstimator {
  /** Bits a second; null while nothing can be said. */
  estimate: number | null = null
  private readonly settings: UplinkSettings
  private startedAt = -1
  private updatedAt = 0
  private steppedAt = Number.NEGATIVE_INFINITY

  constructor(settings: Partial<UplinkSettings> = {}) {
    this.settings = { ...DEFAULT_UPLINK, ...settings }
  }

  update(now: number, reading: UplinkReading): void {
    const { bitrate } = reading
    const elapsed = now - this.updatedAt
    this.updatedAt = now
    if (bitrate <= 0) return
    if (this.startedAt < 0) this.startedAt = now
    if (now - this.startedAt < this.settings.warmUpMs) return
    const { beyond, headroom, initial, calmMs, calmGrowth, growth } = this.settings
    const seen = bitrate * beyond + headroom
    const wasFull = this.steppedAt > Number.NEGATIVE_INFINITY
    const most = Math.min(this.settings.most, wasFull ? seen : Math.max(initial, seen))
    this.estimate ??= most
    if (this.isFull(reading)) this.stepDown(now, reading)
    else if (this.isFree(reading)) {
      this.grow(elapsed, most, now - this.steppedAt < calmMs ? growth : calmGrowth)
    }
    this.estimate = Math.min(this.estimate, this.settings.most)
  }

  private isFull({ standingMs, lossPermille }: UplinkReading): boolean {
    const isStanding = Number.isFinite(standingMs) && standingMs >= this.settings.fullMs
    return isStanding || lossPermille >= this.settings.congestedPermille
  }

  private isFree({ standingMs, lossPermille }: UplinkReading): boolean {
    return standingMs < this.settings.freeMs && lossPermille < this.settings.congestedPermille / 2
  }

  private stepDown(now: number, { bitrate, lossPermille, standingMs }: UplinkReading): void {
    const { settleMs, fullMs, clearMs, backOff, cautious, least } = this.settings
    if (now - this.steppedAt < settleMs) return
    this.steppedAt = now
    const isStanding = Number.isFinite(standingMs) && standingMs >= fullMs
    const fits = isStanding ? bitrate * backOff : bitrate * (1 - lossPermille / 2000)
    const estimate = this.estimate!
    const isOwn = !isStanding || standingMs >= clearMs || bitrate >= estimate / 2
    const lowered = isOwn ? fits : Math.max(fits, estimate * cautious)
    this.estimate = Math.max(least, Math.min(estimate, lowered))
  }

  private grow(elapsed: number, most: number, aSecond: number): void {
    const grown = this.estimate! * (1 + (aSecond * Math.min(elapsed, 1000)) / 1000)
    if (grown <= most) this.estimate = grown
  }
}
