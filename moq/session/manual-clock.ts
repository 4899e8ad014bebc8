import type { Clock } from './clock.ts'

/** For tests: a clock that only a test moves. */
export class ManualClock implements Clock {
  private time = 0
  private tasks: { readonly at: number; readonly task: () => void }[] = []

  now(): number {
    return this.time
  }

  after(ms: number, task: () => void): () => void {
    const entry = { at: this.time + ms, task }
    this.tasks.push(entry)
    return () => {
      this.tasks = this.tasks.filter((other) => other !== entry)
    }
  }

  /** Tasks that wait for their time. */
  get timers(): number {
    return this.tasks.length
  }

  /** Runs what comes due, at its own time and in order. */
  advance(ms: number): void {
    const end = this.time + ms
    for (;;) {
      const due = this.tasks.filter(({ at }) => at <= end)
      if (due.length === 0) break
      const next = due.reduce((first, other) => (other.at < first.at ? other : first))
      this.tasks = this.tasks.filter((other) => other !== next)
      this.time = Math.max(this.time, next.at)
      next.task()
    }
    this.time = end
  }
}
