/**
 * Decrypts the frames of everybody else: RFC 9605 section 4.4.4, with replay protection (section
 * 9.3). Whatever arrives is hostile; a frame ends as plaintext or as one `SFrameError`, and touches
 * the state of no sender but its own.
 */
import { SFrameError } from './errors.ts'
import { type FailureCounts, FailureLedger, type ReceiveFailure } from './failures.ts'
import { FrameScratch } from './frame-scratch.ts'
import { createMutableHeader, parseHeader } from './header.ts'
import type { SFrameKey } from './key-schedule.ts'
import type { MaybePromise } from './maybe-promise.ts'
import type { CryptoProvider } from './providers/provider.ts'
import type { ReceiverKey } from './receiver-key.ts'
import { type ReceiverEpoch, ReceiverKeys } from './receiver-keys.ts'
import { isWindowSize, ReplayWindow } from './replay-window.ts'
import type { Suite } from './suites.ts'
import { toUInt64, type UInt64 } from './uint64.ts'

const NO_METADATA = new Uint8Array(0)

/** What a `ReceiverContext` is made with. */
export interface ReceiverOptions {
  readonly provider: CryptoProvider
  readonly suite: Suite
  /** Counters that a replay window remembers, a power of two; default 4096 (512 bytes a window). */
  readonly replayWindow?: number
  /** Contexts that one leaf may use in one epoch; default 64. */
  readonly contextsPerLeaf?: number
  /** Tracks with a replay window of their own under one KID; default 32. */
  readonly tracksPerKey?: number
  /** Keys of an epoch kept before a frame under them was authenticated; default 64. */
  readonly unprovenKeys?: number
}

/** What `dump` shows of one KID. */
export interface ReceiverKeyDump {
  readonly kid: UInt64
  readonly tracks: readonly string[]
  readonly failures: FailureCounts
}

/** What `dump` shows: no secret in it. */
export interface ReceiverDump {
  readonly suite: string
  readonly provider: string
  readonly failures: FailureCounts
  readonly keys: readonly ReceiverKeyDump[]
  readonly epochs: readonly { readonly epoch: number; readonly keys: readonly ReceiverKeyDump[] }[]
}

/** Decrypts: holds a key for each key id, and what has come under it (RFC 9605 section 4.4.4). */
export class ReceiverContext {
  readonly suite: Suite
  readonly #provider: CryptoProvider
  readonly #keys: ReceiverKeys
  readonly #ledger = new FailureLedger()
  readonly #header = createMutableHeader()
  readonly #scratch = new FrameScratch()
  readonly #replayWindow: number
  readonly #tracksPerKey: number

  /** @throws RangeError for a replay window that is no power of two from 32 to 2^20 */
  constructor(options: ReceiverOptions) {
    const { provider, suite, replayWindow = 4096, tracksPerKey = 32 } = options
    if (!isWindowSize(replayWindow)) {
      throw new RangeError(`not a replay window size: ${replayWindow}`)
    }
    this.suite = suite
    this.#provider = provider
    this.#replayWindow = replayWindow
    this.#tracksPerKey = tracksPerKey
    this.#keys = new ReceiverKeys(provider, suite, {
      contextsPerLeaf: options.contextsPerLeaf ?? 64,
      unprovenKeys: options.unprovenKeys ?? 64,
    })
  }

  /**
   * Makes the keys of an MLS epoch available; frames that arrive before this resolves wait. An older
   * epoch with the same low 8 bits is removed. Overwrite `baseKey` once this has resolved.
   * @throws RangeError if the base key has not `suite.keyLength` bytes, or the epoch or a newer one
   *   with the same low bits is installed
   */
  installEpoch(keys: ReceiverEpoch): Promise<void> {
    return this.#keys.installEpoch(keys)
  }

  /** Deletes an epoch's secret, keys and replay windows. No effect if it is not installed. */
  removeEpoch(epoch: number): void {
    this.#keys.removeEpoch(epoch)
  }

  /**
   * Makes one key available outside MLS, e.g. a sender key (section 5.1); frames that arrive before
   * this resolves wait. Overwrite `baseKey` once this has resolved.
   * @throws RangeError if the KID is installed already or out of range, or the base key is empty
   */
  installKey(kid: UInt64, baseKey: Uint8Array): Promise<void> {
    return this.#keys.installKey(kid, baseKey)
  }

  /** Deletes a key that `installKey` made available. */
  removeKey(kid: UInt64): void {
    this.#keys.removeKey(kid)
  }

  /**
   * Gives the plaintext of header || ciphertext || tag, at once if the provider is synchronous. The
   * arguments must not change until the result is there.
   * @param metadata what the sender authenticated besides (section 9.4)
   * @param track whose replay window counts: tracks that share a KID are reordered independently
   * @throws SFrameError with a code of `receiveFailures` (thrown or as rejection)
   */
  decrypt(
    ciphertext: Uint8Array,
    metadata: Uint8Array = NO_METADATA,
    track = '',
  ): MaybePromise<Uint8Array> {
    const header = this.#header
    if (!parseHeader(ciphertext, 0, header)) {
      return this.#refuse(header.fault ?? 'malformed-header', null, null, track)
    }
    const { kid, ctr, length } = header
    if (ciphertext.length - length < this.suite.tagLength) {
      return this.#refuse('truncated', kid, null, track)
    }
    const entry = this.#keys.find(kid)
    if (entry === null) return this.#refuse('unknown-kid', kid, null, track)
    if (entry.key !== null) {
      return this.#open(entry, entry.key, ctr, length, ciphertext, metadata, track)
    }
    return entry.ready.then((key) => {
      if (key === null) return this.#refuse('unknown-kid', kid, entry, track)
      return this.#open(entry, key, ctr, length, ciphertext, metadata, track)
    })
  }

  #open(
    entry: ReceiverKey,
    key: SFrameKey,
    ctr: UInt64,
    headerLength: number,
    ciphertext: Uint8Array,
    metadata: Uint8Array,
    track: string,
  ): MaybePromise<Uint8Array> {
    const window = entry.windows.get(track)
    const verdict = window === undefined ? 'fresh' : window.check(ctr)
    if (verdict !== 'fresh') return this.#refuse(verdict, entry.kid, entry, track)

    const { nonce } = this.#scratch
    key.writeNonce(ctr, nonce)
    const aad = this.#scratch.aad(ciphertext, headerLength, metadata)
    const opened = key.aead.open(nonce, aad, ciphertext.subarray(headerLength))
    if (opened instanceof Promise) {
      return opened.then((plaintext) => this.#accept(entry, ctr, track, plaintext))
    }
    return this.#accept(entry, ctr, track, opened)
  }

  #accept(
    entry: ReceiverKey,
    ctr: UInt64,
    track: string,
    plaintext: Uint8Array | null,
  ): Uint8Array {
    if (plaintext === null) return this.#refuse('authentication-failed', entry.kid, entry, track)
    const proven = this.#keys.prove(entry)
    if (typeof proven === 'string') return this.#refuse(proven, entry.kid, entry, track)
    let window = proven.windows.get(track)
    if (window === undefined) {
      if (proven.windows.size >= this.#tracksPerKey) {
        return this.#refuse('limit-exceeded', entry.kid, proven, track)
      }
      window = new ReplayWindow(this.#replayWindow)
      proven.windows.set(track, window)
    }
    const verdict = window.commit(ctr)
    if (verdict !== 'fresh') return this.#refuse(verdict, entry.kid, proven, track)
    return plaintext
  }

  #refuse(
    failure: ReceiveFailure,
    kid: UInt64 | null,
    entry: ReceiverKey | null,
    track: string,
  ): never {
    this.#ledger.record(failure, kid, track)
    if (entry !== null) entry.failures[failure]++
    throw new SFrameError(failure, kid)
  }

  /** Frames refused since the beginning, by reason. */
  failures(): FailureCounts {
    return this.#ledger.total()
  }

  /** Frames refused whose KID names this leaf index (MLS layout), over all epochs. */
  failuresOfLeaf(leaf: number): FailureCounts {
    return this.#ledger.ofLeaf(leaf)
  }

  /**
   * Frames refused that were given to `decrypt` as this track's, also those without a readable KID.
   * Of 1024 tracks; beyond that, the one that failed first is forgotten.
   */
  failuresOfTrack(track: string): FailureCounts {
    return this.#ledger.ofTrack(track)
  }

  /** Frames refused under a KID that has a key; null for any other. */
  failuresOfKid(kid: UInt64): FailureCounts | null {
    const entry = this.#keys.peek(toUInt64(kid))
    return entry === null ? null : { ...entry.failures }
  }

  /** The state, for people and tools; no key material. */
  dump(): ReceiverDump {
    return {
      suite: this.suite.name,
      provider: this.#provider.name,
      failures: this.failures(),
      keys: [...this.#keys.installed()].map(dumpKey),
      epochs: [...this.#keys.epochs()].map((keyring) => ({
        epoch: keyring.epoch,
        keys: [...keyring.proven()].map(dumpKey),
      })),
    }
  }

  /** Deletes every key; later frames fail with `unknown-kid`. */
  destroy(): void {
    this.#keys.removeAll()
  }
}

function dumpKey(key: ReceiverKey): ReceiverKeyDump {
  return { kid: key.kid, tracks: [...key.windows.keys()], failures: { ...key.failures } }
}
