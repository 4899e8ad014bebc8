/** How much, on average and at once. */
export interface Rate {
  readonly perSecond: number
  /** What an allowance that was left alone for long holds; at least the largest thing it lets pass. */
  readonly burst: number
}

/** No bound. */
export const UNLIMITED: Rate = {
  perSecond: Number.POSITIVE_INFINITY,
  burst: Number.POSITIVE_INFINITY,
}

/**
 * A token bucket with a floor for each taker: whoever matters less finds it empty earlier, so that what
 * is left serves those who matter more. Numbers only; nothing is allocated after it is made.
 */
export class Allowance {
  private readonly perMs: number
  private readonly burst: number
  private level: number
  private at: number

  /** @param now ms */
  constructor(rate: Rate, now: number) {
    this.perMs = rate.perSecond / 1000
    this.burst = rate.burst
    this.level = rate.burst
    this.at = now
  }

  /**
   * Whether `amount` may be taken and leave `floor` (0..1 of the burst) behind. There is no debt, which
   * those that matter more would have to pay: what is larger than the burst never passes.
   */
  allows(now: number, amount: number, floor: number): boolean {
    this.refill(now)
    // A share of infinity is no number.
    return this.level === Number.POSITIVE_INFINITY || this.level - amount >= floor * this.burst
  }

  take(amount: number): void {
    this.level -= amount
  }

  private refill(now: number): void {
    const elapsed = now - this.at
    if (elapsed <= 0) return
    this.at = now
    this.level = Math.min(this.burst, this.level + elapsed * this.perMs)
  }
}
