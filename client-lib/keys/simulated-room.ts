/**
 * A room on a simulated network, for tests: members, a delivery service, and between them delays,
 * reordering and loss drawn from a seed. Time is a queue of tasks; nothing sleeps.
 */

import type { SuiteName } from '../../moq/delivery/index.ts'
import type { Clock } from '../../moq/session/clock.ts'
import type { EpochKeys } from './epoch.ts'
import { MlsMember } from './member.ts'
import type { StateName } from './member-state.ts'
import type { KeysAlarm, MemberOptions } from './member-types.ts'

export class FakeClock implements Clock {
  private time = 0
  private order = 0
  private tasks: { at: number; order: number; task: () => void }[] = []

  now(): number {
    return this.time
  }

  after(ms: number, task: () => void): () => void {
    const entry = { at: this.time + Math.max(0, ms), order: this.order++, task }
    this.tasks.push(entry)
    return () => {
      this.tasks = this.tasks.filter((other) => other !== entry)
    }
  }

  /** Runs the next task that is due by `until`; false when there is none. */
  step(until: number): boolean {
    let next: (typeof this.tasks)[number] | undefined
    for (const task of this.tasks) {
      const sooner = next === undefined || task.at < next.at
      if (sooner || (task.at === next!.at && task.order < next!.order)) next = task
    }
    if (next === undefined || next.at > until) {
      this.time = Math.max(this.time, until)
      return false
    }
    this.tasks = this.tasks.filter((task) => task !== next)
    this.time = next.at
    next.task()
    return true
  }
}

/** mulberry32: uniform in [0, 1), the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

interface Record {
  readonly epoch: number
  readonly bytes: Uint8Array
}

export interface Service {
  submit(
    room: string,
    participant: string,
    bytes: Uint8Array,
    now: number,
  ): { accepted: true; records: readonly Record[] } | { accepted: false; reason: string }
  snapshot(room: string): Uint8Array
  log(room: string): readonly Record[]
  setPresent?(room: string, participant: string, present: boolean, now: number): void
}

export interface Network {
  readonly minDelayMs: number
  readonly maxDelayMs: number
  /** Probability that a submission or a log entry is lost. */
  readonly loss: number
  /** Probability that a submission or a log entry comes twice. */
  readonly repeat: number
}

export class Participant {
  readonly id: string
  readonly member: MlsMember
  readonly epochs: EpochKeys[] = []
  readonly alarms: KeysAlarm[] = []
  readonly states: StateName[] = []
  failure: Error | null = null
  connected = true
  /** Work that listeners began, to be waited for before time goes on. */
  readonly work: Promise<unknown>[] = []
  onEpoch: ((epoch: EpochKeys) => void) | null = null
  onState: ((state: StateName) => void) | null = null
  onAlarm: ((alarm: KeysAlarm) => void) | null = null

  constructor(id: string, member: (events: MemberOptions['events']) => MlsMember, room: Wires) {
    this.id = id
    this.member = member({
      submit: (bytes) => room.submit(this, bytes),
      requestSnapshot: () => room.requestSnapshot(this),
      requestLog: (fromEpoch) => room.requestLog(this, fromEpoch),
      onEpoch: (epoch) => {
        this.epochs.push({ ...epoch, baseKey: epoch.baseKey.slice() })
        this.onEpoch?.(epoch)
      },
      onState: (state) => {
        this.states.push(state)
        this.onState?.(state)
      },
      onAlarm: (alarm) => {
        this.alarms.push(alarm)
        this.onAlarm?.(alarm)
      },
      onFailed: (error) => {
        this.failure = error
      },
    })
  }

  get state(): StateName {
    return this.states.at(-1) ?? 'waiting'
  }

  get last(): EpochKeys {
    return this.epochs.at(-1)!
  }
}

interface Wires {
  submit(from: Participant, bytes: Uint8Array): void
  requestSnapshot(from: Participant): void
  requestLog(from: Participant, fromEpoch: number): void
}

const ROOM = 'room'
/** Wall clock at the start, ms since 1970. */
const START = Date.UTC(2030, 0, 1)

export class SimulatedRoom implements Wires {
  readonly clock = new FakeClock()
  readonly random: () => number
  readonly participants: Participant[] = []
  readonly refusals: string[] = []
  /** What the network did so far to submissions, log entries and snapshots. */
  readonly faults = { lost: 0, repeated: 0, overtaken: 0 }
  service: Service
  network: Network
  /** Changes what a participant submits. */
  tamper: ((from: Participant, submission: Uint8Array) => Uint8Array) | null = null
  private readonly suite: SuiteName
  /** Sends so far, and the newest of them that arrived. */
  private sends = 0
  private newest = -1

  constructor(service: Service, suite: SuiteName, seed: number, network: Partial<Network> = {}) {
    this.service = service
    this.suite = suite
    this.random = seededRandom(seed)
    this.network = { minDelayMs: 5, maxDelayMs: 60, loss: 0, repeat: 0, ...network }
  }

  /** A participant comes into the room; the others see its namespace. */
  join(id: string, options: Partial<MemberOptions> = {}): Participant {
    const { clock, random } = this
    const wallClock = () => this.wallClock()
    const preset = { participantId: id, suite: this.suite, clock, wallClock, random, ...options }
    const make = (events: MemberOptions['events']) => new MlsMember({ ...preset, events })
    const joined = new Participant(id, make, this)
    for (const other of this.connected()) {
      joined.member.setPresent(other.id, true)
      other.member.setPresent(id, true)
    }
    this.participants.push(joined)
    this.tellService(joined)
    joined.member.start()
    return joined
  }

  /** Goodbye, and the namespace goes. */
  leave(participant: Participant): void {
    participant.member.leave()
    this.clock.after(1, () => this.vanish(participant))
  }

  /** The namespace goes without a word; nothing reaches the participant any more. */
  vanish(participant: Participant): void {
    participant.connected = false
    this.tellService(participant)
    participant.member.setOnline(false)
    for (const other of this.connected()) other.member.setPresent(participant.id, false)
  }

  /** The page goes without a goodbye; what was stored stays. */
  crash(participant: Participant): void {
    participant.member.suspend()
    this.vanish(participant)
  }

  /** The participant's session is back: it is told who is there, and the others that it is. */
  reconnect(participant: Participant): void {
    participant.connected = true
    this.tellService(participant)
    const present = new Set(this.connected().map(({ id }) => id))
    for (const { id } of this.participants) participant.member.setPresent(id, present.has(id))
    for (const other of this.connected()) other.member.setPresent(participant.id, true)
    participant.member.setOnline(true)
  }

  /** Whole ms since 1970, as of a computer. */
  wallClock(): number {
    return Math.floor(START + this.clock.now())
  }

  connected(): Participant[] {
    return this.participants.filter(({ connected }) => connected)
  }

  async run(ms: number): Promise<void> {
    const until = this.clock.now() + ms
    do {
      await this.settle()
    } while (this.clock.step(until))
  }

  private async settle(): Promise<void> {
    await Promise.all(this.participants.map(({ member }) => member.idle()))
    await Promise.all(this.participants.flatMap(({ work }) => work.splice(0)))
  }

  /** Whoever is there, under another leaf maybe, is there. */
  private tellService({ id }: Participant): void {
    const present = this.participants.some((other) => other.id === id && other.connected)
    this.service.setPresent?.(ROOM, id, present, this.wallClock())
  }

  submit(from: Participant, bytes: Uint8Array): void {
    // A submission rides on a stream: a session that is gone sends nothing.
    if (!from.connected) return
    const sent = this.tamper?.(from, bytes) ?? bytes
    this.send(this.network.loss, () => {
      const result = this.service.submit(ROOM, from.id, sent, this.wallClock())
      if (!result.accepted) this.refusals.push(result.reason)
      else for (const { bytes } of result.records) this.publish(bytes)
    })
  }

  requestSnapshot(from: Participant): void {
    if (!from.connected) return
    this.send(0, () => {
      const snapshot = this.service.snapshot(ROOM)
      // A new group of the track reaches whoever subscribes to it, asked or not.
      const witness = this.participants[Math.floor(this.random() * this.participants.length)]!
      for (const to of new Set([from, witness])) {
        this.deliver(to, 0, () => to.member.onSnapshot(snapshot))
      }
      for (const to of this.connected()) {
        if (to !== from && to !== witness) {
          this.deliver(to, 0, () => to.member.onOthersSnapshot(snapshot))
        }
      }
    })
  }

  requestLog(from: Participant, fromEpoch: number): void {
    if (!from.connected) return
    this.send(0, () => {
      for (const { epoch, bytes } of this.service.log(ROOM)) {
        // As a fetch by location gives it: a group founded later is behind this one in the track.
        if (epoch >= fromEpoch || epoch === 0)
          this.deliver(from, 0, () => from.member.onLogEntry(bytes))
      }
    })
  }

  private publish(entry: Uint8Array): void {
    for (const to of this.connected()) {
      this.deliver(to, this.network.loss, () => to.member.onLogEntry(entry))
    }
  }

  private deliver(to: Participant, loss: number, task: () => void): void {
    this.send(loss, () => {
      if (to.connected) task()
    })
  }

  private send(loss: number, task: () => void): void {
    const { minDelayMs, maxDelayMs } = this.network
    const delay = minDelayMs + this.random() * (maxDelayMs - minDelayMs)
    if (this.random() < loss) {
      this.faults.lost += 1
      return
    }
    const order = this.sends++
    this.clock.after(delay, () => {
      if (order < this.newest) this.faults.overtaken += 1
      this.newest = Math.max(this.newest, order)
      task()
    })
    if (this.random() >= this.network.repeat) return
    this.faults.repeated += 1
    this.clock.after(delay + this.random() * 500, task)
  }
}
