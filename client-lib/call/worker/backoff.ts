/** Pauses between tries, ms: longer each time, and never the same for callers who lost one relay. */

export interface BackoffSettings {
  readonly firstMs: number
  readonly mostMs: number
  /** Once tries go on for this long, ms, pauses grow to `lateMs`: nobody is waiting before the screen. */
  readonly lateAfterMs: number
  readonly lateMs: number
}

export const DEFAULT_BACKOFF: BackoffSettings = {
  firstMs: 100,
  mostMs: 1000,
  lateAfterMs: 60_000,
  lateMs: 5000,
}

export class Backoff {
  private readonly settings: BackoffSettings
  private readonly random: () => number
  private tries = 0

  /** @param random 0..1 */
  constructor(random: () => number, settings: Partial<BackoffSettings> = {}) {
    this.random = random
    this.settings = { ...DEFAULT_BACKOFF, ...settings }
  }

  /** @param sinceMs how long tries go on */
  next(sinceMs: number): number {
    const { firstMs, mostMs, lateAfterMs, lateMs } = this.settings
    const most = sinceMs >= lateAfterMs ? lateMs : mostMs
    const pause = Math.min(most, firstMs * 2 ** Math.min(this.tries++, 16))
    return pause * (0.5 + this.random() / 2)
  }

  reset(): void {
    this.tries = 0
  }
}
