/**
 * Rooms at random: people come, leave, crash, come back, renew their keys, over a network that loses,
 * delays, repeats and reorders, to a service that is away for a while or takes broken commits. Whatever
 * happens, all who are there end in one epoch.
 */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeSnapshot, decodeSubmission, encodeSubmission } from '../../moq/delivery/index.ts'
import type { RoomStore, StoreDone } from '../../sfu/delivery/room-store.ts'
import { Sequencer } from '../../sfu/delivery/sequencer.ts'
import { cheapCrypto } from './cheap-crypto.ts'
import type { MemberOptions } from './member-types.ts'
import { decodeCommit, decodeGroupInfo } from './messages.ts'
import { PlainService } from './plain-service.ts'
import { type Participant, type Service, SimulatedRoom } from './simulated-room.ts'
import { MemoryStateStore } from './state-store.ts'

type Action =
  | 'join'
  | 'leave'
  | 'vanish'
  | 'reconnect'
  | 'update'
  | 'crash'
  | 'reload'
  | 'away'
  | 'forget'
  | 'break'
  | 'restart'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

interface Plan {
  readonly seed: number
  readonly people: number
  readonly actions: readonly {
    readonly what: Action
    readonly who: number
    readonly wait: number
  }[]
  readonly loss: number
  readonly repeat: number
  readonly maxDelayMs: number
}

/** Coming is likelier than each of the others. */
const actions: readonly Action[] = [
  'join',
  'join',
  'leave',
  'vanish',
  'reconnect',
  'update',
  'crash',
  'reload',
  'away',
  'forget',
  'break',
  'restart',
]

const action = fc.record({
  what: fc.constantFrom(...actions),
  who: fc.nat(1000),
  wait: fc.nat(2500),
})

const plans = (fewest: number, most: number, mostActions: number): fc.Arbitrary<Plan> =>
  fc.record({
    seed: fc.nat(),
    people: fc.integer({ min: fewest, max: most }),
    actions: fc.array(action, { minLength: 2, maxLength: mostActions }),
    loss: fc.double({ min: 0, max: 0.15, noNaN: true }),
    repeat: fc.double({ min: 0, max: 0.15, noNaN: true }),
    maxDelayMs: fc.integer({ min: 20, max: 400 }),
  })

/** When faults have ended, all who are there agree within this, ms, and so many entries of the log. */
const AGREED_MS = 45_000
const mostEntries = (participants: number) => 2 * participants + 10
/** A commit of somebody who is there is in the log, or another one for its epoch is, within this, ms. */
const DECIDED_MS = 1500
const STEP_MS = 500

/** What all stories of a test were made of. */
const tally = () => ({
  done: new Map<Action, number>(),
  most: 0,
  lost: 0,
  repeated: 0,
  overtaken: 0,
})

/** Notes each commit when it is submitted first. */
class WatchedRoom extends SimulatedRoom {
  readonly commits = new Map<string, { from: string; epoch: number; groupId: string; at: number }>()

  override submit(from: Participant, bytes: Uint8Array): void {
    const submission = decodeSubmission(bytes)
    const name = hex(bytes)
    if (from.connected && submission.kind === 'commit' && !this.commits.has(name)) {
      const { content } = decodeCommit(submission.commit)
      const epoch = Number(content.epoch) + 1
      const at = this.clock.now()
      this.commits.set(name, { from: from.id, epoch, groupId: hex(content.groupId), at })
    }
    super.submit(from, bytes)
  }

  /** Who waits for longer than it should to hear what became of its commit. */
  undecided(since: number): string[] {
    const now = this.clock.now()
    const here = new Set(this.connected().map(({ id }) => id))
    const { groupId, newest } = this.place()
    return [...this.commits.values()]
      .filter(({ from, at }) => here.has(from) && at >= since && now - at > DECIDED_MS)
      .filter((commit) => commit.groupId === groupId && commit.epoch > newest)
      .map(({ from, epoch }) => `${from}: ${epoch}, the log is at ${newest}`)
  }

  /** The group that the service has, and the newest epoch that its log tells of, taken back or not. */
  private place() {
    const snapshot = decodeSnapshot(this.service.snapshot('room'))
    const epochs = this.service.log('room').map(({ epoch }) => epoch)
    if (snapshot === null) return { groupId: null, newest: -1 }
    const { groupId } = decodeGroupInfo(snapshot).groupContext
    return { groupId: hex(groupId), newest: Math.max(snapshot.epoch, ...epochs) }
  }
}

class Story {
  readonly room: WatchedRoom
  private readonly options: Partial<MemberOptions>
  private readonly store = new MemoryStateStore()
  private readonly stored = new Set<string>()
  private readonly limit: number
  private readonly host: Host
  private readonly sums: ReturnType<typeof tally>
  private number = 0

  constructor(plan: Plan, host: Host, cheap: boolean, sums: ReturnType<typeof tally>) {
    const { seed, loss, repeat, maxDelayMs } = plan
    const network = { loss, repeat, maxDelayMs }
    this.room = new WatchedRoom(host.begin(), 'classical', seed, network)
    this.host = host
    this.sums = sums
    this.options = cheap ? { crypto: cheapCrypto(this.room.random) } : {}
    this.limit = plan.people
  }

  async join(id = `p${this.number++}`): Promise<void> {
    // A page that goes gives its lease back in a moment.
    await Promise.all(this.room.participants.map(({ member }) => member.idle()))
    const slot = await this.store.open(id)
    this.stored.add(id)
    this.room.join(id, { ...this.options, slot })
  }

  async act(what: Action, who: number): Promise<void> {
    const { room } = this
    const { done, most } = this.sums
    done.set(what, (done.get(what) ?? 0) + 1)
    const live = room.connected()
    this.sums.most = Math.max(most, live.length)
    const someone = live[who % Math.max(live.length, 1)]
    if (live.length < 2 || what === 'join') {
      if (live.length < this.limit) await this.join()
    } else if (what === 'leave') room.leave(someone!)
    else if (what === 'vanish') room.vanish(someone!)
    else if (what === 'update') someone!.member.update()
    else if (what === 'crash') room.crash(someone!)
    else if (what === 'reload') await this.reload(someone!)
    else if (what === 'away') this.serviceGoes(500 + who)
    else if (what === 'forget') room.service = this.host.begin()
    else if (what === 'restart') this.serviceGoes(300, () => this.host.again(room.wallClock()))
    else if (what === 'break') this.breakNext(someone!)
    else this.reconnectSome(who)
  }

  /** All who are there agree, within the time and the entries that any of this may take. */
  async end(): Promise<void> {
    const { room } = this
    room.tamper = null
    room.network = { ...room.network, loss: 0, repeat: 0 }
    // The service may be away still.
    await room.run(1500)
    const endedAt = room.clock.now()
    const entries = room.service.log('room').length
    let waited = 0
    for (; waited < AGREED_MS && !this.isAgreed(); waited += STEP_MS) {
      await room.run(STEP_MS)
      expect(room.undecided(endedAt)).toEqual([])
    }
    const added = room.service.log('room').length - entries
    expect(added).toBeLessThanOrEqual(mostEntries(room.participants.length))
    const { lost, repeated, overtaken } = room.faults
    this.sums.lost += lost
    this.sums.repeated += repeated
    this.sums.overtaken += overtaken
    this.expectAgreement()
    // And it stays so.
    await room.run(10_000)
    this.expectAgreement()
  }

  private isAgreed(): boolean {
    const live = this.room.connected()
    const [first] = live
    return live.every(({ state, epochs }) => {
      if (state !== 'member' || epochs.length === 0) return false
      const { verificationCode, roster } = epochs.at(-1)!
      return verificationCode === first!.last.verificationCode && roster.length === live.length
    })
  }

  private expectAgreement(): void {
    const { room } = this
    const live = room.connected()
    expect(live.map(({ id, state, failure }) => [id, state, failure])).toEqual(
      live.map(({ id }) => [id, 'member', null]),
    )
    const codes = new Set(live.map(({ last }) => `${last.epoch} ${last.verificationCode}`))
    expect(codes.size).toBe(1)
    const members = live[0]!.last.roster.map(({ participantId }) => participantId).sort()
    expect(members).toEqual(live.map(({ id }) => id).sort())
    this.expectNoForkNorLaterSecret(live)
  }

  private expectNoForkNorLaterSecret(live: Participant[]): void {
    const newest = new Set(live.map(({ last }) => hex(last.baseKey)))
    expect(newest.size).toBe(1)
    for (const gone of this.room.participants) {
      if (gone.connected) continue
      for (const { baseKey } of gone.epochs) expect(newest.has(hex(baseKey))).toBe(false)
    }
  }

  private async reload(someone: Participant): Promise<void> {
    this.room.crash(someone)
    await this.join(someone.id)
  }

  private reconnectSome(who: number): void {
    const { room } = this
    const here = new Set(room.connected().map(({ id }) => id))
    const away = room.participants.filter(
      ({ id, connected, state, failure }) =>
        !connected && !here.has(id) && state !== 'left' && failure === null,
    )
    const back = away[who % Math.max(away.length, 1)]
    if (back !== undefined) room.reconnect(back)
  }

  /** Nothing reaches the service for a while. */
  private serviceGoes(ms: number, next?: () => Service): void {
    const { room } = this
    const { service } = room
    if (service instanceof Away) return
    const away = new Away(service)
    room.service = away
    room.clock.after(ms, () => {
      if (room.service === away) room.service = next?.() ?? service
    })
  }

  /** What someone commits next cannot be applied. */
  private breakNext(someone: Participant): void {
    this.room.tamper = (from, bytes) => {
      if (from !== someone) return bytes
      const decoded = decodeSubmission(bytes)
      if (decoded.kind !== 'commit') return bytes
      this.room.tamper = null
      const commit = decoded.commit.slice()
      commit[commit.length - 1]! ^= 1
      return encodeSubmission({ ...decoded, commit })
    }
    someone.member.update()
  }
}

class Away implements Service {
  private readonly service: Service

  constructor(service: Service) {
    this.service = service
  }

  submit() {
    return { accepted: false, reason: 'away' } as const
  }

  snapshot(room: string) {
    return this.service.snapshot(room)
  }

  log(room: string) {
    return this.service.log(room)
  }
}

/** How a service comes to be: with nothing, and again after its process ended. */
interface Host {
  begin(): Service
  again(now: number): Service
}

function plainHost(): Host {
  let service = new PlainService()
  const begin = () => {
    service = new PlainService()
    return service
  }
  return { begin, again: () => service }
}

/** The real service, whose process ends and takes up what it had stored. */
function realHost(): Host {
  let store = new MemoryRoomStore()
  const begin = () => {
    store = new MemoryRoomStore()
    return new Sequencer({}, { store })
  }
  const again = (now: number) => {
    const service = new Sequencer({}, { store })
    service.restore(now)
    return service
  }
  return { begin, again }
}

class MemoryRoomStore implements RoomStore {
  private readonly rooms = new Map<string, Uint8Array[]>()

  load() {
    return [...this.rooms].map(([room, records]) => ({ room, records: records.slice() }))
  }

  append(room: string, records: readonly Uint8Array[], done: StoreDone): void {
    this.rooms.set(room, [...(this.rooms.get(room) ?? []), ...records])
    done(null)
  }

  replace(room: string, record: Uint8Array, done: StoreDone): void {
    this.rooms.set(room, [record])
    done(null)
  }

  remove(room: string, done: StoreDone): void {
    this.rooms.delete(room)
    done(null)
  }

  size(room: string): number {
    return (this.rooms.get(room) ?? []).reduce((sum, { length }) => sum + length, 0)
  }
}

async function tell(
  plan: Plan,
  host: Host,
  cheap: boolean,
  sums: ReturnType<typeof tally>,
): Promise<void> {
  const story = new Story(plan, host, cheap, sums)
  // They come more or less at once.
  for (let i = 0; i < plan.people; i++) await story.join()
  for (const { what, who, wait } of plan.actions) {
    await story.act(what, who)
    await story.room.run(wait)
  }
  while (story.room.connected().length < 2) await story.join()
  await story.end()
}

const many = Number(process.env.SOTTO_RANDOM_RUNS ?? 200)
/** Of a run that fails, fast-check prints what leads back to it; to shrink it takes minutes. */
const runs = (numRuns: number, seed: number) => ({
  numRuns,
  seed,
  endOnFailure: true,
  noBias: true,
})

/** That the stories had what they are to be about. @param most people that were there at once */
function expectCovered(sums: ReturnType<typeof tally>, most: number): void {
  expect(sums.most).toBeGreaterThanOrEqual(most)
  expect([...sums.done.keys()].sort()).toEqual([...new Set(actions)].sort())
  for (const faults of [sums.lost, sums.repeated, sums.overtaken]) expect(faults).toBeGreaterThan(0)
}

describe('a room at random', () => {
  it('of up to six ends in one epoch, whatever happened, within bounds of time and commits', async () => {
    const sums = tally()
    const property = fc.asyncProperty(plans(2, 6, 14), (plan) =>
      tell(plan, plainHost(), true, sums),
    )
    await fc.assert(property, runs(many, 1))
    expectCovered(sums, 6)
  }, 600_000)

  it('of up to thirty does so, too', async () => {
    const sums = tally()
    const property = fc.asyncProperty(plans(7, 30, 30), (plan) =>
      tell(plan, plainHost(), true, sums),
    )
    await fc.assert(property, runs(Math.ceil(many / 20), 2))
    expectCovered(sums, 30)
  }, 600_000)

  it('with the real service and real keys does so, too', async () => {
    const sums = tally()
    const property = fc.asyncProperty(plans(2, 8, 10), (plan) =>
      tell(plan, realHost(), false, sums),
    )
    await fc.assert(property, runs(Math.ceil(many / 10), 3))
    expectCovered(sums, 8)
  }, 600_000)
})
