/** The budget of one subscriber: what its path carries, what of it is proven, and when to probe. */

import type { Congestion } from '../../../moq/transport/transport.ts'
import { Estimator, type EstimatorOptions, isQueueing } from './estimator.ts'
import { Pace } from './pace.ts'
import { type ArrivalFigures, PathSignal } from './path-signal.ts'
import { type ProbeResult, Prober } from './prober.ts'

export interface BudgetSettings extends EstimatorOptions {
  /** Whether padding is sent to find out whether the path carries more. */
  readonly probing: boolean
}

export type BudgetOptions = Partial<BudgetSettings>

export const DEFAULT_BUDGET: BudgetSettings = {
  initial: 1_000_000,
  min: 50_000,
  max: 100_000_000,
  probing: true,
}

/** What media may take of the estimate: headers, repeats and unevenness take the rest. */
const HEADROOM = 0.9
/** And while a queue that we have made goes down: a long one has to go soon, as sound waits in it. */
const DRAINING = 0.75
const DRAINING_LONG = 0.5
const LONG_QUEUE_MS = 150
const LONG_HOLD_MS = 200
/** A queue that is still there after so long is not ours, ms; a long one takes its time. */
const DRAIN_MS = 3000
const DRAIN_LONG_MS = 10_000
/** Media that is held back wants so much of the estimate, if nobody says more. */
const HELD_WANTS = 1.5
/** Padding that is behind its rate is made up for at most this much at once, ms. */
const BURST_MS = 60

export class Budget {
  private readonly signal = new PathSignal()
  private readonly estimator: Estimator
  private readonly prober = new Prober()
  private readonly pace = new Pace()
  private readonly settings: BudgetSettings
  private readonly onProbe: (result: ProbeResult) => void
  private readonly probes: Record<ProbeResult, number> = {
    success: 0,
    progress: 0,
    full: 0,
    nothing: 0,
  }
  /** Bits a second; null while nobody has said. */
  private told: number | null = null
  private offered = 0
  private fullAt = Number.NEGATIVE_INFINITY
  private draining = false
  private now = 0
  /** Bytes sent when the probe began, or since when its padding is counted. */
  private probeBase = 0
  private lastQueueMs = 0
  /** Whether the engine tells what is in flight, so that `Pace` sees a queue by itself. */
  private seesOldest = false

  /** @param onProbe told of each probe that ended */
  constructor(options: BudgetOptions = {}, onProbe: (result: ProbeResult) => void = () => {}) {
    this.settings = { ...DEFAULT_BUDGET, ...options }
    this.onProbe = onProbe
    this.estimator = new Estimator(this.settings)
  }

  /** Bits a second that media may take now. A fall is to be followed at once. */
  get bitsPerSecond(): number {
    return this.estimator.bitsPerSecond * (this.draining ? this.drainingShare : HEADROOM)
  }

  private get drainingShare(): number {
    const isLong = this.lastQueueMs > LONG_QUEUE_MS
    if (!this.seesOldest) return isLong ? DRAINING_LONG : DRAINING
    // A queue that is waited for has not to be made shorter by sending less, but pictures wait with it.
    return isLong && this.pace.heldMs > LONG_HOLD_MS ? DRAINING_LONG : HEADROOM
  }

  /** Bits a second that media may be stepped up to: of the budget, what was delivered of late. */
  get provenBitsPerSecond(): number {
    return Math.min(this.bitsPerSecond, this.estimator.proven(this.now) * HEADROOM)
  }

  /**
   * Bits a second at which what is below audio may be sent: Infinity where no queue was seen for long,
   * 0 while one has to go. Not more than `bitsPerSecond` right after a queue, then more and more.
   */
  get pacedBitsPerSecond(): number {
    if (this.estimator.bitsPerSecond >= this.settings.max) return Number.POSITIVE_INFINITY
    const { bitsPerSecond } = this.estimator
    // What is wanted beyond that, probes find.
    const mayRaise = !this.settings.probing || (this.told ?? this.offered) <= bitsPerSecond
    const budget = this.seesOldest ? bitsPerSecond * HEADROOM : this.bitsPerSecond
    const rate = this.pace.rate(this.now, budget, mayRaise)
    return rate === 0 ? 0 : Math.max(rate, this.prober.target)
  }

  /** Whether samples are wanted each 20 ms or so: a probe goes on, or a queue; else each 50 ms. */
  get isUrgent(): boolean {
    return this.isProbing || this.draining || this.pace.isNear
  }

  /** Whether a probe goes on. */
  get isProbing(): boolean {
    return this.prober.target > 0
  }

  /** @param bitsPerSecond what media would take if the budget allowed everything */
  want(bitsPerSecond: number): void {
    this.told = bitsPerSecond
  }

  /**
   * What counts as wanted while nobody calls `want`: with a path that is not held back there is
   * nothing to find out.
   * @param bitsPerSecond that media comes with
   * @param isHeld whether some of it is held back
   */
  offer(bitsPerSecond: number, isHeld: boolean): void {
    const more = isHeld ? this.estimator.bitsPerSecond * HELD_WANTS : 0
    this.offered = Math.max(bitsPerSecond, more)
  }

  private get wanted(): number {
    if (this.told !== null) return this.told
    return this.pacedBitsPerSecond === Number.POSITIVE_INFINITY ? 0 : this.offered
  }

  /**
   * @param now ms
   * @param congestion the engine's (`TransportSession.congestion()`), null where it has none
   * @param sentBytes handed to the transport since the session began, padding among them
   * @param waitingBytes of media that wait for the transport to have room
   * @param oldestMs for how long the oldest bytes have been out that are not acknowledged, 0 where
   * nearly nothing is out; null where that is not known
   */
  onSample(
    now: number,
    congestion: Congestion | null,
    sentBytes: number,
    waitingBytes: number,
    oldestMs: number | null = null,
  ): void {
    const elapsed = now - this.now
    this.now = now
    this.seesOldest = oldestMs !== null
    const sample = this.signal.sample(now, congestion, sentBytes, waitingBytes, oldestMs ?? 0)
    const { estimator, prober, pace } = this
    const isFull = estimator.onSample(sample)
    const drained = pace.onSample(sample, isFull)
    if (drained > 0) estimator.drained(drained, elapsed, now)
    const full = isFull || pace.isHolding
    if (full) this.fullAt = now
    this.lastQueueMs = sample.queueMs
    const queueing = isQueueing(sample.queueMs, sample.rttMs)
    const patience = sample.queueMs > LONG_QUEUE_MS ? DRAIN_LONG_MS : DRAIN_MS
    this.draining = full || (queueing && now - this.fullAt < patience)
    const wasProbing = this.isProbing
    const outcome = prober.onSample(sample, {
      wanted: this.settings.probing ? this.wanted / HEADROOM : 0,
      estimate: estimator.bitsPerSecond,
      proven: estimator.proven(now),
      full: this.draining,
      held: pace.isHolding,
      decreasedAt: estimator.decreasedAt,
    })
    if (!wasProbing && this.isProbing) this.probeBase = sentBytes
    if (!outcome) return
    this.probes[outcome.result]++
    this.onProbe(outcome.result)
    if (outcome.result === 'full') estimator.refute(outcome.delivered, outcome.seen, now)
  }

  /** A report of the receiver's; counts only where the engine gives no signal. */
  onReport(now: number, report: ArrivalFigures): void {
    this.signal.onReport(now, report)
  }

  /**
   * Bytes of padding that are due; 0 when no probe goes on. What media has sent since the probe began
   * counts towards its rate.
   */
  paddingDue(now: number, sentBytes: number): number {
    const { target, startedAt } = this.prober
    if (target === 0) return 0
    const bytesAMs = target / 8000
    const goal = this.probeBase + (now - startedAt) * bytesAMs
    const burst = BURST_MS * bytesAMs
    const due = goal - sentBytes
    if (due <= burst) return Math.max(0, Math.floor(due))
    // What could not be sent in its time is not made up for.
    this.probeBase -= due - burst
    return Math.floor(burst)
  }

  /** For a look inside; rates in bits a second. */
  dump() {
    return {
      bitsPerSecond: Math.round(this.bitsPerSecond),
      provenBitsPerSecond: Math.round(this.provenBitsPerSecond),
      estimate: Math.round(this.estimator.bitsPerSecond),
      wanted: Math.round(this.wanted),
      queueMs: Math.round(this.lastQueueMs),
      paced:
        this.pacedBitsPerSecond === Number.POSITIVE_INFINITY
          ? null
          : Math.round(this.pacedBitsPerSecond),
      draining: this.draining,
      probing: Math.round(this.prober.target),
      probes: { ...this.probes },
    }
  }
}
