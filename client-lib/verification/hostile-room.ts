/**
 * A simulated room, for tests, whose delivery service and relay are hostile: it can keep two services
 * and show each member one of them, forge log entries, hide participants, and hold statements back.
 * Members, keys and statements are the real ones.
 */

import { decodeSnapshot } from '../../moq/delivery/index.ts'
import { defaultMemberSettings, type EpochKeys } from '../keys/index.ts'
import { decodeGroupInfo } from '../keys/messages.ts'
import { type Participant, type Service, SimulatedRoom } from '../keys/simulated-room.ts'
import type { AlarmName } from './alarms.ts'
import { type VerifiedEpoch, Verifier } from './verifier.ts'

/** A participant with its verifier, and when each alarm about each other was first raised. */
export interface Watched {
  readonly participant: Participant
  readonly verifier: Verifier
  readonly raised: Map<string, number>
}

const ROOM = 'room'
/** Media of everybody reach everybody this often, ms. */
const MEDIA_MS = 100

export class HostileRoom extends SimulatedRoom {
  readonly watched = new Map<string, Watched>()
  /** Statements that it lets through. */
  passes: (from: string, to: string, statement: Uint8Array) => Uint8Array | null = (_f, _t, s) => s
  /** Log entries that it shows. */
  shows: (entry: Uint8Array, to: string) => boolean = () => true
  private readonly services: readonly [Service, Service]
  /** Whom the second service serves; null: both are fed alike. */
  private split: ReadonlySet<string> | null = null
  private readonly hidden = new Set<string>()
  private readonly graceMs: number

  /**
   * @param makeService called twice: twins, until the room is forked
   * @param graceMs of the members
   */
  constructor(
    makeService: () => Service,
    seed = 1,
    graceMs: number = defaultMemberSettings.graceMs,
  ) {
    const services: [Service, Service] = [makeService(), makeService()]
    super(services[0], 'classical', seed)
    this.services = services
    this.graceMs = graceMs
    this.media()
  }

  /** A participant's namespace goes without a word. */
  drop(id: string): void {
    this.vanish(this.watched.get(id)!.participant)
    this.watched.get(id)!.verifier.close()
    this.watched.delete(id)
    for (const { verifier } of this.watched.values()) verifier.setAnnounced(id, false)
  }

  /** A participant comes in, and is told of to everybody that it is not hidden from. */
  enter(id: string, options: { hidden?: boolean } = {}): Watched {
    if (options.hidden) this.hidden.add(id)
    const { graceMs } = this
    const participant = this.join(id, { settings: { graceMs } })
    const { member } = participant
    const verifier = new Verifier({
      participantId: id,
      clock: this.clock,
      wallClock: () => this.wallClock(),
      graceMs,
      signatures: member,
      publish: (statement) => this.spread(id, statement),
      onChange: () => this.note(watched),
    })
    const watched: Watched = { participant, verifier, raised: new Map() }
    participant.onEpoch = (keys) => verifier.enter(this.entered(id, keys))
    participant.onState = (state) => {
      if (state !== 'member') verifier.leave()
    }
    participant.onAlarm = ({ epoch }) => {
      if (epoch !== undefined) verifier.takeBack(epoch)
    }
    const onLogEntry = member.onLogEntry.bind(member)
    member.onLogEntry = (payload) => {
      if (!this.shows(payload, id)) return
      verifier.seeLogEntry(payload)
      onLogEntry(payload)
    }
    for (const other of this.watched.values()) {
      verifier.setAnnounced(other.participant.id, !this.hidden.has(other.participant.id))
      other.verifier.setAnnounced(id, !this.hidden.has(id))
      if (this.hidden.has(id)) other.participant.member.setPresent(id, false)
    }
    this.watched.set(id, watched)
    return watched
  }

  /** A goodbye, a namespace that goes. */
  exit(id: string): void {
    this.leave(this.watched.get(id)!.participant)
    this.clock.after(1, () => {
      this.watched.get(id)!.verifier.close()
      this.watched.delete(id)
      for (const { verifier } of this.watched.values()) verifier.setAnnounced(id, false)
    })
  }

  /** From now on the second service serves these. */
  fork(...ids: string[]): void {
    this.split = new Set(ids)
  }

  /** From now on the first service serves everybody again. */
  merge(): void {
    this.split = new Set()
  }

  /** Puts an entry of its own into the log, as some see it. */
  forge(entry: Uint8Array, ...ids: string[]): void {
    for (const id of ids) this.watched.get(id)!.participant.member.onLogEntry(entry)
  }

  override async run(ms: number): Promise<void> {
    const until = this.clock.now() + ms
    do {
      await Promise.all(this.participants.map(({ member }) => member.idle()))
      await Promise.all([...this.watched.values()].map(({ verifier }) => verifier.idle()))
    } while (this.clock.step(until))
  }

  override submit(from: Participant, bytes: Uint8Array): void {
    if (!from.connected) return
    const sent = this.tamper?.(from, bytes) ?? bytes
    this.clock.after(this.delay(), () => {
      const now = this.wallClock()
      if (this.split === null) {
        const [result] = this.services.map((service) => service.submit(ROOM, from.id, sent, now))
        if (result!.accepted) for (const record of result!.records) this.publishTo(record.bytes)
        return
      }
      const side = this.split
      const result = this.serviceOf(from.id).submit(ROOM, from.id, sent, now)
      if (!result.accepted) return
      for (const record of result.records) {
        this.publishTo(record.bytes, (id) => side.has(id) === side.has(from.id))
      }
    })
  }

  override requestSnapshot(from: Participant): void {
    this.clock.after(this.delay(), () => {
      const snapshot = this.serviceOf(from.id).snapshot(ROOM)
      if (from.connected) from.member.onSnapshot(snapshot)
    })
  }

  override requestLog(from: Participant, fromEpoch: number): void {
    this.clock.after(this.delay(), () => {
      for (const { epoch, bytes } of this.serviceOf(from.id).log(ROOM)) {
        if (epoch >= fromEpoch && from.connected) from.member.onLogEntry(bytes)
      }
    })
  }

  private serviceOf(id: string): Service {
    return this.services[this.split?.has(id) ? 1 : 0]
  }

  private publishTo(entry: Uint8Array, isFor: (id: string) => boolean = () => true): void {
    for (const to of this.connected()) {
      if (isFor(to.id)) this.clock.after(this.delay(), () => to.member.onLogEntry(entry))
    }
  }

  /** Statements go to whoever sees the sender's namespace. */
  private spread(from: string, statement: Uint8Array): void {
    if (this.hidden.has(from)) return
    for (const [to, { verifier }] of this.watched) {
      if (to === from) continue
      const passed = this.passes(from, to, statement)
      if (passed) this.clock.after(this.delay(), () => verifier.hear(from, passed))
    }
  }

  private media(): void {
    this.clock.after(MEDIA_MS, () => {
      for (const from of this.watched.keys()) {
        for (const { verifier } of this.watched.values()) verifier.noteTraffic(from)
      }
      this.media()
    })
  }

  private note({ participant, verifier, raised }: Watched): void {
    for (const { id } of this.participants) {
      for (const alarm of verifier.alarms(id)) {
        const about: `${string}: ${AlarmName}` = `${id}: ${alarm}`
        if (id !== participant.id && !raised.has(about)) raised.set(about, this.clock.now())
      }
    }
  }

  private entered(id: string, keys: EpochKeys): VerifiedEpoch {
    const { reason } = keys
    const isFirst = reason === 'created' || reason === 'joined' || reason === 'restored'
    const snapshot = decodeSnapshot(this.serviceOf(id).snapshot(ROOM))
    return { ...keys, groupId: decodeGroupInfo(snapshot!).groupContext.groupId, isFirst }
  }

  private delay(): number {
    return 5 + this.random() * 55
  }
}
