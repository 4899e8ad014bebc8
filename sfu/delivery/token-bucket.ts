import type { Rate } from './settings.ts'

/** Lets `burst` through at once, then `perSecond`. */
export class TokenBucket {
  private readonly rate: Rate
  private tokens: number
  private at: number

  /** @param now ms */
  constructor(rate: Rate, now: number) {
    this.rate = rate
    this.tokens = rate.burst
    this.at = now
  }

  /** Takes one token if there is one. */
  take(now: number): boolean {
    this.refill(now)
    if (this.tokens < 1) return false
    this.tokens -= 1
    return true
  }

  /** As good as new: forgetting it changes nothing. */
  full(now: number): boolean {
    this.refill(now)
    return this.tokens >= this.rate.burst
  }

  private refill(now: number): void {
    const elapsed = Math.max(0, now - this.at)
    this.tokens = Math.min(this.rate.burst, this.tokens + (elapsed * this.rate.perSecond) / 1000)
    this.at = now
  }
}
