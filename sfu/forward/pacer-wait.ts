import type { Clock } from '../../moq/session/index.ts'

/** The wait of a sender until its pacer lets something go: one at a time. */
export class PacerWait {
  private readonly clock: Clock
  private readonly onOver: () => void
  private stop: (() => void) | null = null
  private closed = false

  constructor(clock: Clock, onOver: () => void) {
    this.clock = clock
    this.onOver = onOver
  }

  /** @param ms Infinity: for what is not known yet. No effect while it waits. */
  begin(ms: number): void {
    if (this.stop || this.closed || ms === Number.POSITIVE_INFINITY) return
    this.stop = this.clock.after(Math.max(1, ms), () => {
      this.stop = null
      this.onOver()
    })
  }

  /** It need not wait any more. */
  end(): void {
    this.stop?.()
    this.stop = null
  }

  /** Final. */
  close(): void {
    this.closed = true
    this.end()
  }
}
