/**
 * Rooms at random: people come, leave, crash, come back, renew their keys, over a network that loses,
 * delays, repeats and reorders, to a service that is away for a while or takes broken commits. Whatever
 * happens, all who are there end in one epoch.
 */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeSubmission, encodeSubmission } from '../../moq/delivery/index.ts'
import { Sequencer } from '../../sfu/delivery/sequencer.ts'
import { cheapCrypto } from './cheap-crypto.ts'
import type { MemberOptions } from './member-types.ts'
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

const action = fc.record({
  what: fc.constantFrom<Action>(
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
  ),
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

class Story {
  readonly room: SimulatedRoom
  private readonly options: Partial<MemberOptions>
  private readonly store = new MemoryStateStore()
  private readonly stored = new Set<string>()
  private readonly limit: number
  private readonly makeService: () => Service
  private number = 0

  constructor(plan: Plan, makeService: () => Service, cheap: boolean) {
    const { seed, loss, repeat, maxDelayMs } = plan
    this.room = new SimulatedRoom(makeService(), 'classical', seed, { loss, repeat, maxDelayMs })
    this.makeService = makeService
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
    const live = room.connected()
    const someone = live[who % Math.max(live.length, 1)]
    if (live.length < 2 || what === 'join') {
      if (live.length < this.limit) await this.join()
    } else if (what === 'leave') room.leave(someone!)
    else if (what === 'vanish') room.vanish(someone!)
    else if (what === 'update') someone!.member.update()
    else if (what === 'crash') room.crash(someone!)
    else if (what === 'reload') await this.reload(someone!)
    else if (what === 'away') this.serviceGoes(500 + who)
    else if (what === 'forget') room.service = this.makeService()
    else if (what === 'break') this.breakNext(someone!)
    else this.reconnectSome(who)
  }

  /** All who are there agree, within the time that any of this may take. */
  async end(): Promise<void> {
    const { room } = this
    room.tamper = null
    room.network = { ...room.network, loss: 0, repeat: 0 }
    await room.run(90_000)
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
  private serviceGoes(ms: number): void {
    const { room } = this
    const { service } = room
    if (service instanceof Away) return
    const away = new Away(service)
    room.service = away
    room.clock.after(ms, () => {
      if (room.service === away) room.service = service
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

async function tell(plan: Plan, makeService: () => Service, cheap: boolean): Promise<void> {
  const story = new Story(plan, makeService, cheap)
  // They come more or less at once.
  const crowd = Math.max(1, Math.floor(plan.people / 2))
  for (let i = 0; i < crowd; i++) await story.join()
  for (const { what, who, wait } of plan.actions) {
    await story.act(what, who)
    await story.room.run(wait)
  }
  while (story.room.connected().length < 2) await story.join()
  await story.end()
}

const plain = () => new PlainService()
const many = Number(process.env.SOTTO_RANDOM_RUNS ?? 200)
/** Of a run that fails, fast-check prints what leads back to it; to shrink it takes minutes. */
const runs = (numRuns: number, seed: number) => ({ numRuns, seed, endOnFailure: true })

describe('a room at random', () => {
  it('of up to six ends in one epoch, whatever happened', async () => {
    const property = fc.asyncProperty(plans(2, 6, 14), (plan) => tell(plan, plain, true))
    await fc.assert(property, runs(many, 1))
  }, 600_000)

  it('of up to thirty does so, too', async () => {
    const property = fc.asyncProperty(plans(15, 30, 40), (plan) => tell(plan, plain, true))
    await fc.assert(property, runs(Math.ceil(many / 50), 2))
  }, 600_000)

  it('with the real service and real keys does so, too', async () => {
    const real = () => new Sequencer()
    const property = fc.asyncProperty(plans(2, 5, 10), (plan) => tell(plan, real, false))
    await fc.assert(property, runs(Math.ceil(many / 10), 3))
  }, 600_000)
})
