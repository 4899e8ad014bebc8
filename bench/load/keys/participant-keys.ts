import type { IncomingSubscribe, Session } from '../../../moq/session/index.ts'
import type { EpochSecret, ReceiverContext, UInt64 } from '../../../sframe/index.ts'

/** What a sender derives its keys from. */
export interface SendKey {
  readonly secret: EpochSecret
  readonly leaf: number
}

/** A member of a room's group has the keys of an epoch; of those with one `group` all have the same. */
export interface EpochSeen {
  readonly group: string
  readonly epoch: number
  /** ms of the machine's clock. */
  readonly at: number
}

export interface KeysEvents {
  /** There are keys to receive with; also where there were others before. */
  onReceiveKeys(): void
  /** Senders take it; a picture at its next key frame. */
  onSendKey(key: SendKey): void
  /** Nothing more may be encrypted under the keys given so far. */
  onRevoked(): void
  /** A sentence. */
  onFault(reason: string): void
}

/** Where a synthetic participant has its SFrame keys from. */
export interface ParticipantKeys {
  /** Opens what others sent; another one where the room founded its group anew. */
  readonly receiver: ReceiverContext
  /** Epochs of a group that it had the keys of, in order; empty where there is no group. */
  readonly epochs: readonly EpochSeen[]
  /** Whether it has a track of its own, for which a namespace is published. */
  readonly hasTrack: boolean
  /** What can be made before there is a session. */
  prepare(): Promise<void>
  /** There is one. */
  begin(session: Session): void
  /** A subscription to one of its own tracks; false where it has none of this name. */
  accept(request: IncomingSubscribe): boolean
  /** The scenario wants another epoch. @param index counts from 1 */
  changeEpoch(index: number): Promise<void>
  /** A watcher asks for a new group of one of our tracks. */
  groupAsked(): void
  /** Whether a key that is not there may still come, was never for us, or should be there. */
  placeOf(kid: UInt64): 'future' | 'before-us' | 'lost'
  /** Says goodbye, and waits for a moment until that is known. */
  leave(): Promise<void>
  close(): void
}
