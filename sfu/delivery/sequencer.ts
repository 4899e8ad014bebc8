/**
 * The delivery service's brain (RFC 9750 section 5): puts handshakes in order. A room is a group; the
 * first valid commit for an epoch wins, whatever comes after it for that epoch is refused. It holds
 * public data only: no key, no secret, no media.
 *
 * Transport-free. Who submits is what the caller vouches for: the participant in whose namespace the
 * submission was published. With a store, a step is durable before it is told to anybody: what comes
 * meanwhile waits, and is written together.
 */

import { encodeSnapshot } from '../../moq/delivery/index.ts'
import { type Accepted, Batch, type Outcome } from './batch.ts'
import { type DeliveryCounters, makeDeliveryCounters } from './counters.ts'
import type { LogRecord } from './log.ts'
import { Refusal } from './refusal.ts'
import { baseOf, replay } from './replay.ts'
import { Room } from './room.ts'
import type { RoomGroup } from './room-group.ts'
import type { RoomStore, StorageError } from './room-store.ts'
import { defaultSequencerSettings, type SequencerSettings } from './settings.ts'
import { encodeStored } from './stored.ts'
import type { SubmitResult, Waiting } from './waiting.ts'

export type { SubmitResult } from './waiting.ts'

/** Hears what is to be published on a room's `log`, in order. */
export type LogListener = (room: string, records: readonly LogRecord[]) => void

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
  /** A bug of ours, while a submission was worked on; without this it is thrown. */
  readonly onInternalError?: (error: unknown) => void
}

/** What a submission has besides its commit and GroupInfo, at most. */
const OVERHEAD = 1024

export class Sequencer {
  readonly counters: DeliveryCounters
  private readonly settings: SequencerSettings
  private readonly store: RoomStore | null
  private readonly onProblem: (problem: string) => void
  private readonly onInternalError: (error: unknown) => void
  private readonly rooms = new Map<string, Room>()
  private readonly listeners = new Set<LogListener>()
  /** Highest log group ever used, so that a room's next group never reuses a location of the track. */
  private lastLogGroup = 0

  constructor(settings: Partial<SequencerSettings> = {}, options: SequencerOptions = {}) {
    this.settings = { ...defaultSequencerSettings, ...settings }
    this.store = options.store ?? null
    this.counters = options.counters ?? makeDeliveryCounters()
    this.onProblem = options.onProblem ?? (() => {})
    this.onInternalError = options.onInternalError ?? raise
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

  /** @returns ends it */
  follow(listener: LogListener): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /**
   * @param participant whose `mls` track it came on
   * @param now ms since 1970: log groups start from it, so that they keep rising over restarts
   * @param tell is called once, when what came of it is durable, and at once without a store
   */
  offer(
    room: string,
    participant: string,
    bytes: Uint8Array,
    now: number,
    tell: (result: SubmitResult) => void,
  ): void {
    try {
      const state = this.roomFor(room, now)
      state.admit(participant, now)
      state.push({ participant, bytes: this.own(bytes), at: Math.floor(now), tell })
      this.work(room, state)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      tell(this.refused(error))
    }
  }

  /** As `offer`, where nothing is stored, or at once: it throws where the disk is waited for. */
  submit(room: string, participant: string, bytes: Uint8Array, now: number): SubmitResult {
    let result: SubmitResult | null = null
    this.offer(room, participant, bytes, now, (told) => {
      result = told
    })
    if (result === null) throw new Error('the answer waits for the disk: use `offer`')
    return result
  }

  /** The object to publish on `group-info`, of what is durable; empty when the room has no group. */
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
      if (!room.isBusy && room.isDeserted(now)) {
        this.end(name, room)
        ended.push(name)
      }
      if (room.sweep(now)) this.rooms.delete(name)
      else if (!room.isBusy) this.compact(name, room)
    }
    return ended
  }

  /** For metrics. */
  levels(): Record<'groups' | 'members' | 'absent' | 'waiting', number> {
    let groups = 0
    let members = 0
    let absent = 0
    let waiting = 0
    for (const room of this.rooms.values()) {
      waiting += room.waiting
      if (room.group === null) continue
      groups++
      members += room.group.state.roster.size
      absent += room.absent.size
    }
    return { groups, members, absent, waiting }
  }

  /** Rooms that it knows. */
  roomNames(): string[] {
    return [...this.rooms.keys()]
  }

  dump(): RoomDump[] {
    return this.roomNames().flatMap((name) => this.dumpRoom(name) ?? [])
  }

  /** Null where there is no such room. */
  dumpRoom(name: string): RoomDump | null {
    const room = this.rooms.get(name)
    if (room === undefined) return null
    const { group, absent } = room
    return {
      room: name,
      epoch: group?.state.epoch ?? null,
      suite: group?.suite ?? null,
      members: group ? [...group.state.roster.values()] : [],
      departed: group ? [...group.state.departed] : [],
      absent: [...absent.keys()],
      logRecords: group?.log.all().length ?? 0,
    }
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

  /** Takes up what waits, unless the room's file is being written. */
  private work(name: string, room: Room): void {
    if (room.isBusy || room.waiting === 0) return
    const batch = this.batchOf(room)
    const { records } = batch
    room.isBusy = true
    const done = (error: StorageError | null) => {
      room.isBusy = false
      this.guarded(() => this.settle(name, room, batch, error))
      this.guarded(() => this.work(name, room))
    }
    if (this.store === null || records.length === 0) done(null)
    else this.store.append(name, records.map(encodeStored), done)
  }

  private batchOf(room: Room): Batch {
    const firstLogGroup = (at: number) => Math.max(at, this.lastLogGroup + 1)
    const batch = new Batch(room, this.settings, firstLogGroup)
    while (!batch.isFull) {
      const next = room.shift()
      if (next === undefined) break
      batch.add(next)
    }
    return batch
  }

  /** The batch is durable, or could not be stored: then it is as if it had not come. */
  private settle(name: string, room: Room, batch: Batch, error: StorageError | null): void {
    if (error !== null) {
      this.problem(error.message)
      for (const outcome of batch.outcomes) this.tell(outcome.waiting, this.undone(outcome))
      return
    }
    room.group = batch.group
    for (const { waiting, verdict } of batch.outcomes) {
      if (!(verdict instanceof Refusal)) this.note(room, waiting, verdict)
    }
    const ended = room.group?.isOver === true
    if (room.group) this.noteLogGroup(room.group)
    if (ended) this.end(name, room)
    const snapshot = this.snapshot(name)
    const last = batch.outcomes.at(-1)
    for (const outcome of batch.outcomes) {
      const { waiting, verdict } = outcome
      if (verdict instanceof Refusal) this.tell(waiting, this.refused(verdict))
      else {
        const { records } = verdict
        if (records.length > 0) this.publish(name, records)
        this.tell(waiting, {
          accepted: true,
          records,
          snapshot,
          ended: ended && outcome === last,
        })
      }
    }
  }

  private undone({ verdict, provisional }: Outcome): SubmitResult {
    if (verdict instanceof Refusal && !provisional) return this.refused(verdict)
    return this.refused(new Refusal('unavailable', 'it could not be stored'))
  }

  private note(room: Room, { participant, at }: Waiting, accepted: Accepted): void {
    const { kind, skipped, unchanged } = accepted
    // It came before, or is one of several reports that it takes.
    if (unchanged && kind !== 'report') this.counters.repeated++
    else this.counters.accepted[kind]++
    if (unchanged || kind === 'create') return
    room.heard(participant)
    if (skipped === null) return
    room.bars.put(skipped, at)
    this.counters.skipped++
  }

  private publish(name: string, records: readonly LogRecord[]): void {
    for (const listener of this.listeners) this.guarded(() => listener(name, records))
  }

  private tell({ tell }: Waiting, result: SubmitResult): void {
    this.guarded(() => tell(result))
  }

  private refused({ reason, message }: Refusal): SubmitResult {
    this.counters.refused[reason]++
    return { accepted: false, reason, detail: message }
  }

  private noteLogGroup(group: RoomGroup): void {
    this.lastLogGroup = Math.max(this.lastLogGroup, group.state.logGroup)
  }

  private end(name: string, room: Room): void {
    room.end()
    this.forget(name)
  }

  private forget(name: string): void {
    this.store?.remove(name, (error) => {
      if (error) this.problem(error.message)
    })
  }

  private compact(name: string, room: Room): void {
    const { store } = this
    const { group } = room
    const size = store?.size(name) ?? 0
    if (store === null || group === null || size <= room.compactAt) return
    // What is written anew cannot be skipped after a restart: not while it may still have to be.
    if (!group.isSettled && size <= 4 * room.compactAt) return
    room.isBusy = true
    store.replace(name, encodeStored(baseOf(group)), (error) => {
      room.isBusy = false
      if (error) this.problem(error.message)
      room.compactAt = Math.max(this.settings.compactBytes, 2 * store.size(name))
      this.guarded(() => this.work(name, room))
    })
  }

  private problem(problem: string): void {
    this.counters.storageFailures++
    this.onProblem(problem)
  }

  /** Who is called back by a disk must not be thrown at. */
  private guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.onInternalError(error)
    }
  }
}

function raise(error: unknown): never {
  throw error
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
