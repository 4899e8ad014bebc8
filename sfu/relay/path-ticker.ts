import type { Clock } from '../../moq/session/index.ts'

/** One whose path is looked at. */
export interface Ticked {
  readonly isProbing: boolean
  /** Nothing happens that a look could see; it leaves, and has to be added again. */
  readonly isIdle: boolean
  /** @param now ms */
  tick(now: number): void
}

/** Between two looks at a path, ms, and while it is probed. */
const INTERVAL_MS = 50
const PROBING_MS = 20
/** The timer runs at this pace while somebody probes, so that both intervals are kept about. */
const SLACK_MS = 5

/** The one timer of all subscribers' paths. It runs while something is sent to somebody. */
export class PathTicker {
  private readonly clock: Clock
  /** Each with the time of its last look. */
  private readonly ticked = new Map<Ticked, number>()
  private cancel: (() => void) | null = null
  private probing = false

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** No effect when it is there. */
  add(one: Ticked): void {
    if (this.ticked.has(one)) return
    this.ticked.set(one, Number.NEGATIVE_INFINITY)
    if (!this.cancel) this.plan()
  }

  delete(one: Ticked): void {
    this.ticked.delete(one)
    if (this.ticked.size > 0) return
    this.cancel?.()
    this.cancel = null
  }

  private plan(): void {
    this.cancel = this.clock.after(this.probing ? PROBING_MS : INTERVAL_MS, () => this.run())
  }

  private run(): void {
    const now = this.clock.now()
    this.cancel = null
    this.probing = false
    for (const [one, last] of this.ticked) {
      const interval = one.isProbing ? PROBING_MS : INTERVAL_MS
      if (now - last >= interval - SLACK_MS) {
        this.ticked.set(one, now)
        one.tick(now)
        if (one.isIdle) this.ticked.delete(one)
      }
      this.probing ||= one.isProbing
    }
    if (this.ticked.size > 0 && !this.cancel) this.plan()
  }
}
