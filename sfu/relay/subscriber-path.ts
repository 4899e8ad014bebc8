import type { Clock, Session } from '../../moq/session/index.ts'
import type { Congestion } from '../../moq/transport/transport.ts'
import {
  Budget,
  type BudgetOptions,
  CounterWindow,
  InFlight,
  PaddingSource,
} from '../forward/budget/index.ts'
import type { EgressScheduler } from '../forward/egress.ts'
import { PathMeter, type PathTally } from './path-tally.ts'

/** What media offers is taken over so long, ms. */
const OFFER_MS = 1000
/** So little says nothing of a queue: the peer may wait with its acknowledgement. */
const FEW_BYTES = 4800
/** What is in flight are packets with headers, what was sent is counted without them. */
const PAYLOAD_SHARE = 0.95

export interface PathOptions {
  readonly budget: BudgetOptions
  /** Counts for all paths. */
  readonly tally: PathTally
}

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
  private readonly tally: PathTally
  private readonly meter: PathMeter
  private readonly offered = new CounterWindow()
  private readonly inFlight = new InFlight()
  /** What was sent until the last look, and when it last grew, ms. */
  private seenBytes = 0
  private busyAt = 0
  private lookedAt = 0

  /** @param session may still be under construction, and is not used before `sample` */
  constructor(clock: Clock, session: Session, egress: EgressScheduler, options: PathOptions) {
    this.session = session
    this.egress = egress
    const { tally } = options
    this.tally = tally
    this.meter = new PathMeter(tally)
    this.budget = new Budget(options.budget, (result) => {
      tally.probes[result]++
    })
    this.padding = new PaddingSource(this.budget, {
      now: () => clock.now(),
      sentBytes: () => egress.pacer.sentBytes,
      maxDatagramSize: () => session.transport.maxDatagramSize,
      sendPadding: (bytes, by) => {
        const sent = session.sendPadding(bytes, by)
        if (sent) tally.paddingBytes += bytes
        return sent
      },
    })
  }

  /** Whether samples are wanted more often than else. */
  get isUrgent(): boolean {
    return this.budget.isUrgent
  }

  /** Whether nothing was sent or has waited for a while. */
  get isIdle(): boolean {
    return this.lookedAt - this.busyAt > IDLE_MS
  }

  /**
   * Looks at the path; each 50 ms, and each 20 ms while `isUrgent`.
   * @param now ms
   * @param lagMs see `Ticked.tick`
   */
  sample(now: number, lagMs: number): void {
    const { budget, egress } = this
    const { sentBytes } = egress.pacer
    if (sentBytes !== this.seenBytes || egress.waitingBytes > 0 || budget.isProbing) {
      this.busyAt = now
    }
    this.seenBytes = sentBytes
    this.tally.heldMs += egress.pacer.takeHeldMs(now)
    this.lookedAt = now
    this.offered.note(egress.offeredBytes, now, OFFER_MS)
    budget.offer(this.offered.rate * 8, egress.pacer.isHolding)
    const congestion = this.look(now)
    this.meter.look(now, congestion, egress.waitingForRoom > 0)
    const bytesInFlight = congestion?.bytesInFlight ?? null
    const oldestMs = bytesInFlight === null ? null : this.oldestMs(now, bytesInFlight) - 2 * lagMs
    budget.onSample(now, congestion, sentBytes, egress.waitingForRoom, oldestMs)
    egress.setRate(budget.pacedBitsPerSecond)
    if (budget.isProbing) egress.wake(this.padding)
  }

  private look(now: number): Congestion | null {
    const congestion = this.session.transport.congestion()
    if (!congestion || congestion.bytesInFlight === null) return congestion
    const { bytesInFlight, congestionWindow } = congestion
    return {
      ...congestion,
      bytesInFlight: this.inFlight.look(bytesInFlight, congestionWindow, now),
    }
  }

  /** For how long the oldest bytes have been out that are not acknowledged, ms. */
  private oldestMs(now: number, bytesInFlight: number): number {
    if (bytesInFlight < FEW_BYTES) return 0
    const { log, sentBytes } = this.egress.pacer
    return log.age(now, sentBytes - (bytesInFlight - FEW_BYTES / 2) * PAYLOAD_SHARE)
  }

  /** For a look inside: rates in bits a second, times in ms. */
  dump() {
    const congestion = this.session.transport.congestion()
    return {
      budget: this.budget.dump(),
      sentBytes: this.egress.pacer.sentBytes,
      waiting: this.egress.dump(),
      rttMs: congestion?.rttMs ?? null,
      congestionWindow: congestion?.congestionWindow ?? null,
      bytesInFlight: congestion?.bytesInFlight ?? null,
      deliveryRate: congestion?.deliveryRate ?? null,
    }
  }
}
