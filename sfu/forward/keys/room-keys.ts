/**
 * The key trackers of all tracks in the relay, by room and participant: a track is tracked when its
 * name has the shape of a call's, other tracks have no SFrame to follow.
 */

import { parseParticipantNamespace, parseTrackName } from '../../../moq/media/names.ts'
import { type FullTrackName, textOf } from '../../../moq/wire/names.ts'
import { type EpochTally, makeEpochTally, RoomEpoch } from './epoch-tally.ts'
import { epochsAhead } from './kid.ts'
import { type LeafClaim, type LeafHolder, RoomLeaves } from './leaf-claims.ts'
import { type KeyOwner, TrackKeys } from './track-keys.ts'
import { type KeyTrouble, type KeyTroubleCounters, keyTroubleCounters } from './troubles.ts'

interface Room {
  readonly leaves: RoomLeaves
  readonly epoch: RoomEpoch
  readonly participants: Map<string, PublisherKeys>
}

/** A tracked track, to be closed with the track. */
export interface KeysHandle {
  readonly keys: TrackKeys
  /** Idempotent. With its last track a participant's claims end. */
  close(): void
}

export class RoomKeys {
  /** Refused objects of all tracks since the start, by reason; for metrics. */
  readonly troubles: KeyTroubleCounters = keyTroubleCounters()
  /** Changes of epoch in all rooms since the start; for metrics. */
  readonly epochs: EpochTally = makeEpochTally()
  private readonly rooms = new Map<string, Room>()

  /** @returns null for a track that is not end-to-end encrypted by SFrame */
  open(name: FullTrackName): KeysHandle | null {
    const place = parseParticipantNamespace(name.namespace)
    const kind = parseTrackName(textOf(name.name) ?? '')?.kind
    // What is said to the delivery service and to members of other forks is not encrypted by SFrame.
    if (!place || !kind || kind === 'mls' || kind === 'verify') return null
    const publisher = this.publisher(place.room, place.participant)
    publisher.tracks++
    let open = true
    return {
      keys: new TrackKeys(publisher),
      close: () => {
        if (open) this.release(place.room, place.participant, publisher)
        open = false
      },
    }
  }

  /** For a look inside: rooms with participants whose keys are followed. */
  get size(): number {
    return this.rooms.size
  }

  private publisher(roomId: string, id: string): PublisherKeys {
    let room = this.rooms.get(roomId)
    if (!room) {
      const epoch = new RoomEpoch(this.epochs)
      room = { leaves: new RoomLeaves(), epoch, participants: new Map() }
      this.rooms.set(roomId, room)
    }
    let publisher = room.participants.get(id)
    if (!publisher) {
      publisher = new PublisherKeys(room.leaves, room.epoch, this.troubles)
      room.participants.set(id, publisher)
    }
    return publisher
  }

  private release(roomId: string, id: string, publisher: PublisherKeys): void {
    publisher.tracks--
    if (publisher.tracks > 0) return
    const room = this.rooms.get(roomId)
    if (!room) return
    room.leaves.release(publisher)
    room.participants.delete(id)
    if (room.participants.size === 0) this.rooms.delete(roomId)
  }
}

/** A participant: its leaf in each epoch holds for all of its tracks. */
class PublisherKeys implements KeyOwner, LeafHolder {
  readonly claims: LeafClaim[] = []
  /** That are open. */
  tracks = 0
  private readonly leaves: RoomLeaves
  private readonly roomEpoch: RoomEpoch
  private readonly troubles: KeyTroubleCounters
  /** The newest under which one of its tracks came; -1: none did. */
  private epoch = -1

  constructor(leaves: RoomLeaves, roomEpoch: RoomEpoch, troubles: KeyTroubleCounters) {
    this.leaves = leaves
    this.roomEpoch = roomEpoch
    this.troubles = troubles
  }

  claim(epoch: number, leaf: number, now: number): LeafClaim | 'foreign-leaf' | 'leaf-conflict' {
    return this.leaves.claim(this, epoch, leaf, now)
  }

  onEpoch(epoch: number, now: number): void {
    if (this.epoch >= 0 && epochsAhead(epoch, this.epoch) <= 0) return
    this.roomEpoch.entered(epoch, this.epoch, now)
    this.epoch = epoch
  }

  onTrouble(trouble: KeyTrouble): void {
    this.troubles[trouble]++
  }
}
