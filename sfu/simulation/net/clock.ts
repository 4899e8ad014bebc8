import type { Clock } from '../../../moq/session/index.ts'
import { Heap } from '../../forward/heap.ts'

interface Timer {
  readonly at: number
  readonly number: number
  task: (() => void) | null
}

/** What is due first goes first; of two at one time, what was planned first. */
class Timers extends Heap<Timer> {
  protected override before(a: Timer, b: Timer): boolean {
    return a.at < b.at || (a.at === b.at && a.number < b.number)
  }
}

/** Simulated time: it goes from one timer to the next, as fast as these are done. */
export class SimulatedClock implements Clock {
  private readonly timers = new Timers()
  private time = 0
  private count = 0

  now(): number {
    return this.time
  }

  /** Never at once, even for 0. */
  after(ms: number, task: () => void): () => void {
    return this.at(this.time + ms, task)
  }

  /** At exactly this time, as sums of floating-point numbers are not exact. */
  at(time: number, task: () => void): () => void {
    const timer: Timer = { at: Math.max(this.time, time), number: this.count++, task }
    this.timers.add(timer)
    return () => {
      timer.task = null
    }
  }

  /** Until a time in ms. What sessions put off to a microtask is done in between. */
  async runUntil(end: number): Promise<void> {
    for (let timer = this.timers.top; timer && timer.at <= end; timer = this.timers.top) {
      this.timers.remove(0)
      if (!timer.task) continue
      this.time = timer.at
      timer.task()
      // With the last of a moment, so that it is not awaited for each packet of a burst.
      if (this.timers.top?.at !== this.time) await null
    }
    this.time = end
  }
}
