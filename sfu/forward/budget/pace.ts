/**
 * How fast what is below audio may be sent, so that sound does not wait behind it in the network. A
 * path that never showed a queue has no limit: what an application happens to send says nothing of it.
 * When packets are out for much longer than the path takes, nothing more is sent until they are there;
 * afterwards it goes on at the rate that the path was seen to carry, and slowly at more.
 */

import { isQueueing } from './estimator.ts'
import type { PathSample } from './path-sample.ts'

/** Packets that are out for so much longer than the fastest were, ms, are in a queue. */
const HOLD_MS = 60
/** With this it may become one. */
const NEAR_MS = 30
/** And with this the queue is as good as gone. */
const RELEASE_MS = 20
/** A queue that is not gone so long after its own length is not ours, ms: then waiting is in vain. */
const PATIENCE_MS = 300
/** A rate is taken over this at least, ms. */
const RATE_MS = 150
/** After the last queue the limit is kept for a while, then raised, and at last lifted; ms. */
const KEEP_MS = 2000
const RAISE_MS = 5000
const FORGET_MS = 60_000

export class Pace {
  /** Whether nothing may be sent now. */
  isHolding = false
  /** Whether there may be a queue, so that the next look should be soon. */
  isNear = false
  /** For how long nothing may be sent already, ms; 0 while it may. */
  heldMs = 0
  /** When a queue was last seen, ms. */
  private queueAt = Number.NEGATIVE_INFINITY
  private lastAt = Number.NEGATIVE_INFINITY
  /** Of the queue that there is: for how long it was waited for, and its greatest length; ms. */
  private waitedMs = 0
  private longestMs = 0
  /** Since the hold began: what had arrived at the first arrival and at the last, and when. */
  private heldBytes = 0
  private firstBytes = 0
  private firstAt = 0
  private lastBytes = 0
  private arrivalAt = 0

  /**
   * @param full whether the path is full
   * @returns bits a second that arrive while nothing but sound is sent and a queue stands, so that the
   * path is full for sure; 0 when there is nothing to tell
   */
  onSample(sample: PathSample, full: boolean): number {
    const { at, standingMs, queueMs, rttMs, arrivedBytes } = sample
    const elapsed = Math.max(0, at - this.lastAt)
    this.lastAt = at
    if (full) this.queueAt = at
    this.isNear = standingMs > NEAR_MS
    if (standingMs <= RELEASE_MS) {
      this.isHolding = false
      this.heldMs = 0
      if (!isQueueing(queueMs, rttMs)) {
        this.waitedMs = 0
        this.longestMs = 0
      }
      return 0
    }
    if (this.isHolding) {
      this.waitedMs += elapsed
      this.heldMs += elapsed
    }
    this.longestMs = Math.max(this.longestMs, standingMs)
    const patience = this.longestMs + PATIENCE_MS
    if (this.isHolding) this.isHolding = this.waitedMs < patience
    else if (standingMs > HOLD_MS && this.waitedMs < patience) {
      this.isHolding = true
      this.heldBytes = arrivedBytes
      this.firstAt = 0
      this.arrivalAt = 0
      this.firstBytes = 0
    }
    if (!this.isHolding) {
      this.heldMs = 0
      return 0
    }
    this.queueAt = at
    return this.rateOut(at, arrivedBytes)
  }

  /**
   * Bits a second from arrival to arrival. A path that pauses for a moment, as radio does, and then
   * gives all that it holds is not slow: it has no two arrivals with a queue between them.
   */
  private rateOut(at: number, arrivedBytes: number): number {
    if (arrivedBytes > Math.max(this.heldBytes, this.lastBytes)) {
      if (this.firstBytes === 0) {
        this.firstBytes = arrivedBytes
        this.firstAt = at
      }
      this.arrivalAt = at
      this.lastBytes = arrivedBytes
    }
    const span = this.arrivalAt - this.firstAt
    return span < RATE_MS ? 0 : ((this.lastBytes - this.firstBytes) * 8000) / span
  }

  /**
   * Bits a second, Infinity for no limit.
   * @param budget bits a second that the path carries, about
   * @param mayRaise whether more than that is to be tried by and by
   */
  rate(now: number, budget: number, mayRaise = true): number {
    if (this.isHolding) return 0
    const since = now - this.queueAt
    if (since > FORGET_MS) return Number.POSITIVE_INFINITY
    if (!mayRaise) return budget
    return budget * (1 + Math.max(0, since - KEEP_MS) / RAISE_MS)
  }
}
