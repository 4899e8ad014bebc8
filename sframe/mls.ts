/**
 * SFrame keys from an MLS group (RFC 9605 section 5.2): one base key an epoch, and a KID that says
 * which stream of which member in which epoch.
 *
 *     KID = context << (S + E) | leaf index << E | epoch mod 2^E      E = 8, S = 12
 */
import {
  type CounterClaim,
  type CounterLedger,
  type Counters,
  fingerprintOf,
  sharedLedger,
} from './counter-ledger.ts'
import { deriveKey, importBaseKey, type SFrameKey } from './key-schedule.ts'
import { type MaybePromise, whenReady } from './maybe-promise.ts'
import type { CryptoProvider, DerivationSecret } from './providers/provider.ts'
import type { Suite } from './suites.ts'
import { high32, low32, toUInt64, type UInt64 } from './uint64.ts'

/** `MLS-Exporter(MLS_EXPORTER_LABEL, "", suite.keyLength)` is the base key of an epoch. */
export const MLS_EXPORTER_LABEL = 'SFrame 1.0 Base Key'

/** E: low bits of the epoch number in a KID. */
export const EPOCH_BITS = 8
/** S: bits of the leaf index in a KID; a group has at most 4096 members. */
export const LEAF_BITS = 12

const EPOCHS = 2 ** EPOCH_BITS
const LEAVES = 2 ** LEAF_BITS
const CONTEXTS = 2 ** (64 - LEAF_BITS - EPOCH_BITS)

/** The parts of a key id that MLS gives (RFC 9605 section 5.2). */
export interface MlsKid {
  /** Chosen by the sender, one a stream, below 2^44; 0 makes the shortest KID. */
  readonly context: number
  /** Leaf index of the sender in the ratchet tree, below 4096. */
  readonly leaf: number
  /** Epoch number; a parsed KID has only its low 8 bits. */
  readonly epoch: number
}

/**
 * The KID of one stream of one member in one epoch.
 * @throws RangeError for a value out of its range
 */
export function mlsKid({ context, leaf, epoch }: MlsKid): UInt64 {
  requireBelow(context, CONTEXTS, 'context')
  requireBelow(leaf, LEAVES, 'leaf index')
  requireBelow(epoch, Number.MAX_SAFE_INTEGER, 'epoch')
  const lower = leaf * EPOCHS + (epoch % EPOCHS)
  if (context < 2 ** 33) return context * (LEAVES * EPOCHS) + lower
  return (BigInt(context) << BigInt(LEAF_BITS + EPOCH_BITS)) | BigInt(lower)
}

function requireBelow(value: number, bound: number, what: string): void {
  if (Number.isSafeInteger(value) && value >= 0 && value < bound) return
  throw new RangeError(`${what} out of range: ${value}`)
}

/**
 * Takes a KID apart. Every KID has such parts; whether they mean anything is for the group to say.
 * @throws RangeError if it is not an unsigned 64-bit integer
 */
export function parseMlsKid(kid: UInt64): MlsKid {
  const canonical = toUInt64(kid)
  const low = low32(canonical)
  const context = high32(canonical) * 2 ** (32 - LEAF_BITS - EPOCH_BITS)
  return {
    context: context + (low >>> (LEAF_BITS + EPOCH_BITS)),
    leaf: leafOf(canonical),
    epoch: epochSlotOf(canonical),
  }
}

/** The leaf index in a canonical KID. */
export function leafOf(kid: UInt64): number {
  return (low32(kid) >>> EPOCH_BITS) & (LEAVES - 1)
}

/** The low epoch bits in a canonical KID. */
export function epochSlotOf(kid: UInt64): number {
  return low32(kid) & (EPOCHS - 1)
}

/** What the MLS group exports for one epoch. */
export interface EpochKeys {
  readonly epoch: number
  /** Nk bytes (`suite.keyLength`) of the exporter. The receiver of it keeps no reference. */
  readonly baseKey: Uint8Array
}

/** One epoch's imported base key, from which the keys of its KIDs come. */
export class EpochSecret {
  readonly provider: CryptoProvider
  readonly suite: Suite
  readonly epoch: number
  readonly #secret: DerivationSecret
  readonly #ledger: CounterLedger
  #fingerprint: Promise<string> | null = null

  private constructor(
    provider: CryptoProvider,
    suite: Suite,
    epoch: number,
    secret: DerivationSecret,
    ledger: CounterLedger,
  ) {
    this.provider = provider
    this.suite = suite
    this.epoch = epoch
    this.#secret = secret
    this.#ledger = ledger
  }

  /**
   * Once this has returned or resolved, the caller should overwrite `keys.baseKey`.
   * @param ledger where senders of this epoch note their counters
   * @throws RangeError if the epoch or the length of the base key is wrong
   */
  static import(
    provider: CryptoProvider,
    suite: Suite,
    keys: EpochKeys,
    ledger: CounterLedger = sharedLedger,
  ): MaybePromise<EpochSecret> {
    requireBelow(keys.epoch, Number.MAX_SAFE_INTEGER, 'epoch')
    if (keys.baseKey.length !== suite.keyLength) {
      throw new RangeError(
        `the base key of ${suite.name} has ${suite.keyLength} bytes, not ${keys.baseKey.length}`,
      )
    }
    return whenReady(
      importBaseKey(provider, suite, keys.baseKey),
      (secret) => new EpochSecret(provider, suite, keys.epoch, secret, ledger),
    )
  }

  /** The key of a KID of this epoch. Fails with `key-deleted` once destroyed. */
  derive(kid: UInt64): MaybePromise<SFrameKey> {
    return deriveKey(this.provider, this.suite, this.#secret, kid)
  }

  /**
   * Takes counters of a KID for one sender: a second one would use nonces twice (section 4.4.1), also
   * if it were of another import of the same base key.
   * @throws SFrameError `kid-in-use`, or `key-deleted` once destroyed
   */
  async claim(kid: UInt64, counters: Counters): Promise<CounterClaim> {
    this.#fingerprint ??= fingerprintOf(this.#secret, this.suite)
    return this.#ledger.take(await this.#fingerprint, kid, counters)
  }

  /** Deletes the secret; keys derived before stay. */
  destroy(): void {
    this.#secret.destroy()
  }
}
