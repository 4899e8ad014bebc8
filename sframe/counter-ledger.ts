/**
 * Which counters of which keys senders of this program have taken. A (key, counter) pair that is used
 * twice gives both frames away (RFC 9605 section 9.1), so a second sender under the same base key and
 * KID is refused, also where the base key was imported a second time.
 */
import { SFrameError } from './errors.ts'
import type { DerivationSecret } from './providers/provider.ts'
import type { Suite } from './suites.ts'
import type { UInt64 } from './uint64.ts'

const FINGERPRINT_LABEL = new TextEncoder().encode('Sotto SFrame 1.0 Fingerprint ')
const FINGERPRINT_LENGTH = 16

/** (key, KID) pairs remembered; the ones taken longest ago are forgotten beyond it. About 10 MB. */
const MAX_REMEMBERED = 65_536

/** Counters from `first` to `last`, both used. */
export interface Counters {
  readonly first: number
  readonly last: number
}

/** What a sender holds while it lives. */
export interface CounterClaim {
  /** Ends the claim: counters from `next` on were not used and may be taken again. */
  release(next: number): void
}

/**
 * One for all senders of a thread, unless a program passes its own. Threads and restarts of a program
 * know nothing of each other: what sends there needs base keys, contexts or counters of its own.
 */
export class CounterLedger {
  readonly #limit: number
  /** The last counter taken. */
  readonly #taken = new Map<string, number>()

  /** @param limit (key, KID) pairs remembered */
  constructor(limit = MAX_REMEMBERED) {
    this.#limit = limit
  }

  /**
   * Takes counters of a key for one sender.
   * @param fingerprint of the base key and suite, see `fingerprintOf`
   * @throws SFrameError `kid-in-use` if any of them, or one behind them, was taken before
   */
  take(fingerprint: string, kid: UInt64, { first, last }: Counters): CounterClaim {
    const id = `${fingerprint}/${kid}`
    const before = this.#taken.get(id) ?? -1
    if (first <= before) throw new SFrameError('kid-in-use', kid)
    this.#remember(id, last)
    let held = true
    return {
      release: (next) => {
        // A later sender may have begun behind our last counter: its claim stands.
        if (held && this.#taken.get(id) === last) this.#taken.set(id, next - 1)
        held = false
      },
    }
  }

  #remember(id: string, last: number): void {
    this.#taken.delete(id)
    this.#taken.set(id, last)
    if (this.#taken.size <= this.#limit) return
    for (const oldest of this.#taken.keys()) {
      this.#taken.delete(oldest)
      return
    }
  }
}

/** The ledger of every sender that is given no other. */
export const sharedLedger = new CounterLedger()

/** Tells base keys apart and says nothing about them: HKDF-Expand with a label of its own. */
export async function fingerprintOf(secret: DerivationSecret, suite: Suite): Promise<string> {
  const label = new Uint8Array(FINGERPRINT_LABEL.length + 1)
  label.set(FINGERPRINT_LABEL)
  label[FINGERPRINT_LABEL.length] = suite.id
  const bytes = await secret.expand(label, FINGERPRINT_LENGTH)
  return String.fromCharCode(...bytes)
}
