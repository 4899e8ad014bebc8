import {
  type ArrivalContext,
  type RepairCounters,
  RepairPlanner,
  type RepairRange,
  type RepairSettings,
} from './repair-planner.ts'

/** What a `RepairDriver` works with. */
export interface RepairDriverOptions {
  readonly clock: {
    /** ms, monotonic. */
    now(): number
    /** Runs `task` once after `ms`; the returned function cancels it. */
    after(ms: number, task: () => void): () => void
  }
  /** Smoothed, to whom is asked, ms. Infinity while it is not known: nothing is asked for. */
  readonly rttMs: () => number
  /** Asks for objects again, by a FETCH; what comes is told to `received` like everything else. */
  readonly fetch: (range: RepairRange) => void
  readonly settings?: Partial<RepairSettings>
}

/** A repair planner that wakes itself: one for each subscription whose datagrams are worth repairing. */
export class RepairDriver {
  private readonly options: RepairDriverOptions
  private readonly planner: RepairPlanner
  private stopTimer: (() => void) | null = null
  private timerAt = 0
  private closed = false

  constructor(options: RepairDriverOptions) {
    this.options = options
    this.planner = new RepairPlanner(options.clock.now(), options.settings)
  }

  get counters(): Readonly<RepairCounters> {
    return this.planner.counters
  }

  /** As of the planner. @returns false for what came before */
  received(group: number, object: number, context?: ArrivalContext): boolean {
    const isNew = this.planner.received(this.options.clock.now(), group, object, context)
    this.plan()
    return isNew
  }

  /** As of the planner: how long to wait for an object, ms of the clock; null: not at all. */
  awaitedUntil(group: number, object: number): number | null {
    return this.planner.awaitedUntil(group, object)
  }

  /** As of the planner. */
  awaitedWithin(group: number, first: number, end: number): number | null {
    return this.planner.awaitedWithin(group, first, end)
  }

  /** As of the planner. */
  postpone(range: RepairRange, ms: number): void {
    this.planner.postpone(this.options.clock.now(), range, ms)
    this.plan()
  }

  close(): void {
    this.closed = true
    this.stopTimer?.()
    this.stopTimer = null
  }

  private plan(): void {
    const at = this.planner.nextAt
    if (at === null || this.closed || (this.stopTimer && this.timerAt <= at)) return
    const { clock } = this.options
    this.stopTimer?.()
    this.timerAt = at
    this.stopTimer = clock.after(Math.max(0, at - clock.now()), this.onTimer)
  }

  private readonly onTimer = () => {
    this.stopTimer = null
    const { clock, rttMs, fetch } = this.options
    for (const range of this.planner.poll(clock.now(), rttMs())) fetch(range)
    this.plan()
  }
}
