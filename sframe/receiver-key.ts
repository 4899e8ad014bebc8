/** What a receiver keeps for one KID: the key, or the promise of it, and what was accepted under it. */
import { type FailureCounts, noFailures } from './failures.ts'
import type { SFrameKey } from './key-schedule.ts'
import type { MaybePromise } from './maybe-promise.ts'
import type { ReplayWindow } from './replay-window.ts'
import type { UInt64 } from './uint64.ts'

export class ReceiverKey {
  readonly kid: UInt64
  readonly failures: FailureCounts = noFailures()
  /** Whether its replay windows count: installed, or a frame under it was authenticated. */
  proven = false
  /** By track. */
  readonly windows = new Map<string, ReplayWindow>()
  /** Settles when a derivation that takes time has ended: null if the key was deleted meanwhile. */
  readonly ready: Promise<SFrameKey | null>
  #key: SFrameKey | null = null
  #deleted = false

  constructor(kid: UInt64, derivation: MaybePromise<SFrameKey>) {
    this.kid = kid
    if (derivation instanceof Promise) {
      this.ready = derivation.then(
        (key) => this.#arrive(key),
        (error: unknown) => {
          if (this.#deleted) return null
          throw error
        },
      )
      // Whoever waits sees the error; a key that nobody waits for must not end the process.
      this.ready.catch(() => undefined)
    } else {
      this.#key = derivation
      this.ready = SETTLED
    }
  }

  /** Null while the derivation is under way, and once deleted. */
  get key(): SFrameKey | null {
    return this.#key
  }

  #arrive(key: SFrameKey): SFrameKey | null {
    if (this.#deleted) {
      key.destroy()
      return null
    }
    this.#key = key
    return key
  }

  delete(): void {
    this.#deleted = true
    this.#key?.destroy()
    this.#key = null
    this.windows.clear()
  }
}

const SETTLED: Promise<null> = Promise.resolve(null)
