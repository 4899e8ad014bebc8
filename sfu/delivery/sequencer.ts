/**
 * The delivery service's brain (RFC 9750 section 5): puts handshakes in order. A room is a group; the
 * first valid commit for an epoch wins, whatever comes after it for that epoch is refused. It holds
 * public data only: no key, no secret, no media.
 *
 * Transport-free and synchronous. Who submits is what the caller vouches for: the participant in whose
 * namespace the submission was published.
 */

import {
  DeliveryFormatError,
  decodeSubmission,
  encodeSnapshot,
  type Submission,
} from '../../moq/delivery/index.ts'
import type { LogRecord } from './log.ts'
import { Refusal, type RefusalReason } from './refusal.ts'
import { RoomGroup } from './room-group.ts'
import { defaultSequencerSettings, type SequencerSettings } from './settings.ts'
import { TokenBucket } from './token-bucket.ts'

export type SubmitResult =
  | {
      readonly accepted: true
      /** To publish on `log`, in order. */
      readonly records: readonly LogRecord[]
      /** To publish on `group-info` when it is asked for; empty when this ended the group. */
      readonly snapshot: Uint8Array
      readonly ended: boolean
    }
  | { readonly accepted: false; readonly reason: RefusalReason; readonly detail: string }

/** What an operator sees of a room. */
export interface RoomDump {
  readonly room: string
  readonly epoch: number | null
  readonly suite: string | null
  readonly members: readonly string[]
  readonly departed: readonly string[]
  readonly absent: readonly string[]
  readonly logRecords: number
}

interface Room {
  group: RoomGroup | null
  readonly bucket: TokenBucket
  readonly submitters: Map<string, TokenBucket>
  /** Participants whose namespace is gone, and since when, ms. */
  readonly absent: Map<string, number>
}

export class Sequencer {
  private readonly settings: SequencerSettings
  private readonly rooms = new Map<string, Room>()
  /** Highest log group ever used, so that a room's next group never reuses a location of the track. */
  private lastLogGroup = 0

  constructor(settings: Partial<SequencerSettings> = {}) {
    this.settings = { ...defaultSequencerSettings, ...settings }
  }

  /**
   * @param participant whose `mls` track it came on
   * @param now ms since 1970: log groups start from it, so that they keep rising over restarts
   */
  submit(room: string, participant: string, bytes: Uint8Array, now: number): SubmitResult {
    try {
      const state = this.roomFor(room, now)
      this.limitRate(state, participant, now)
      return this.apply(state, participant, bytes, now)
    } catch (error) {
      if (error instanceof Refusal) {
        return { accepted: false, reason: error.reason, detail: error.message }
      }
      throw error
    }
  }

  /** The object to publish on `group-info`; empty when the room has no group. */
  snapshot(room: string): Uint8Array {
    return this.rooms.get(room)?.group?.snapshot ?? encodeSnapshot(null)
  }

  /** The kept records of a room's current group, in order. */
  log(room: string): readonly LogRecord[] {
    return this.rooms.get(room)?.group?.log.all() ?? []
  }

  /** Tells whether a participant's namespace is there: a room without any member ends by `sweep`. */
  setPresent(room: string, participant: string, present: boolean, now: number): void {
    const state = this.rooms.get(room)
    if (state === undefined) return
    if (present) state.absent.delete(participant)
    else if (state.group?.leafOf(participant) !== undefined && !state.absent.has(participant)) {
      state.absent.set(participant, now)
    }
  }

  /** To be called every few seconds: ends deserted groups, forgets idle rooms. Returns the ended. */
  sweep(now: number): string[] {
    const ended: string[] = []
    for (const [name, room] of this.rooms) {
      if (room.group !== null && this.isDeserted(room, room.group, now)) {
        this.end(room)
        ended.push(name)
      }
      for (const [id, bucket] of room.submitters) if (bucket.full(now)) room.submitters.delete(id)
      if (room.group === null && room.submitters.size === 0) this.rooms.delete(name)
    }
    return ended
  }

  dump(): RoomDump[] {
    return [...this.rooms].map(([room, { group, absent }]) => ({
      room,
      epoch: group?.epoch ?? null,
      suite: group?.suite ?? null,
      members: group ? [...group.roster.values()] : [],
      departed: group ? [...group.departed] : [],
      absent: [...absent.keys()],
      logRecords: group?.log.all().length ?? 0,
    }))
  }

  private roomFor(name: string, now: number): Room {
    const known = this.rooms.get(name)
    if (known !== undefined) return known
    if (this.rooms.size >= this.settings.rooms) {
      throw new Refusal('full', `${this.rooms.size} rooms`)
    }
    const bucket = new TokenBucket(this.settings.roomRate, now)
    const room: Room = { group: null, bucket, submitters: new Map(), absent: new Map() }
    this.rooms.set(name, room)
    return room
  }

  private limitRate(room: Room, participant: string, now: number): void {
    let bucket = room.submitters.get(participant)
    if (bucket === undefined) {
      if (room.submitters.size >= this.settings.submitters) {
        throw new Refusal('full', `${room.submitters.size} submitters`)
      }
      bucket = new TokenBucket(this.settings.memberRate, now)
      room.submitters.set(participant, bucket)
    }
    // The member's own bucket first: one that floods must not drain the room's.
    if (!bucket.take(now)) throw new Refusal('rate-limited', `${participant} submits too often`)
    if (!room.bucket.take(now)) throw new Refusal('rate-limited', 'the room submits too often')
  }

  private apply(room: Room, participant: string, bytes: Uint8Array, now: number): SubmitResult {
    const submission = this.decode(bytes)
    if (submission.kind === 'create') {
      if (room.group !== null) throw new Refusal('group-exists', 'the room has a group')
      const first = Math.max(Math.floor(now), this.lastLogGroup + 1)
      const { suite, groupInfo } = submission
      const group = new RoomGroup(participant, suite, groupInfo, first, this.settings)
      room.group = group
      return this.accepted(room, group, group.log.all().slice())
    }
    const { group } = room
    if (group === null) throw new Refusal('no-group', 'the room has no group')
    const records =
      submission.kind === 'commit'
        ? group.commit(participant, submission.commit, submission.groupInfo)
        : group.leave(participant)
    room.absent.delete(participant)
    for (const id of room.absent.keys()) {
      if (group.leafOf(id) === undefined) room.absent.delete(id)
    }
    return this.accepted(room, group, records)
  }

  private accepted(room: Room, group: RoomGroup, records: readonly LogRecord[]): SubmitResult {
    this.lastLogGroup = Math.max(this.lastLogGroup, group.logGroup)
    const ended = group.isOver
    const snapshot = ended ? encodeSnapshot(null) : group.snapshot
    if (ended) this.end(room)
    return { accepted: true, records, snapshot, ended }
  }

  private decode(bytes: Uint8Array): Submission {
    try {
      return decodeSubmission(bytes, this.settings.limits)
    } catch (error) {
      if (!(error instanceof DeliveryFormatError)) throw error
      throw new Refusal('malformed', error.message)
    }
  }

  private isDeserted(room: Room, group: RoomGroup, now: number): boolean {
    for (const id of group.roster.values()) {
      if (group.departed.has(id)) continue
      const since = room.absent.get(id)
      if (since === undefined || now - since < this.settings.emptyRoomMs) return false
    }
    return true
  }

  private end(room: Room): void {
    room.group = null
    room.absent.clear()
  }
}
