/**
 * Which counters of one KID have come: a sliding bitmap behind the highest one (RFC 9605 section 9.3).
 * Objects come on streams and as datagrams, so that counters come out of order: whatever lies in the
 * window and has not come before is fresh. Counters are halves of 32 bits, so that none is allocated.
 */

/**
 * `fresh`: not seen, in the window or a little ahead. `replayed`: it came before. `regressed`: behind
 * the window. `jumped`: further ahead than the bound. Only fresh ones move the window.
 */
export type CounterVerdict = 'fresh' | 'replayed' | 'regressed' | 'jumped'

/** Counters remembered: some seconds of layered video in fragments. */
export const WINDOW = 2048
/** Counters that may be missing in a row: what a publisher encrypts and gives up again. */
export const MAX_JUMP = 16_384

const WORDS = WINDOW / 32
const TWO_32 = 0x1_0000_0000

export class CounterWindow {
  private readonly bits = new Uint32Array(WORDS)
  private empty = true
  private high = 0
  private low = 0
  /** The last counter that jumped: a second one behind it shows that the sender goes on there. */
  private hasCandidate = false
  private candidateHigh = 0
  private candidateLow = 0

  /** Highest counter that was fresh; 0 before the first. Exact up to 2^53. */
  get highest(): number {
    return this.high * TWO_32 + this.low
  }

  /** Judges a counter and remembers it. */
  take(high: number, low: number): CounterVerdict {
    if (this.empty) {
      this.begin(high, low)
      return 'fresh'
    }
    const ahead = (high - this.high) * TWO_32 + (low - this.low)
    if (ahead > 0) {
      if (ahead > MAX_JUMP) return this.jump(high, low)
      this.advance(high, low, ahead)
    } else if (ahead <= -WINDOW) return 'regressed'
    const slot = low & (WINDOW - 1)
    const bit = 1 << (slot & 31)
    const word = this.bits[slot >>> 5]!
    if ((word & bit) !== 0) return 'replayed'
    this.bits[slot >>> 5] = word | bit
    return 'fresh'
  }

  /** Forgets everything, to be used for another KID. */
  reset(): void {
    this.empty = true
    this.hasCandidate = false
    this.high = 0
    this.low = 0
  }

  private begin(high: number, low: number): void {
    this.bits.fill(0)
    this.empty = false
    this.hasCandidate = false
    this.high = high
    this.low = low
    const slot = low & (WINDOW - 1)
    this.bits[slot >>> 5] = 1 << (slot & 31)
  }

  /** A single strange counter, which nobody authenticated, must not end the track. */
  private jump(high: number, low: number): CounterVerdict {
    const behind = (high - this.candidateHigh) * TWO_32 + (low - this.candidateLow)
    if (this.hasCandidate && behind > 0 && behind <= MAX_JUMP) {
      this.begin(high, low)
      return 'fresh'
    }
    this.hasCandidate = true
    this.candidateHigh = high
    this.candidateLow = low
    return 'jumped'
  }

  private advance(high: number, low: number, ahead: number): void {
    if (ahead >= WINDOW) this.bits.fill(0)
    else {
      for (let step = 1; step <= ahead; step++) {
        const slot = (this.low + step) & (WINDOW - 1)
        this.bits[slot >>> 5]! &= ~(1 << (slot & 31))
      }
    }
    this.high = high
    this.low = low
  }
}
