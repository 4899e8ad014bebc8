/**
 * What the path carries, in bits a second. A path tells that only while it is full: then it delivers
 * what it can. While the application sends less (draft-18 section 3.6.2 calls it application-limited)
 * what arrives is a lower bound and nothing else: the estimate goes up by it, and never down.
 */

import type { PathSample } from './path-sample.ts'
import { WindowedMax } from './windows.ts'

/** Waiting in the path that counts as a queue, ms, or as this share of a round trip. */
const QUEUE_MS = 30
const QUEUE_SHARE = 0.25
const HEAVY_LOSS = 0.1
/** Of what is sent, this much arrives unless the path is too narrow. */
const ARRIVING_SHARE = 0.9
/** The path is believed to be full when it has seemed so for the rates' window and this, ms. */
const PATIENCE_MS = 50
/** How fast the estimate follows a full path down and up, ms. */
const DOWN_MS = 100
const UP_MS = 250
/** And what comes out of a queue, which was looked at for a while, ms. */
const DRAINED_MS = 30
/** What was delivered proves for so long that the path carries it, ms. */
const PROOF_MS = 30_000
/**
 * A vain probe may have met somebody else's burst: it brings the estimate down to so much of it at
 * once, and never below what media takes now, with some air.
 */
const REFUTED_SHARE = 0.7
const REFUTED_AIR = 1.25

export interface EstimatorOptions {
  /** Bits a second that are assumed at first. */
  readonly initial: number
  /** The estimate stays between these, bits a second. */
  readonly min: number
  readonly max: number
}

export class Estimator {
  /** When the estimate last went down by a tenth or more, ms; -Infinity for never. */
  decreasedAt = Number.NEGATIVE_INFINITY
  private readonly options: EstimatorOptions
  private readonly delivered = new WindowedMax(PROOF_MS)
  private value: number
  /** What it was when the last decrease began to be counted. */
  private peak: number
  private fullSince = Number.POSITIVE_INFINITY
  private lastAt = Number.NEGATIVE_INFINITY

  constructor(options: EstimatorOptions) {
    this.options = options
    this.value = options.initial
    this.peak = options.initial
  }

  /** Bits a second. */
  get bitsPerSecond(): number {
    return this.value
  }

  /** What of it was really delivered within the last half minute, bits a second. */
  proven(now: number): number {
    return Math.max(0, Math.min(this.value, this.delivered.max(now)))
  }

  /** @returns whether the path is full */
  onSample(sample: PathSample): boolean {
    const { at, arrivedRate, deliveryRate, windowMs } = sample
    const elapsed = Math.max(0, Math.min(windowMs, at - this.lastAt))
    this.lastAt = at
    this.delivered.add(arrivedRate, at)
    if (!isFull(sample)) {
      this.fullSince = Number.POSITIVE_INFINITY
      this.set(Math.max(this.value, arrivedRate), at)
      return false
    }
    this.fullSince = Math.min(this.fullSince, at)
    if (at - this.fullSince < windowMs + PATIENCE_MS) return false
    // A window that has shrunk keeps the sender from sending; what arrives tells of the path still.
    const isFalling = deliveryRate < this.value
    const goal = isFalling ? deliveryRate : Math.max(this.value, arrivedRate)
    const pace = 1 - Math.exp(-elapsed / (isFalling ? DOWN_MS : UP_MS))
    this.set(this.value + (goal - this.value) * pace, at)
    return true
  }

  /** A queue stood in the path for a while, and so much came out of it, bits a second. */
  drained(rate: number, elapsedMs: number, now: number): void {
    if (rate >= this.value) return
    this.set(this.value + (rate - this.value) * (1 - Math.exp(-elapsedMs / DRAINED_MS)), now)
  }

  /**
   * A probe for more met a full path.
   * @param delivered bits a second that arrived for sure
   * @param seen bits a second, by the best look: a full path delivers what it carries
   */
  refute(delivered: number, seen: number, now: number): void {
    const least = Math.max(delivered * REFUTED_AIR, seen, this.value * REFUTED_SHARE)
    this.set(Math.min(this.value, least), now)
  }

  private set(value: number, now: number): void {
    this.value = Math.max(this.options.min, Math.min(this.options.max, value))
    if (this.value > this.peak) this.peak = this.value
    if (this.value > this.peak * 0.9) return
    this.peak = this.value
    this.decreasedAt = now
  }
}

/** Whether it looks as if more is sent than the path carries. */
function isFull({ waiting, queueMs, rttMs, lossShare, ...sample }: PathSample): boolean {
  if (waiting) return true
  // A queue or losses alone may be others' doing: then all that is sent arrives in time.
  if (sample.deliveryRate >= sample.sendRate * ARRIVING_SHARE) return false
  return isQueueing(queueMs, rttMs) || lossShare > HEAVY_LOSS
}

export function isQueueing(queueMs: number, rttMs: number): boolean {
  return queueMs > Math.max(QUEUE_MS, QUEUE_SHARE * (rttMs - queueMs))
}
