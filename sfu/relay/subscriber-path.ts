import type { Clock, Session } from '../../moq/session/index.ts'
import { Budget, type BudgetOptions, PaddingSource } from '../forward/budget/index.ts'
import type { EgressScheduler } from '../forward/egress.ts'

/** A path on which nothing was sent for so long needs no look, ms. */
const IDLE_MS = 2000

/**
 * The path to one subscriber: what it carries, by the transport's congestion signal or the receiver's
 * reports, and the padding with which more is probed for. Whoever owns it calls `sample`; see
 * `PathTicker`.
 */
export class SubscriberPath {
  readonly budget: Budget
  private readonly session: Session
  private readonly egress: EgressScheduler
  private readonly padding: PaddingSource
  /** What was sent until the last look, and when it last grew, ms. */
  private seenBytes = 0
  private busyAt = 0
  private lookedAt = 0

  /** @param session may still be under construction, and is not used before `sample` */
  constructor(clock: Clock, session: Session, egress: EgressScheduler, options: BudgetOptions) {
    this.session = session
    this.egress = egress
    this.budget = new Budget(options)
    this.padding = new PaddingSource(this.budget, {
      now: () => clock.now(),
      sentBytes: () => egress.sentBytes,
      maxDatagramSize: () => session.transport.maxDatagramSize,
      sendPadding: (bytes, by) => session.sendPadding(bytes, by),
    })
  }

  /** Whether samples are wanted more often than else. */
  get isProbing(): boolean {
    return this.budget.isProbing
  }

  /** Whether nothing was sent or has waited for a while. */
  get isIdle(): boolean {
    return this.lookedAt - this.busyAt > IDLE_MS
  }

  /** Looks at the path; each 50 ms, and each 20 ms while it is probed. @param now ms */
  sample(now: number): void {
    const { budget, egress, session } = this
    if (egress.sentBytes !== this.seenBytes || egress.waitingBytes > 0 || budget.isProbing) {
      this.busyAt = now
    }
    this.seenBytes = egress.sentBytes
    this.lookedAt = now
    budget.onSample(now, session.transport.congestion(), egress.sentBytes, egress.waitingForRoom)
    if (budget.isProbing) egress.wake(this.padding)
  }

  /** For a look inside: rates in bits a second, times in ms. */
  dump() {
    const congestion = this.session.transport.congestion()
    return {
      budget: this.budget.dump(),
      sentBytes: this.egress.sentBytes,
      waiting: this.egress.dump(),
      rttMs: congestion?.rttMs ?? null,
      congestionWindow: congestion?.congestionWindow ?? null,
      bytesInFlight: congestion?.bytesInFlight ?? null,
      deliveryRate: congestion?.deliveryRate ?? null,
    }
  }
}
