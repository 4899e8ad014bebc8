/**
 * Where a receiver finds the key of a KID: single keys that the application installed, and MLS
 * epochs. Installation is visible at once, even where importing takes time: frames wait for it.
 */
import { EpochKeyring, type KeyringLimits } from './epoch-keyring.ts'
import { deriveKey, importBaseKey } from './key-schedule.ts'
import { whenReady } from './maybe-promise.ts'
import { type EpochKeys, EpochSecret, epochSlotOf } from './mls.ts'
import type { CryptoProvider } from './providers/provider.ts'
import { ReceiverKey } from './receiver-key.ts'
import type { Suite } from './suites.ts'
import { toUInt64, type UInt64 } from './uint64.ts'

/** An epoch under whose keys others send. */
export interface ReceiverEpoch extends EpochKeys {
  /** Our own leaf index: its keys send, so nothing is received under them (section 4.4.1). */
  readonly ownLeaf?: number
}

export class ReceiverKeys {
  readonly #provider: CryptoProvider
  readonly #suite: Suite
  readonly #limits: KeyringLimits
  readonly #installed = new Map<UInt64, ReceiverKey>()
  /** By the low bits of the epoch number. */
  readonly #epochs = new Map<number, EpochKeyring>()

  constructor(provider: CryptoProvider, suite: Suite, limits: KeyringLimits) {
    this.#provider = provider
    this.#suite = suite
    this.#limits = limits
  }

  find(kid: UInt64): ReceiverKey | null {
    return this.#installed.get(kid) ?? this.#epochs.get(epochSlotOf(kid))?.find(kid) ?? null
  }

  /** After authentication: the entry that keeps the replay windows of `key`'s KID. */
  prove(key: ReceiverKey): ReceiverKey | 'unknown-kid' | 'limit-exceeded' {
    if (key.proven) return key.key === null ? 'unknown-kid' : key
    return this.#epochs.get(epochSlotOf(key.kid))?.prove(key.kid) ?? 'unknown-kid'
  }

  peek(kid: UInt64): ReceiverKey | null {
    return this.#installed.get(kid) ?? this.#epochs.get(epochSlotOf(kid))?.peek(kid) ?? null
  }

  async installKey(kid: UInt64, baseKey: Uint8Array): Promise<void> {
    const canonical = toUInt64(kid)
    if (this.#installed.has(canonical)) throw new RangeError(`KID ${kid} is already installed`)
    const derivation = whenReady(importBaseKey(this.#provider, this.#suite, baseKey), (secret) =>
      whenReady(deriveKey(this.#provider, this.#suite, secret, canonical), (key) => {
        secret.destroy()
        return key
      }),
    )
    const key = new ReceiverKey(canonical, derivation)
    key.proven = true
    this.#installed.set(canonical, key)
    try {
      await key.ready
    } catch (error) {
      if (this.#installed.get(canonical) === key) this.removeKey(canonical)
      throw error
    }
  }

  removeKey(kid: UInt64): void {
    const canonical = toUInt64(kid)
    this.#installed.get(canonical)?.delete()
    this.#installed.delete(canonical)
  }

  async installEpoch(keys: ReceiverEpoch): Promise<void> {
    const slot = epochSlotOf(keys.epoch)
    const current = this.#epochs.get(slot)
    if (current !== undefined && current.epoch >= keys.epoch) {
      throw new RangeError(`epoch ${keys.epoch} is installed or older than ${current.epoch}`)
    }
    const secret = EpochSecret.import(this.#provider, this.#suite, keys)
    const keyring = new EpochKeyring(keys.epoch, secret, keys.ownLeaf ?? null, this.#limits)
    // Section 5.2: an old epoch goes when a new one with the same low bits comes.
    current?.remove()
    this.#epochs.set(slot, keyring)
    try {
      await secret
    } catch (error) {
      keyring.remove()
      if (this.#epochs.get(slot) === keyring) this.#epochs.delete(slot)
      throw error
    }
  }

  removeEpoch(epoch: number): void {
    const slot = epochSlotOf(epoch)
    const keyring = this.#epochs.get(slot)
    if (keyring?.epoch !== epoch) return
    keyring.remove()
    this.#epochs.delete(slot)
  }

  removeAll(): void {
    for (const key of this.#installed.values()) key.delete()
    this.#installed.clear()
    for (const keyring of this.#epochs.values()) keyring.remove()
    this.#epochs.clear()
  }

  installed(): Iterable<ReceiverKey> {
    return this.#installed.values()
  }

  epochs(): Iterable<EpochKeyring> {
    return this.#epochs.values()
  }
}
