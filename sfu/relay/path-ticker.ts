import type { Clock } from '../../moq/session/index.ts'

/** One whose path is looked at. */
export interface Ticked {
  /** Whether it is to be looked at more often. */
  readonly isUrgent: boolean
  /** Nothing happens that a look could see; it leaves, and has to be added again. */
  readonly isIdle: boolean
  /**
   * @param now ms
   * @param lagMs how late the process itself runs: what came from the network waits for so long too
   */
  tick(now: number, lagMs: number): void
}

/** Between two looks at a path, ms, and while it is probed or has a queue. */
const INTERVAL_MS = 50
const URGENT_MS = 20
/** The timer runs at this pace while somebody is urgent, so that both intervals are kept about. */
const SLACK_MS = 5
const LAG_DECAY = 0.8
/**
 * Looks are made for so long in one go, ms, and then nothing for `PAUSES` times as long: what is to be
 * forwarded waits for no more, and looks take a tenth of the time at most, however many paths there are.
 */
const SLICE_MS = 2
const PAUSES = 9

/** The one timer of all subscribers' paths. It runs while something is sent to somebody. */
export class PathTicker {
  private readonly clock: Clock
  /** Each with the time of its last look, the longest ago first. */
  private readonly ticked = new Map<Ticked, number>()
  private cancel: (() => void) | null = null
  private urgent = false
  private dueAt = 0
  private lagMs = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** No effect when it is there. */
  add(one: Ticked): void {
    if (this.ticked.has(one)) return
    this.ticked.set(one, Number.NEGATIVE_INFINITY)
    if (!this.cancel) this.plan(INTERVAL_MS)
  }

  delete(one: Ticked): void {
    this.ticked.delete(one)
    if (this.ticked.size > 0) return
    this.cancel?.()
    this.cancel = null
  }

  private plan(ms: number): void {
    this.dueAt = this.clock.now() + ms
    this.cancel = this.clock.after(ms, () => this.run())
  }

  private run(): void {
    const { clock } = this
    const now = clock.now()
    // A lag is remembered for a while, and less and less.
    this.lagMs = Math.max(now - this.dueAt, this.lagMs * LAG_DECAY)
    this.cancel = null
    this.urgent = false
    const isDone = this.look(now)
    if (this.ticked.size === 0 || this.cancel) return
    // What took longer was not looks: the machine had other work, and the paths have to be looked at all the more.
    const pause = Math.min(SLICE_MS, clock.now() - now) * PAUSES
    const interval = this.urgent ? URGENT_MS : INTERVAL_MS
    this.plan(isDone ? Math.max(interval, pause) : Math.max(1, pause))
  }

  /** @returns false when the time was up before all had been looked at */
  private look(now: number): boolean {
    let left = this.ticked.size
    for (const [one, last] of this.ticked) {
      // Behind these are those that were looked at just now.
      if (left-- === 0) break
      const interval = one.isUrgent ? URGENT_MS : INTERVAL_MS
      if (now - last >= interval - SLACK_MS) {
        this.ticked.delete(one)
        this.ticked.set(one, now)
        one.tick(now, this.lagMs)
        if (one.isIdle) this.ticked.delete(one)
      }
      this.urgent ||= one.isUrgent
      if (this.clock.now() - now >= SLICE_MS) return left === 0
    }
    return true
  }
}
