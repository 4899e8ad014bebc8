/**
 * The SFrame keys of a call, epoch by epoch (design section 7): the receive keys of a new epoch are
 * installed at once; senders switch after a short overlap. When somebody was removed they stop at once,
 * and go on under the new keys; old epochs go after a while, so that what was under way can still be decrypted.
 */

import type { Clock } from '../../../moq/session/index.ts'
import { sameBytes } from '../../../moq/wire/names.ts'
import {
  type CryptoProvider,
  defaultProvider,
  EpochSecret,
  parseMlsKid,
  ReceiverContext,
  suites,
} from '../../../sframe/index.ts'
import type { EpochKeys } from '../../keys/index.ts'

export const SFRAME_SUITE = suites.AES_256_GCM_SHA512_128

/** Others need this long at most to hear of an epoch, ms. */
const OVERLAP_MS = 100
/** Somebody who asked for a group this long ago, ms, may be the newcomer of the epoch that comes now. */
const NEWCOMER_MS = 1000
/** What was encrypted under an old epoch arrives within this, ms. */
const KEEP_OLD_MS = 10_000

export interface MediaKeysEvents {
  /** Receive keys of the epoch are installed. */
  onInstalled(epoch: EpochKeys): void
  /** Somebody was removed: nothing more may be encrypted under the keys given before `onSwitch`. */
  onRevoked(): void
  /** Senders should take `sendEpoch` anew: it is of a newer epoch. */
  onSwitch(): void
}

/** An epoch that we send in. Its identity tells whether a sender is of the newest. */
export interface SendEpoch {
  readonly secret: EpochSecret
  readonly leaf: number
}

export class MediaKeys {
  private receiving: ReceiverContext
  private readonly provider: CryptoProvider
  private readonly clock: Clock
  private readonly events: MediaKeysEvents
  private sending: SendEpoch | null = null
  private newest: EpochKeys | null = null
  private joinedAt: number | null = null
  /** Leaves that each participant has had in the epochs kept. */
  private readonly leaves = new Map<string, Map<number, number>>()
  /** An epoch that waits for the overlap to end. */
  private next: SendEpoch | null = null
  private cancelSwitch: () => void = () => {}
  private groupAskedAt = Number.NEGATIVE_INFINITY
  /** Epochs given to `install`, and which of them was the last by which somebody was removed. */
  private given = 0
  private removal = 0
  /** Epochs are installed one after the other, whatever the crypto takes. */
  private installing: Promise<void> = Promise.resolve()
  private closed = false

  constructor(clock: Clock, events: MediaKeysEvents, provider = defaultProvider()) {
    this.clock = clock
    this.events = events
    this.provider = provider
    this.receiving = this.makeReceiver()
  }

  get receiver(): ReceiverContext {
    return this.receiving
  }

  /**
   * Takes over the base key and wipes it. Epochs are installed in the order in which they are given.
   * What somebody who is removed could read is not sent any more from this call on.
   */
  install(keys: EpochKeys): Promise<void> {
    const turn = ++this.given
    if (keys.removed.length > 0) this.revoke(turn)
    const done = this.installing.then(() => this.installNext(keys, turn))
    this.installing = done.catch(() => {})
    return done
  }

  private async installNext(keys: EpochKeys, turn: number): Promise<void> {
    const { provider } = this
    const { epoch, baseKey } = keys
    if (this.closed) {
      baseKey.fill(0)
      return
    }
    const previous = this.newest
    if (previous && !sameBytes(previous.groupId, keys.groupId)) this.startOver(epoch)
    else if (previous && epoch <= previous.epoch) this.goBack(epoch, previous.epoch)
    this.newest = keys
    this.joinedAt ??= epoch
    for (const { participantId, leaf } of keys.roster) this.noteLeaf(participantId, leaf, epoch)
    const secret = await EpochSecret.import(provider, SFRAME_SUITE, { epoch, baseKey })
    await this.receiving.installEpoch({ epoch, baseKey, ownLeaf: keys.leaf })
    baseKey.fill(0)
    if (this.closed) {
      secret.destroy()
      return
    }
    this.events.onInstalled(keys)
    if (previous && previous.epoch < epoch) {
      this.clock.after(KEEP_OLD_MS, () => this.forget(previous.epoch))
    }
    this.cancelSwitch()
    this.next?.secret.destroy()
    this.next = null
    // Who is removed by an epoch that was given meanwhile has the keys of this one.
    if (turn < this.removal) {
      secret.destroy()
      return
    }
    this.next = { secret, leaf: keys.leaf }
    const awaited = this.clock.now() - this.groupAskedAt < NEWCOMER_MS
    if (!this.sending || awaited) this.switchNow()
    else this.cancelSwitch = this.clock.after(OVERLAP_MS, () => this.switchNow())
  }

  private revoke(turn: number): void {
    this.removal = turn
    this.cancelSwitch()
    this.next?.secret.destroy()
    this.next = null
    if (!this.sending) return
    this.sending.secret.destroy()
    this.sending = null
    this.events.onRevoked()
  }

  /**
   * Somebody asks for a new group of a track of ours: likely a newcomer, who can read nothing under
   * the old epoch. It is worth ending the overlap for; the others hold what they cannot read yet.
   */
  groupAsked(): void {
    this.groupAskedAt = this.clock.now()
    this.switchNow()
  }

  /** The epoch that we send in; null before the first, and until the keys after a removal are there. */
  get sendEpoch(): SendEpoch | null {
    return this.sending
  }

  /** Whether a participant may use a KID with this leaf: only its own. */
  ownsLeaf(participantId: string, leaf: number): boolean {
    return this.leaves.get(participantId)?.has(leaf) ?? false
  }

  /**
   * Where the epoch of a KID that has no key lies: in the future, so that waiting helps; before we
   * joined, so that it was never for us; or lost.
   */
  placeOf(kid: number | bigint): 'future' | 'before-us' | 'lost' {
    if (!this.newest || this.joinedAt === null) return 'future'
    const ahead = (parseMlsKid(kid).epoch - (this.newest.epoch % 256) + 256) % 256
    if (ahead > 0 && ahead <= NEAR_EPOCHS) return 'future'
    const behindJoin = ((this.joinedAt % 256) - parseMlsKid(kid).epoch + 256) % 256
    return behindJoin > 0 && behindJoin <= NEAR_EPOCHS ? 'before-us' : 'lost'
  }

  /** The epoch of a KID for which there was a key; null before the first. */
  epochOf(kid: number | bigint): number | null {
    if (!this.newest) return null
    const { epoch } = this.newest
    const ahead = (parseMlsKid(kid).epoch - (epoch % 256) + 256) % 256
    return ahead <= NEAR_EPOCHS ? epoch + ahead : epoch + ahead - 256
  }

  close(): void {
    this.closed = true
    this.cancelSwitch()
    this.sending?.secret.destroy()
    this.next?.secret.destroy()
    this.sending = null
    this.next = null
    this.receiving.destroy()
  }

  private makeReceiver(): ReceiverContext {
    return new ReceiverContext({ provider: this.provider, suite: SFRAME_SUITE })
  }

  private switchNow(): void {
    if (!this.next) return
    this.cancelSwitch()
    this.sending?.secret.destroy()
    this.sending = this.next
    this.next = null
    this.events.onSwitch()
  }

  /** The room has another group, whose epochs count from the start. */
  private startOver(epoch: number): void {
    this.receiving.destroy()
    this.receiving = this.makeReceiver()
    this.leaves.clear()
    this.joinedAt = epoch
  }

  /** Commits were taken back: what they made is worthless, and its epochs are made anew. */
  private goBack(epoch: number, newest: number): void {
    for (let taken = epoch; taken <= newest; taken++) this.receiving.removeEpoch(taken)
    for (const leaves of this.leaves.values()) {
      for (const [leaf, last] of leaves) if (last >= epoch) leaves.set(leaf, epoch - 1)
    }
    this.joinedAt = Math.min(this.joinedAt ?? epoch, epoch)
  }

  private forget(epoch: number): void {
    if (this.closed || (this.newest && this.newest.epoch <= epoch)) return
    this.receiving.removeEpoch(epoch)
    for (const leaves of this.leaves.values()) {
      for (const [leaf, last] of leaves) if (last <= epoch) leaves.delete(leaf)
    }
  }

  private noteLeaf(participantId: string, leaf: number, epoch: number): void {
    const leaves = this.leaves.get(participantId) ?? new Map<number, number>()
    leaves.set(leaf, epoch)
    this.leaves.set(participantId, leaves)
  }
}

/** Epochs that two members may be apart for a moment. */
const NEAR_EPOCHS = 32
