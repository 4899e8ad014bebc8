/**
 * Which counters of one stream were accepted: a sliding bitmap behind the highest one, as RFC 3711
 * section 3.3.2 has it and RFC 9605 section 9.3 suggests. `check` before decryption, `commit` after
 * authentication: a forged counter never moves the window.
 */
import type { UInt64 } from './uint64.ts'

export type ReplayVerdict = 'fresh' | 'replayed' | 'too-old'

export class ReplayWindow {
  /** Counters remembered; one bit each. */
  readonly size: number
  readonly #bits: Uint32Array
  #highest: UInt64 | null = null

  /**
   * @param size a power of two, 32 or more
   * @throws RangeError for another size
   */
  constructor(size: number) {
    if (!isWindowSize(size)) throw new RangeError(`not a replay window size: ${size}`)
    this.size = size
    this.#bits = new Uint32Array(size / 32)
  }

  /** Whether `ctr` may be accepted. Changes nothing. */
  check(ctr: UInt64): ReplayVerdict {
    if (this.#highest === null) return 'fresh'
    const behind = distance(this.#highest, ctr)
    if (behind < 0) return 'fresh'
    if (behind >= this.size) return 'too-old'
    return this.#has(this.#slot(ctr)) ? 'replayed' : 'fresh'
  }

  /** Marks an authenticated counter as accepted, if it still may be: calls may have overlapped. */
  commit(ctr: UInt64): ReplayVerdict {
    const verdict = this.check(ctr)
    if (verdict !== 'fresh') return verdict
    if (this.#highest === null) this.#highest = ctr
    const ahead = distance(ctr, this.#highest)
    if (ahead > 0) {
      this.#forget(this.#slot(this.#highest), Math.min(ahead, this.size))
      this.#highest = ctr
    }
    const slot = this.#slot(ctr)
    this.#bits[slot >>> 5] = (this.#bits[slot >>> 5] ?? 0) | (1 << (slot & 31))
    return 'fresh'
  }

  #slot(ctr: UInt64): number {
    if (typeof ctr === 'number') return ctr % this.size
    return Number(ctr % BigInt(this.size))
  }

  #has(slot: number): boolean {
    return ((this.#bits[slot >>> 5] ?? 0) & (1 << (slot & 31))) !== 0
  }

  /** Clears `count` slots behind `slot`, whose counters are now other ones. */
  #forget(slot: number, count: number): void {
    if (count === this.size) {
      this.#bits.fill(0)
      return
    }
    for (let step = 1; step <= count; step++) {
      const index = (slot + step) & (this.size - 1)
      this.#bits[index >>> 5] = (this.#bits[index >>> 5] ?? 0) & ~(1 << (index & 31))
    }
  }
}

/** Whether `size` is a power of two from 32 to 2^20. */
export function isWindowSize(size: number): boolean {
  return Number.isInteger(size) && size >= 32 && size <= 2 ** 20 && (size & (size - 1)) === 0
}

/** a - b; exact wherever it is smaller than 2^53. */
function distance(a: UInt64, b: UInt64): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return Number(BigInt(a) - BigInt(b))
}
