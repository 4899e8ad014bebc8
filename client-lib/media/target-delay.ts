/**
 * How long sound has to be held back so that what comes late still comes in time: by how much later
 * than the fastest the frames of the last seconds came. It rises at once and falls slowly. Pure: the
 * times are passed in, and only differences of them matter.
 */

export interface TargetDelayOptions {
  /** ms; defaults 60, 40 and 400. */
  readonly startMs?: number
  readonly minMs?: number
  readonly maxMs?: number
}

/** Frames that are looked at: 8 s of 20 ms. */
const WINDOW = 400
/** Fewer tell nothing of the path. */
const LEAST_FRAMES = 50
/** Share of frames that are to come in time. */
const IN_TIME = 0.99
const BIN_MS = 5
/** On top of how late frames come: for what the clocks and the blocks of the audio thread round. */
const MARGIN_MS = 10
const FALL_MS_PER_S = 10
/** How long the fastest frame stands for the empty path, in steps: clocks drift, and paths change. */
const STEPS = 10
const STEP_MS = 1000

export class TargetDelay {
  /** ms; the longest that is aimed at. */
  readonly most: number
  private readonly min: number
  private held: number
  /** Lateness of the last frames by bin, in order of arrival, and how many are in each bin. */
  private readonly bins = new Uint8Array(WINDOW)
  private readonly counts: Uint16Array
  private seen = 0
  /** The smallest delay of each step, ms. */
  private readonly fastest = new Float64Array(STEPS).fill(Number.POSITIVE_INFINITY)
  private step = 0
  private stepSince = Number.NEGATIVE_INFINITY
  private lastAt: number | null = null

  constructor({ startMs = 60, minMs = 40, maxMs = 400 }: TargetDelayOptions = {}) {
    this.min = minMs
    this.most = maxMs
    this.held = startMs
    this.counts = new Uint16Array(Math.ceil(maxMs / BIN_MS) + 1)
  }

  /** How long a frame is held that came as fast as can be, ms. */
  get ms(): number {
    return this.held
  }

  /** Smallest delay of the last seconds, ms. */
  get base(): number {
    let base = Number.POSITIVE_INFINITY
    for (const fastest of this.fastest) base = Math.min(base, fastest)
    return base
  }

  /** @param delay arrival on our clock less the timestamp on the sender's, ms. @param now ms */
  arrived(delay: number, now: number): void {
    this.noteFastest(delay, now)
    this.count(Math.min(this.counts.length - 1, Math.floor((delay - this.base) / BIN_MS)))
    const passed = this.lastAt === null ? 0 : Math.max(0, now - this.lastAt)
    this.lastAt = now
    if (this.seen < LEAST_FRAMES) return
    const lower = this.held - (FALL_MS_PER_S * passed) / 1000
    this.held = this.bounded(Math.max(lower, this.demand()))
  }

  /** A frame came after its time. @param delay as above, ms */
  missed(delay: number): void {
    this.held = this.bounded(Math.max(this.held, delay - this.base + MARGIN_MS))
  }

  /** What was learnt of the path holds; what was of the clocks does not. */
  startTimeLine(): void {
    this.fastest.fill(Number.POSITIVE_INFINITY)
    this.stepSince = Number.NEGATIVE_INFINITY
  }

  private noteFastest(delay: number, now: number): void {
    const steps = Math.min(STEPS, Math.floor((now - this.stepSince) / STEP_MS))
    if (steps > 0) this.stepSince = now
    for (let i = 0; i < steps; i++) {
      this.step = (this.step + 1) % STEPS
      this.fastest[this.step] = Number.POSITIVE_INFINITY
    }
    this.fastest[this.step] = Math.min(this.fastest[this.step]!, delay)
  }

  private count(bin: number): void {
    const at = this.seen % WINDOW
    if (this.seen >= WINDOW) this.counts[this.bins[at]!]!--
    this.bins[at] = bin
    this.counts[bin]!++
    this.seen++
  }

  private demand(): number {
    let left = Math.floor(Math.min(this.seen, WINDOW) * (1 - IN_TIME))
    let bin = this.counts.length - 1
    while (bin > 0 && left >= this.counts[bin]!) left -= this.counts[bin--]!
    return (bin + 1) * BIN_MS + MARGIN_MS
  }

  private bounded(ms: number): number {
    return Math.min(this.most, Math.max(this.min, ms))
  }
}
