import type { Clock } from '../../moq/session/index.ts'

/** A budget of time, ms, for all waits together (FILL_TIMEOUT, draft-18 section 10.2.5). */
export class Patience {
  private readonly clock: Clock
  private readonly onEnd: () => void
  private left: number
  private since = 0
  private stopTimer: (() => void) | null = null

  /** @param onEnd the budget is used up, while waiting */
  constructor(clock: Clock, budgetMs: number, onEnd: () => void) {
    this.clock = clock
    this.left = budgetMs
    this.onEnd = onEnd
  }

  get leftMs(): number {
    return this.left
  }

  /** Waiting begins, or goes on. */
  start(): void {
    if (this.stopTimer) return
    this.since = this.clock.now()
    this.stopTimer = this.clock.after(this.left, () => {
      this.stopTimer = null
      this.left = 0
      this.onEnd()
    })
  }

  stop(): void {
    if (!this.stopTimer) return
    this.stopTimer()
    this.stopTimer = null
    this.left = Math.max(0, this.left - (this.clock.now() - this.since))
  }
}
