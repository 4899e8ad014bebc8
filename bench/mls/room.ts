/**
 * A room with the real delivery service's sequencer and the real members, in this process and on a clock
 * that nobody waits for. What the service logs is kept, and a member reads it when it is told to.
 */

import {
  type EpochKeys,
  type KeysError,
  type MemberEvents,
  MlsMember,
} from '../../client-lib/keys/index.ts'
import type { SuiteName } from '../../moq/delivery/index.ts'
import { ManualClock } from '../../moq/session/manual-clock.ts'
import { Sequencer } from '../../sfu/delivery/index.ts'

const ROOM = 'room'
/** Between two submissions, so that no rate limit is met, ms. */
const STEP_MS = 1000
/** A member of a bench does nothing by itself. */
const QUIET = { updateMs: 0, checkMs: 0 }

/** What the service did with a submission. */
export interface Accepted {
  /** Of the submission. */
  readonly bytes: number
  /** Of each record that every member gets. */
  readonly recordBytes: readonly number[]
  readonly serviceMs: number
}

export class Seat {
  readonly id: string
  readonly member: MlsMember
  /** Records of the log that it has read. */
  read = 0
  /** `performance.now()` of its newest epoch's keys. */
  keysAt = 0
  epoch = -1
  /** Of the snapshot that it fetched last. */
  fetched = 0
  failure: KeysError | null = null

  constructor(id: string, member: MlsMember) {
    this.id = id
    this.member = member
  }
}

export class BenchRoom {
  private readonly suite: SuiteName
  private readonly clock = new ManualClock()
  private readonly sequencer = new Sequencer()
  private readonly log: Uint8Array[] = []
  private now = Date.now()
  private lastAccepted: Accepted | null = null
  private refusal: string | null = null
  private joined = 0

  constructor(suite: SuiteName) {
    this.suite = suite
  }

  /** What the service took last. */
  get accepted(): Accepted {
    if (this.lastAccepted === null) throw new Error('nothing was submitted')
    return this.lastAccepted
  }

  /** A newcomer founds the group or joins it; settles when it has keys. Returns it and the ms. */
  async join(): Promise<{ seat: Seat; ms: number }> {
    const id = `member-${this.joined++}`
    const seat: Seat = new Seat(
      id,
      new MlsMember({
        participantId: id,
        suite: this.suite,
        clock: this.clock,
        random: Math.random,
        settings: QUIET,
        events: this.eventsOf(id, () => seat),
      }),
    )
    seat.read = this.log.length
    const ms = await this.until(seat, () => seat.member.start())
    return { seat, ms }
  }

  /** A member renews its keys. Returns the ms until it has them. */
  update(seat: Seat): Promise<number> {
    return this.until(seat, () => seat.member.update())
  }

  /**
   * A member says goodbye and `remover`, the first by leaf, removes it. Returns the ms from when the remover
   * heard the goodbye until it has the keys of the epoch without.
   */
  async remove(leaving: Seat, remover: Seat): Promise<number> {
    leaving.member.leave()
    await leaving.member.idle()
    return this.until(remover, () => this.deliver(remover))
  }

  /** A member reads the log. Returns the ms until it has the newest epoch's keys. */
  catchUp(seat: Seat): Promise<number> {
    return this.until(seat, () => this.deliver(seat))
  }

  /** A member that nobody needs to hear any more stays in the group without a process of its own. */
  async freeze(seat: Seat): Promise<void> {
    seat.member.suspend()
    await seat.member.idle()
  }

  private async until(seat: Seat, begin: () => void): Promise<number> {
    const before = seat.epoch
    const started = performance.now()
    begin()
    await seat.member.idle()
    if (seat.epoch === before) {
      // It asks for the snapshot by a timer that is due at once.
      this.clock.advance(0)
      await seat.member.idle()
    }
    if (seat.failure) throw seat.failure
    if (seat.epoch === before) {
      throw new Error(`${seat.id} got no keys: ${this.refusal ?? 'nothing was refused'}`)
    }
    return seat.keysAt - started
  }

  private eventsOf(id: string, seat: () => Seat): MemberEvents {
    return {
      submit: (bytes) => this.submit(seat(), bytes),
      requestSnapshot: () => {
        const snapshot = this.sequencer.snapshot(ROOM)
        seat().fetched = snapshot.length
        seat().member.onSnapshot(snapshot)
      },
      requestLog: () => {},
      onEpoch: ({ epoch }: EpochKeys) => {
        seat().keysAt = performance.now()
        seat().epoch = epoch
      },
      onState: () => {},
      onAlarm: ({ code, message }) => {
        this.refusal = `${id}: ${code}: ${message}`
      },
      onFailed: (error) => {
        seat().failure = error
      },
    }
  }

  private submit(from: Seat, bytes: Uint8Array): void {
    this.now += STEP_MS
    const started = performance.now()
    const result = this.sequencer.submit(ROOM, from.id, bytes, this.now)
    const serviceMs = performance.now() - started
    if (!result.accepted) {
      this.refusal = `${result.reason}: ${result.detail}`
      return
    }
    const records = result.records.map((record) => record.bytes)
    this.log.push(...records)
    const recordBytes = records.map(({ length }) => length)
    this.lastAccepted = { bytes: bytes.length, recordBytes, serviceMs }
    this.deliver(from)
  }

  private deliver(to: Seat): void {
    while (to.read < this.log.length) to.member.onLogEntry(this.log[to.read++]!)
  }
}
