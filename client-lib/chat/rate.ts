/** So much a second on average, and so much at once. */
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

  /** Whether there is room for as much; takes nothing. */
  has(cost: number): boolean {
    const now = this.now()
    this.left = Math.min(this.atOnce, this.left + ((now - this.at) * this.aSecond) / 1000)
    this.at = now
    return this.left >= cost
  }

  /** False: too much. */
  take(cost: number): boolean {
    if (!this.has(cost)) return false
    this.left -= cost
    return true
  }
}

export interface MessageRateOptions {
  readonly messages: { readonly aSecond: number; readonly atOnce: number }
  readonly bytes: { readonly aSecond: number; readonly atOnce: number }
}

/** How many messages one sender may send, and how many bytes in them. */
export class MessageRate {
  private readonly messages: Rate
  private readonly bytes: Rate

  /** @param now ms, monotonic */
  constructor({ messages, bytes }: MessageRateOptions, now: () => number) {
    this.messages = new Rate(messages.aSecond, messages.atOnce, now)
    this.bytes = new Rate(bytes.aSecond, bytes.atOnce, now)
  }

  /** False: too many, or too large; then nothing is taken. */
  take(bytes: number): boolean {
    return this.messages.has(1) && this.bytes.take(bytes) && this.messages.take(1)
  }
}
