import type { Clock } from '../../moq/session/clock.ts'

export type Work = () => Promise<void> | void

/** What a membership waits for. */
export type TimerName =
  | 'ask'
  | 'answer'
  | 'gap'
  | 'removal'
  | 'vanish'
  | 'update'
  | 'dispute'
  | 'proof'
  | 'save'
  | 'check'

/** Named timers over a clock: setting one again replaces it. */
export class Timers {
  private readonly clock: Clock
  private readonly run: (work: Work) => void
  private readonly cancels = new Map<TimerName, () => void>()

  /** @param run does a timer's work when it is its turn */
  constructor(clock: Clock, run: (work: Work) => void) {
    this.clock = clock
    this.run = run
  }

  /** ms, of the clock's origin. */
  now(): number {
    return this.clock.now()
  }

  /** @param ms from now */
  set(name: TimerName, ms: number, work: Work): void {
    this.clear(name)
    const cancel = this.clock.after(ms, () => {
      this.cancels.delete(name)
      this.run(work)
    })
    this.cancels.set(name, cancel)
  }

  has(name: TimerName): boolean {
    return this.cancels.has(name)
  }

  clear(name: TimerName): void {
    this.cancels.get(name)?.()
    this.cancels.delete(name)
  }

  clearAll(): void {
    for (const cancel of this.cancels.values()) cancel()
    this.cancels.clear()
  }
}
