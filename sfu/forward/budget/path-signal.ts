/**
 * Makes one kind of sample from what there is: the engine's congestion signal, else the receiver's
 * reports, else only what the transport takes and what it lets wait.
 */

import type { Congestion } from '../../../moq/transport/transport.ts'
import type { PathSample } from './path-sample.ts'
import { CounterWindow, WindowedMax } from './windows.ts'

/** What a receiver's report says of the time since its last one (`moq/media/receiver-report.ts`). */
export interface ArrivalFigures {
  /** ms; above 0 */
  readonly intervalMs: number
  /** Bytes of the session that arrived, padding among them. */
  readonly bytes: number
  /** Objects that arrived, and objects that are known to be missing. */
  readonly received: number
  readonly lost: number
  /** How much later objects arrive than the fastest of late did, ms. */
  readonly queueMs: number
}

/** Rates are taken over a round trip of the empty path, but over this at least, ms. */
const MIN_WINDOW_MS = 200
const LOSS_WINDOW_MS = 1000
/** How long the fastest round trip stands for the empty path, ms. */
const BASE_WINDOW_MS = 30_000
/** Bytes of a full packet, for the share of packets lost: engines count only the lost ones. */
const PACKET_BYTES = 1200
/** Round trip where nobody tells it, ms. */
const UNKNOWN_RTT_MS = 100
/** A report counts for so long, ms. */
const REPORT_AGE_MS = 1000
/** An engine whose figures stand still for so long has no acknowledgements, ms. */
const SILENCE_MS = 500
/** Fewer packets than this say nothing of a share. */
const MIN_PACKETS = 20

export class PathSignal {
  private readonly sent = new CounterWindow()
  private readonly arrived = new CounterWindow()
  private readonly sentLately = new CounterWindow()
  private readonly lost = new CounterWindow()
  /** Of negated round-trip times. */
  private readonly fastest = new WindowedMax(BASE_WINDOW_MS)
  private report: ArrivalFigures | null = null
  private reportedAt = Number.NEGATIVE_INFINITY
  /** Delivery rates of the two looks before. */
  private rateLast = 0
  private rateBefore = 0
  /** What the engine said last, and since when it says so. */
  private heardRate = 0
  private heardRttMs = 0
  private heardAt = 0

  /**
   * @param sentBytes handed to the transport since the session began, padding among them
   * @param oldestMs see `Budget.onSample`
   */
  sample(
    now: number,
    congestion: Congestion | null,
    sentBytes: number,
    waitingBytes: number,
    oldestMs = 0,
  ): PathSample {
    const rttMs = congestion && congestion.rttMs > 0 ? congestion.rttMs : UNKNOWN_RTT_MS
    if (congestion && congestion.rttMs > 0) this.fastest.add(-rttMs, now)
    const baseMs = Math.min(rttMs, -this.fastest.max(now))
    const windowMs = Math.max(MIN_WINDOW_MS, baseMs)
    this.sent.note(sentBytes, now, windowMs)
    const sendRate = this.sent.rate * 8
    const told =
      congestion && congestion.rttMs > 0
        ? this.fromEngine(now, congestion, sentBytes, windowMs, sendRate)
        : this.fromReceiver(now, sendRate)
    // Acknowledgements come in bunches: a single look may show twice the rate, or half of it.
    const { rate, ...others } = told
    const deliveryRate = Math.max(rate, this.rateLast, this.rateBefore)
    const arrivedRate = Math.min(rate, this.rateLast, this.rateBefore, sendRate)
    this.rateBefore = this.rateLast
    this.rateLast = rate
    const waiting = waitingBytes > 0
    const standingMs = Math.max(0, oldestMs - baseMs)
    const arrivedBytes = Math.max(0, sentBytes - (congestion?.bytesInFlight ?? sentBytes))
    const rates = { deliveryRate, arrivedRate, sendRate, windowMs }
    return { at: now, ...rates, rttMs, standingMs, arrivedBytes, waiting, ...others }
  }

  onReport(now: number, report: ArrivalFigures): void {
    this.report = report
    this.reportedAt = now
  }

  private fromEngine(
    now: number,
    congestion: Congestion,
    sent: number,
    windowMs: number,
    sendRate: number,
  ) {
    const { rttMs, lostPackets } = congestion
    const deliveryRate = this.deliveredBy(congestion, now, sent, windowMs)
    if (congestion.deliveryRate !== this.heardRate || rttMs !== this.heardRttMs) {
      this.heardAt = now
      this.heardRate = congestion.deliveryRate
      this.heardRttMs = rttMs
    }
    const isSilent = now - this.heardAt > Math.max(SILENCE_MS, 2 * rttMs)
    this.lost.note(lostPackets, now, LOSS_WINDOW_MS)
    this.sentLately.note(sent, now, LOSS_WINDOW_MS)
    const packets = this.sentLately.growth / PACKET_BYTES
    return {
      // Without acknowledgements the engine repeats what was once.
      rate: isSilent ? Math.min(deliveryRate, sendRate) : deliveryRate,
      toldRate: congestion.deliveryRate,
      queueMs: rttMs + this.fastest.max(now),
      seesQueue: true,
      lossShare: packets < MIN_PACKETS ? 0 : Math.min(1, this.lost.growth / packets),
    }
  }

  /**
   * What is neither waiting nor in flight has arrived. Where that is not known, the engine's own rate,
   * which may be far off for a while when the path changes.
   */
  private deliveredBy(congestion: Congestion, now: number, sent: number, windowMs: number) {
    if (congestion.bytesInFlight === null) return congestion.deliveryRate
    this.arrived.note(Math.max(0, sent - congestion.bytesInFlight), now, windowMs)
    return Math.max(0, this.arrived.rate) * 8
  }

  private fromReceiver(now: number, sendRate: number) {
    const report = this.report
    if (!report || now - this.reportedAt > REPORT_AGE_MS) {
      // What the transport takes is all that is known.
      return { rate: sendRate, toldRate: sendRate, queueMs: 0, seesQueue: false, lossShare: 0 }
    }
    const { bytes, intervalMs, received, lost, queueMs } = report
    const objects = received + lost
    const rate = (bytes * 8000) / intervalMs
    return {
      rate,
      toldRate: rate,
      queueMs,
      seesQueue: true,
      lossShare: objects < MIN_PACKETS ? 0 : lost / objects,
    }
  }
}
