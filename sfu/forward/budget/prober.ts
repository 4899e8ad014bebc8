/**
 * When to probe for more, how much and for how long. A probe fills the path with padding up to a rate
 * (draft-18 section 11.5) before anything is stepped up: sound and picture do not pay for the attempt.
 * It ends at once when the path turns out to be full, so that a vain one costs little, and the next
 * one then has to wait.
 */

import type { PathSample } from './path-sample.ts'

/** `success`: the rate arrived. `progress`: less, but more than before. `full`: the path is full. */
export type ProbeResult = 'success' | 'progress' | 'full' | 'nothing'

export interface ProbeOutcome {
  readonly result: ProbeResult
  /** Bits a second, the most that arrived for sure during the probe, and by its best look. */
  readonly delivered: number
  readonly seen: number
}

export interface ProbeWish {
  /** Bits a second that could be used. */
  readonly wanted: number
  readonly estimate: number
  /** Bits a second that were delivered of late. */
  readonly proven: number
  readonly full: boolean
  /** Nothing is sent now, as a queue has to go. */
  readonly held?: boolean
  /** When the estimate last went down, ms. */
  readonly decreasedAt: number
}

/** A probe goes to at most this times the estimate; less far after one that met a full path. */
const BOLD = 3
const CAREFUL = 1.3
/** Of the rate, this much has to arrive. */
const ARRIVED = 0.9
/** More than before. */
const MORE = 1.1
/** A queue that grows by this during the probe ends it, ms, or by this share of a round trip. */
const QUEUE_RISE_MS = 25
const QUEUE_RISE_SHARE = 0.15
const MAX_LOSS = 0.1
/** With a queue as long as this no probe begins, whoever made it: padding would keep it full, ms. */
const MAX_QUEUE_MS = 200
/**
 * A probe ends when no more has arrived than before for the rates' window and some round trips, or for
 * this, ms. A window that doubles each round trip gets its time.
 */
const ROUND_TRIPS = 4
const MIN_LENGTH_MS = 500
const MAX_LENGTH_MS = 4000
/** Between probes: after a good one, and after vain ones or when the path became narrower, growing. ms */
const REST_MS = 300
const FIRST_BACKOFF_MS = 1000
const BACKOFF_GROWTH = 1.5
/** Soon after a decrease the path may well recover; later it is not disturbed as often. ms */
const RECENT_MS = 60_000
const MAX_RECENT_BACKOFF_MS = 2000
const MAX_BACKOFF_MS = 10_000

export class Prober {
  /** Bits a second that are to be reached with padding; 0 when no probe goes on. */
  target = 0
  /** When the probe began, ms. */
  startedAt = 0
  private notBefore = Number.NEGATIVE_INFINITY
  private backoffMs = FIRST_BACKOFF_MS
  private boldness = BOLD
  /** The last fall of the estimate that was heeded, ms. */
  private heededAt = Number.NEGATIVE_INFINITY
  private queueAtStart = 0
  private lossAtStart = 0
  private estimateAtStart = 0
  private best = 0
  private seen = 0
  /** The best when it last grew by much, and when that was. */
  private bestBefore = 0
  private grewAt = 0

  /** @returns how the probe ended, if one did with this sample */
  onSample(sample: PathSample, wish: ProbeWish): ProbeOutcome | null {
    this.heed(wish.decreasedAt)
    if (this.target === 0) {
      this.begin(sample, wish)
      return null
    }
    if (sample.arrivedRate > this.best) this.best = sample.arrivedRate
    this.seen = Math.max(this.seen, sample.deliveryRate, sample.toldRate)
    const result = this.resultOf(sample, wish)
    if (!result) return null
    this.target = 0
    this.rest(result, sample, wish)
    return { result, delivered: this.best, seen: this.seen }
  }

  /** What a full path has just told holds for a while: far more would only be a queue. */
  private heed(decreasedAt: number): void {
    if (decreasedAt === this.heededAt) return
    this.heededAt = decreasedAt
    this.boldness = CAREFUL
    this.notBefore = Math.max(this.notBefore, decreasedAt + FIRST_BACKOFF_MS)
  }

  private begin(sample: PathSample, { wanted, estimate, proven, full }: ProbeWish): void {
    if (sample.at < this.notBefore || wanted <= proven) return
    if (full || sample.waiting || sample.lossShare > MAX_LOSS) return
    if (sample.queueMs > MAX_QUEUE_MS) return
    // Somewhat more than what is wanted, so that all of that arrives.
    this.target = Math.min(wanted / ARRIVED, estimate * this.boldness)
    this.startedAt = sample.at
    this.queueAtStart = sample.queueMs
    this.lossAtStart = sample.lossShare
    this.estimateAtStart = estimate
    this.best = 0
    this.seen = 0
    this.bestBefore = 0
    this.grewAt = sample.at
  }

  private resultOf(sample: PathSample, { wanted, held }: ProbeWish): ProbeResult | null {
    const { at, rttMs, queueMs, lossShare, windowMs } = sample
    const rise = Math.max(QUEUE_RISE_MS, QUEUE_RISE_SHARE * (rttMs - queueMs))
    if (held || queueMs > this.queueAtStart + rise) return 'full'
    if (lossShare > this.lossAtStart + MAX_LOSS) return 'full'
    // Where a queue would show, media that waits only waits for the congestion window to open, which
    // the probe is good for.
    if (sample.waiting && !sample.seesQueue) return 'full'
    if (this.best >= this.target * ARRIVED) return 'success'
    // Nobody wants it any more.
    if (wanted < this.target * ARRIVED * ARRIVED) return 'nothing'
    if (this.best > this.bestBefore * MORE) {
      this.bestBefore = this.best
      this.grewAt = at
    }
    const patience = Math.max(MIN_LENGTH_MS, windowMs + ROUND_TRIPS * rttMs)
    if (at - this.grewAt < patience && at - this.startedAt < MAX_LENGTH_MS) return null
    return this.best >= this.estimateAtStart * MORE ? 'progress' : 'nothing'
  }

  private rest(result: ProbeResult, { at, rttMs }: PathSample, { decreasedAt }: ProbeWish): void {
    if (result === 'success' || result === 'progress') {
      this.notBefore = at + Math.max(REST_MS, 2 * rttMs)
      this.backoffMs = FIRST_BACKOFF_MS
      this.boldness = BOLD
      return
    }
    this.notBefore = at + this.backoffMs
    const recent = at - decreasedAt < RECENT_MS
    const most = recent ? MAX_RECENT_BACKOFF_MS : MAX_BACKOFF_MS
    this.backoffMs = Math.min(most, this.backoffMs * BACKOFF_GROWTH)
    if (result === 'full') this.boldness = CAREFUL
  }
}
