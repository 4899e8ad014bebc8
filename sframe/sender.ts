/**
 * Encrypts the frames of one stream under one key: RFC 9605 section 4.4.3, with the rule that a
 * (key, counter) pair is used once (section 9.1) kept by construction.
 */
import {
  type CounterClaim,
  type CounterLedger,
  type Counters,
  fingerprintOf,
  sharedLedger,
} from './counter-ledger.ts'
import { SFrameError } from './errors.ts'
import { FrameScratch } from './frame-scratch.ts'
import { headerLength, writeHeader } from './header.ts'
import { deriveKey, importBaseKey, type SFrameKey } from './key-schedule.ts'
import type { MaybePromise } from './maybe-promise.ts'
import { type EpochSecret, mlsKid } from './mls.ts'
import type { CryptoProvider } from './providers/provider.ts'
import type { Suite } from './suites.ts'
import { toUInt64, type UInt64 } from './uint64.ts'

/** The last counter a sender uses: beyond it, numbers are no longer exact. */
export const MAX_SEND_COUNTER = Number.MAX_SAFE_INTEGER - 1

const NO_METADATA = new Uint8Array(0)

/** Which counters a sender may use: each once under a key. */
export interface CounterRange {
  /** The first counter; default 0. A context restored from storage begins behind the last one used. */
  readonly firstCounter?: number
  /** The last counter, after which `encrypt` fails; default and maximum `MAX_SEND_COUNTER`. */
  readonly lastCounter?: number
}

/** What a `SenderContext` is made with. */
export interface SenderOptions extends CounterRange {
  readonly provider: CryptoProvider
  readonly suite: Suite
  readonly kid: UInt64
  /** Of any length but 0. The context keeps no reference: overwrite it afterwards. */
  readonly baseKey: Uint8Array
  /** Where the counters are noted as taken; default: the one of all senders of this thread. */
  readonly ledger?: CounterLedger
}

/** Whose keys a sender for an MLS epoch uses (RFC 9605 section 5.2). */
export interface EpochSenderOptions extends CounterRange {
  /** One a stream: a context of an epoch has one sender. */
  readonly context: number
  /** Our own leaf index. */
  readonly leaf: number
}

/** Encrypts under one key id, each frame with the next counter (RFC 9605 section 4.4.3). */
export class SenderContext {
  readonly suite: Suite
  readonly kid: UInt64
  readonly #provider: CryptoProvider
  readonly #lastCounter: number
  readonly #claim: CounterClaim
  readonly #scratch = new FrameScratch()
  #key: SFrameKey | null
  #nextCounter: number

  private constructor(
    provider: CryptoProvider,
    suite: Suite,
    key: SFrameKey,
    range: Counters,
    claim: CounterClaim,
  ) {
    this.#provider = provider
    this.suite = suite
    this.kid = key.kid
    this.#key = key
    this.#nextCounter = range.first
    this.#lastCounter = range.last
    this.#claim = claim
  }

  /**
   * A sender over a base key that nobody else sends with under this KID.
   * @throws SFrameError `kid-in-use` if a sender has counters of this base key and KID from
   *   `firstCounter` on
   * @throws RangeError for an empty base key, a KID or a counter out of range
   */
  static async create(options: SenderOptions): Promise<SenderContext> {
    const { provider, suite, baseKey, ledger = sharedLedger } = options
    const range = checkedRange(options)
    const kid = toUInt64(options.kid)
    const secret = await importBaseKey(provider, suite, baseKey)
    try {
      const claim = ledger.take(await fingerprintOf(secret, suite), kid, range)
      const key = await derivedFor(claim, range, () => deriveKey(provider, suite, secret, kid))
      return new SenderContext(provider, suite, key, range, claim)
    } finally {
      secret.destroy()
    }
  }

  /**
   * A sender for one stream of ours in an MLS epoch.
   * @throws SFrameError `kid-in-use` if a sender has this context of the epoch, or had it and used
   *   counters from `firstCounter` on; `key-deleted` if the epoch's secret was destroyed
   * @throws RangeError for a context, leaf index or counter out of range
   */
  static async forEpoch(epoch: EpochSecret, options: EpochSenderOptions): Promise<SenderContext> {
    const range = checkedRange(options)
    const kid = mlsKid({ context: options.context, leaf: options.leaf, epoch: epoch.epoch })
    const claim = await epoch.claim(kid, range)
    const key = await derivedFor(claim, range, () => epoch.derive(kid))
    return new SenderContext(epoch.provider, epoch.suite, key, range, claim)
  }

  /** The counter of the next frame. */
  get nextCounter(): number {
    return this.#nextCounter
  }

  /**
   * Gives header || ciphertext || tag. The counter is taken before the call returns, so calls may
   * overlap; the arguments must not change until the result is there.
   * @param metadata authenticated and not sent: what the receiver also has (section 9.4)
   * @throws SFrameError `counter-exhausted` or `key-deleted`
   */
  encrypt(plaintext: Uint8Array, metadata: Uint8Array = NO_METADATA): MaybePromise<Uint8Array> {
    const key = this.#key
    if (key === null) throw new SFrameError('key-deleted', this.kid)
    const ctr = this.#nextCounter
    if (ctr > this.#lastCounter) throw new SFrameError('counter-exhausted', this.kid)
    this.#nextCounter = ctr + 1

    const { nonce } = this.#scratch
    const header = headerLength(this.kid, ctr)
    const output = this.#provider.allocate(header + plaintext.length + this.suite.tagLength)
    writeHeader(this.kid, ctr, output)
    key.writeNonce(ctr, nonce)
    const aad = this.#scratch.aad(output, header, metadata)
    return key.aead.seal(nonce, aad, plaintext, output, header)
  }

  /** Deletes the key. Encryptions under way end as they would; later ones fail with `key-deleted`. */
  destroy(): void {
    this.#key?.destroy()
    this.#key = null
    this.#claim.release(this.#nextCounter)
  }
}

/** The key; without one the claim ends, and no counter of it was used. */
async function derivedFor(
  claim: CounterClaim,
  range: Counters,
  derivation: () => MaybePromise<SFrameKey>,
): Promise<SFrameKey> {
  try {
    return await derivation()
  } catch (error) {
    claim.release(range.first)
    throw error
  }
}

function checkedRange(range: CounterRange): Counters {
  const { firstCounter: first = 0, lastCounter: last = MAX_SEND_COUNTER } = range
  const valid = Number.isSafeInteger(first) && Number.isSafeInteger(last)
  if (valid && first >= 0 && last >= first && last <= MAX_SEND_COUNTER) return { first, last }
  throw new RangeError(`not a range of counters: ${first} to ${last}`)
}
