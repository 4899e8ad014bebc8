/**
 * The receive keys of one MLS epoch, derived as KIDs turn up (RFC 9605 section 5.2). KIDs are
 * hostile until a frame under them was authenticated: up to then keys are few and the oldest makes
 * room; afterwards a key stays until the epoch goes, because its replay windows must.
 */
import { type MaybePromise, whenReady } from './maybe-promise.ts'
import { type EpochSecret, leafOf } from './mls.ts'
import { ReceiverKey } from './receiver-key.ts'
import type { UInt64 } from './uint64.ts'

export interface KeyringLimits {
  /** Contexts that one leaf may use in one epoch. */
  readonly contextsPerLeaf: number
  /** Keys of an epoch under which nothing was authenticated yet. */
  readonly unprovenKeys: number
}

export class EpochKeyring {
  readonly epoch: number
  readonly #secret: MaybePromise<EpochSecret>
  readonly #ownLeaf: number | null
  readonly #limits: KeyringLimits
  readonly #proven = new Map<UInt64, ReceiverKey>()
  readonly #unproven = new Map<UInt64, ReceiverKey>()
  readonly #contexts = new Map<number, number>()
  #removed = false

  constructor(
    epoch: number,
    secret: MaybePromise<EpochSecret>,
    ownLeaf: number | null,
    limits: KeyringLimits,
  ) {
    this.epoch = epoch
    this.#secret = secret
    this.#ownLeaf = ownLeaf
    this.#limits = limits
  }

  /** The key of a KID of this epoch, derived if it is new; null for our own leaf's, which only send. */
  find(kid: UInt64): ReceiverKey | null {
    const known = this.#proven.get(kid) ?? this.#unproven.get(kid)
    if (known !== undefined) return known
    if (leafOf(kid) === this.#ownLeaf) return null
    const key = new ReceiverKey(
      kid,
      whenReady(this.#secret, (secret) => secret.derive(kid)),
    )
    if (this.#unproven.size >= this.#limits.unprovenKeys) this.#dropOldestUnproven()
    this.#unproven.set(kid, key)
    return key
  }

  #dropOldestUnproven(): void {
    for (const [kid, key] of this.#unproven) {
      this.#unproven.delete(kid)
      // Frames that wait for a derivation still get their key: they may be genuine.
      if (key.key !== null) key.delete()
      return
    }
  }

  /**
   * A frame under this KID was authenticated. Gives the one entry that keeps its replay windows
   * (another than the frame was opened with, if that was dropped meanwhile), or why there is none.
   */
  prove(kid: UInt64): ReceiverKey | 'unknown-kid' | 'limit-exceeded' {
    if (this.#removed) return 'unknown-kid'
    const proven = this.#proven.get(kid)
    if (proven !== undefined) return proven
    const leaf = leafOf(kid)
    const contexts = this.#contexts.get(leaf) ?? 0
    if (contexts >= this.#limits.contextsPerLeaf) return 'limit-exceeded'
    const key = this.find(kid)
    if (key === null) return 'unknown-kid'
    key.proven = true
    this.#unproven.delete(kid)
    this.#proven.set(kid, key)
    this.#contexts.set(leaf, contexts + 1)
    return key
  }

  /** Deletes the epoch's secret and keys, those still being derived as well. */
  remove(): void {
    this.#removed = true
    for (const key of this.#proven.values()) key.delete()
    for (const key of this.#unproven.values()) key.delete()
    this.#proven.clear()
    this.#unproven.clear()
    const destroyed = whenReady(this.#secret, (secret) => secret.destroy())
    // A failed import is reported by the installation.
    if (destroyed instanceof Promise) destroyed.catch(() => undefined)
  }

  /** The entry of a KID if there is one; derives nothing. */
  peek(kid: UInt64): ReceiverKey | null {
    return this.#proven.get(kid) ?? this.#unproven.get(kid) ?? null
  }

  /** The keys under which a frame was authenticated. */
  proven(): Iterable<ReceiverKey> {
    return this.#proven.values()
  }
}
