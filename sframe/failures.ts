/**
 * How many frames a receiver refused, why, under whose name and on which track. The header's claim is
 * what a name is: until a frame is authenticated, whoever carried it may have written any KID. The track
 * is the application's word, and all there is where the header cannot be read.
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

/** Why a ciphertext was not decrypted. */
export type ReceiveFailure = (typeof receiveFailures)[number]

/** How often each failure was met. */
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

/** Tracks counted; the one that failed first is forgotten beyond it. */
const MAX_TRACKS = 1024

/** The counts of a receiver: in all, for each leaf index (at most 4096) and for each track. */
export class FailureLedger {
  readonly #total = noFailures()
  readonly #byLeaf = new Map<number, FailureCounts>()
  readonly #byTrack = new Map<string, FailureCounts>()

  /** `kid` is null where the header could not be read. */
  record(failure: ReceiveFailure, kid: UInt64 | null, track: string): void {
    this.#total[failure]++
    if (kid !== null) countsOf(this.#byLeaf, leafOf(kid))[failure]++
    countsOf(this.#byTrack, track)[failure]++
    if (this.#byTrack.size > MAX_TRACKS) this.#forgetFirstTrack()
  }

  #forgetFirstTrack(): void {
    for (const track of this.#byTrack.keys()) {
      this.#byTrack.delete(track)
      return
    }
  }

  total(): FailureCounts {
    return { ...this.#total }
  }

  /** The counts of all KIDs of a leaf index, over all epochs (KIDs of the MLS layout). */
  ofLeaf(leaf: number): FailureCounts {
    return { ...(this.#byLeaf.get(leaf) ?? noFailures()) }
  }

  ofTrack(track: string): FailureCounts {
    return { ...(this.#byTrack.get(track) ?? noFailures()) }
  }
}

function countsOf<Key>(map: Map<Key, FailureCounts>, key: Key): FailureCounts {
  let counts = map.get(key)
  if (counts === undefined) {
    counts = noFailures()
    map.set(key, counts)
  }
  return counts
}
