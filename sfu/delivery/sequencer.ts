/**
 * The delivery service's brain (RFC 9750 section 5): puts handshakes in order. A room is a group; the
 * first valid commit for an epoch wins, whatever comes after it for that epoch is refused. It holds
 * public data only: no key, no secret, no media.
 *
 * Transport-free and synchronous. Who submits is what the caller vouches for: the participant in whose
 * namespace the submission was published. With a store, a step is durable before it is told to anybody.
 */

import {
  DeliveryFormatError,
  decodeSubmission,
  encodeSnapshot,
  type Submission,
} from '../../moq/delivery/index.ts'
import { type DeliveryCounters, makeDeliveryCounters } from './counters.ts'
import type { LogRecord } from './log.ts'
import { Refusal, type RefusalReason } from './refusal.ts'
import { baseOf, replay } from './replay.ts'
import { Room } from './room.ts'
import { RoomGroup, type Step } from './room-group.ts'
import { type RoomStore, StorageError } from './room-store.ts'
import { defaultSequencerSettings, type SequencerSettings } from './settings.ts'
import { encodeStored, type Stored } from './stored.ts'

export type SubmitResult =
  | {
      readonly accepted: true
      /** To publish on `log`, in order; none for what came before or takes more reports to matter. */
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

export interface SequencerOptions {
  /** Default: rooms are forgotten with the process. */
  readonly store?: RoomStore
  readonly counters?: DeliveryCounters
  /** A room's file could not be used, written anew or removed; a sentence for the operator. */
  readonly onProblem?: (problem: string) => void
}

/** What a submission has besides its commit and GroupInfo, at most. */
const OVERHEAD = 1024

export class Sequencer {
  readonly counters: DeliveryCounters
  private readonly settings: SequencerSettings
  private readonly store: RoomStore | null
  private readonly onProblem: (problem: string) => void
  private readonly rooms = new Map<string, Room>()
  /** Highest log group ever used, so that a room's next group never reuses a location of the track. */
  private lastLogGroup = 0

  constructor(settings: Partial<SequencerSettings> = {}, options: SequencerOptions = {}) {
    this.settings = { ...defaultSequencerSettings, ...settings }
    this.store = options.store ?? null
    this.counters = options.counters ?? makeDeliveryCounters()
    this.onProblem = options.onProblem ?? (() => {})
  }

  /**
   * Takes up the rooms that are stored; a room that is over, or whose records make no sense, ends.
   * @param now ms since 1970
   * @returns how many rooms go on
   * @throws StorageError when the store cannot be read
   */
  restore(now: number): number {
    for (const { room: name, records } of this.store?.load() ?? []) {
      const room = new Room(this.settings, now)
      try {
        room.group = replay(records, this.settings)
      } catch (error) {
        this.problem(`room ${name} cannot be taken up: ${messageOf(error)}`)
      }
      if (room.group === null || room.group.isOver) {
        this.forget(name)
        continue
      }
      room.expectAll(now)
      this.rooms.set(name, room)
      this.noteLogGroup(room.group)
    }
    return this.rooms.size
  }

  /**
   * @param participant whose `mls` track it came on
   * @param now ms since 1970: log groups start from it, so that they keep rising over restarts
   */
  submit(room: string, participant: string, bytes: Uint8Array, now: number): SubmitResult {
    try {
      const state = this.roomFor(room, now)
      state.admit(participant, now)
      return this.apply(room, state, participant, this.own(bytes), now)
    } catch (error) {
      const refusal = this.refusalOf(error)
      this.counters.refused[refusal.reason]++
      return { accepted: false, reason: refusal.reason, detail: refusal.message }
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
    this.rooms.get(room)?.setPresent(participant, present, now)
  }

  /** The service begins to see anew who is there: every member is gone from now on, until it is seen. */
  expectAll(now: number): void {
    for (const room of this.rooms.values()) room.expectAll(now)
  }

  /** To be called every few seconds: ends deserted groups, forgets idle rooms. Returns the ended. */
  sweep(now: number): string[] {
    const ended: string[] = []
    for (const [name, room] of this.rooms) {
      if (room.isDeserted(now)) {
        this.end(name, room)
        ended.push(name)
      }
      if (room.sweep(now)) this.rooms.delete(name)
      else this.compact(name, room)
    }
    return ended
  }

  /** For metrics. */
  levels(): { readonly groups: number; readonly members: number; readonly absent: number } {
    let groups = 0
    let members = 0
    let absent = 0
    for (const room of this.rooms.values()) {
      if (room.group === null) continue
      groups++
      members += room.group.state.roster.size
      absent += room.absent.size
    }
    return { groups, members, absent }
  }

  dump(): RoomDump[] {
    return [...this.rooms].map(([room, { group, absent }]) => ({
      room,
      epoch: group?.state.epoch ?? null,
      suite: group?.suite ?? null,
      members: group ? [...group.state.roster.values()] : [],
      departed: group ? [...group.state.departed] : [],
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
    const room = new Room(this.settings, now)
    this.rooms.set(name, room)
    return room
  }

  /** A copy: what is kept of it must not hold on to the buffers of the network. */
  private own(bytes: Uint8Array): Uint8Array {
    const { commitBytes, groupInfoBytes } = this.settings.limits
    if (bytes.length > commitBytes + groupInfoBytes + OVERHEAD) {
      throw new Refusal('malformed', `${bytes.length} bytes`)
    }
    return bytes.slice()
  }

  private apply(
    name: string,
    room: Room,
    participant: string,
    bytes: Uint8Array,
    now: number,
  ): SubmitResult {
    const submission = this.decode(bytes)
    const { group } = room
    if (submission.kind === 'create') {
      return this.create(name, room, participant, submission, bytes, now)
    }
    if (group === null) throw new Refusal('no-group', 'the room has no group')
    const step = this.prepare(room, group, participant, submission, now)
    if (step === null) return this.unchanged(group, submission.kind)
    const { skipped } = step
    const stored: Stored = skipped
      ? { kind: 'skip', commitHash: skipped.hash, reports: step.reports }
      : { kind: 'submission', at: now, participant, logGroup: 0, submission: bytes }
    this.store?.append(name, encodeStored(stored))
    group.adopt(step)
    room.heard(participant)
    if (skipped) {
      room.bars.put(skipped.participant, now)
      this.counters.skipped++
    }
    return this.accepted(name, room, group, submission.kind, step.records)
  }

  private prepare(
    room: Room,
    group: RoomGroup,
    participant: string,
    submission: Exclude<Submission, { kind: 'create' }>,
    now: number,
  ): Step | null {
    group.settle(now)
    switch (submission.kind) {
      case 'commit': {
        const verdict = group.verdict(submission.commit)
        if (verdict === 'taken') return null
        if (verdict === 'skipped') throw new Refusal('skipped', 'members could not apply it')
        const left = room.bars.left(participant, now)
        if (left > 0) throw new Refusal('barred', `${participant} may commit again in ${left} ms`)
        return group.commit(participant, submission.commit, submission.groupInfo, now)
      }
      case 'leave':
        return group.leave(participant)
      case 'report':
        return group.report(participant, submission, (id) => !room.absent.has(id))
    }
  }

  private create(
    name: string,
    room: Room,
    participant: string,
    { suite, groupInfo }: Extract<Submission, { kind: 'create' }>,
    bytes: Uint8Array,
    now: number,
  ): SubmitResult {
    if (room.group?.verdict(groupInfo) === 'taken') return this.unchanged(room.group, 'create')
    if (room.group !== null) throw new Refusal('group-exists', 'the room has a group')
    const logGroup = Math.max(Math.floor(now), this.lastLogGroup + 1)
    const group = RoomGroup.found(participant, suite, groupInfo, logGroup, this.settings)
    const stored: Stored = { kind: 'submission', at: now, participant, logGroup, submission: bytes }
    this.store?.append(name, encodeStored(stored))
    room.group = group
    return this.accepted(name, room, group, 'create', group.log.all().slice())
  }

  private accepted(
    name: string,
    room: Room,
    group: RoomGroup,
    kind: Submission['kind'],
    records: readonly LogRecord[],
  ): SubmitResult {
    this.counters.accepted[kind]++
    this.noteLogGroup(group)
    const ended = group.isOver
    const snapshot = ended ? encodeSnapshot(null) : group.snapshot
    if (ended) this.end(name, room)
    return { accepted: true, records, snapshot, ended }
  }

  /** It came before, or is one of several reports that it takes. */
  private unchanged(group: RoomGroup, kind: Submission['kind']): SubmitResult {
    if (kind === 'report') this.counters.accepted.report++
    else this.counters.repeated++
    return { accepted: true, records: [], snapshot: group.snapshot, ended: false }
  }

  private decode(bytes: Uint8Array): Submission {
    try {
      return decodeSubmission(bytes, this.settings.limits)
    } catch (error) {
      if (!(error instanceof DeliveryFormatError)) throw error
      throw new Refusal('malformed', error.message)
    }
  }

  private refusalOf(error: unknown): Refusal {
    if (error instanceof Refusal) return error
    if (!(error instanceof StorageError)) throw error
    this.problem(error.message)
    return new Refusal('unavailable', 'it could not be stored')
  }

  private noteLogGroup(group: RoomGroup): void {
    this.lastLogGroup = Math.max(this.lastLogGroup, group.state.logGroup)
  }

  private end(name: string, room: Room): void {
    room.end()
    this.forget(name)
  }

  private forget(name: string): void {
    this.trying(() => this.store?.remove(name))
  }

  private compact(name: string, room: Room): void {
    const { group } = room
    const size = this.store?.size(name) ?? 0
    if (group === null || size <= room.compactAt) return
    // What is written anew cannot be skipped after a restart: not while it may still have to be.
    if (!group.isSettled && size <= 4 * room.compactAt) return
    this.trying(() => this.store?.replace(name, encodeStored(baseOf(group))))
    room.compactAt = Math.max(this.settings.compactBytes, 2 * (this.store?.size(name) ?? 0))
  }

  private trying(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
      this.problem(error.message)
    }
  }

  private problem(problem: string): void {
    this.counters.storageFailures++
    this.onProblem(problem)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
