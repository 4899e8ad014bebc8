/**
 * How many frames a receiver refused, why, and under whose name. A count is kept by what the header
 * claims: until a frame is authenticated, whoever carried it may have written any KID.
 */
import { leafOf } from './mls.ts'
import type { UInt64 } from './uint64.ts'

/** Why a frame is refused. */
export const receiveFailures = [
  'malformed-header',
  'truncated',
  'unknown-kid',
  'replayed',
  'too-old',
  'authentication-failed',
  'limit-exceeded',
] as const

export type ReceiveFailure = (typeof receiveFailures)[number]

export type FailureCounts = Record<ReceiveFailure, number>

export function noFailures(): FailureCounts {
  return {
    'malformed-header': 0,
    truncated: 0,
    'unknown-kid': 0,
    replayed: 0,
    'too-old': 0,
    'authentication-failed': 0,
    'limit-exceeded': 0,
  }
}

/** The counts of a receiver, in all and for each leaf index (at most 4096). */
export class FailureLedger {
  readonly #total = noFailures()
  readonly #byLeaf = new Map<number, FailureCounts>()

  /** `kid` is null where the header could not be read. */
  record(failure: ReceiveFailure, kid: UInt64 | null): void {
    this.#total[failure]++
    if (kid === null) return
    const leaf = leafOf(kid)
    let counts = this.#byLeaf.get(leaf)
    if (counts === undefined) {
      counts = noFailures()
      this.#byLeaf.set(leaf, counts)
    }
    counts[failure]++
  }

  total(): FailureCounts {
    return { ...this.#total }
  }

  /** The counts of all KIDs of a leaf index, over all epochs (KIDs of the MLS layout). */
  ofLeaf(leaf: number): FailureCounts {
    return { ...(this.#byLeaf.get(leaf) ?? noFailures()) }
  }
}
