import type { SimulatedClock } from './clock.ts'
import { Link, type LinkConditions, NO_SHAPING } from './link.ts'

/** One direction of a simulated path: a link that delivers by a clock. */
export class Wire<T> {
  /** Set before anything is sent. */
  onArrival: (item: T) => void = () => {}
  readonly link: Link<T>
  private readonly clock: SimulatedClock
  private wakesAt = Number.POSITIVE_INFINITY
  private stop: () => void = () => {}

  constructor(clock: SimulatedClock, conditions: Partial<LinkConditions>, random: () => number) {
    this.clock = clock
    this.link = new Link({ ...NO_SHAPING, ...conditions }, random)
  }

  send(item: T, bytes: number): void {
    this.link.offer(item, bytes, this.clock.now())
    this.plan()
  }

  /** Holds from now on. */
  change(conditions: Partial<LinkConditions>): void {
    this.link.change(conditions, this.clock.now())
    this.wakesAt = Number.POSITIVE_INFINITY
    this.plan()
  }

  /** How long a byte that is sent now waits for the bottleneck, ms. */
  get queueMs(): number {
    const { backlog, conditions } = this.link
    return backlog === 0 ? 0 : (backlog * 8000) / conditions.rate
  }

  private plan(): void {
    const at = this.link.nextAt()
    if (at === Number.POSITIVE_INFINITY || at >= this.wakesAt) return
    this.stop()
    this.wakesAt = at
    this.stop = this.clock.at(at, () => this.wake())
  }

  private wake(): void {
    this.wakesAt = Number.POSITIVE_INFINITY
    const now = this.clock.now()
    for (let item = this.link.take(now); item !== undefined; item = this.link.take(now)) {
      this.onArrival(item)
    }
    this.plan()
  }
}
