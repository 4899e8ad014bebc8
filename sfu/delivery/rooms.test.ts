import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { encodeSubmission, groupInfoTrack, logTrack } from '../../moq/delivery/index.ts'
import { type Session, TrackPublisher } from '../../moq/session/index.ts'
import { RequestCode } from '../../moq/wire/codes.ts'
import type { FetchRangeEnd } from '../../moq/wire/fetch.ts'
import type { FetchRange } from '../../moq/wire/messages.ts'
import { namespaceOf, textOf, trackOf } from '../../moq/wire/names.ts'
import type { GroupOrder } from '../../moq/wire/parameters.ts'
import { RelayWorld } from '../relay/test-world.ts'
import { DeliveryEndpoint } from './endpoint.ts'
import { Sequencer } from './index.ts'
import { found, type Handshake, join } from './mls-fixture.ts'

const ROOM = 'demo'
const START = 1_000_000
const leave = encodeSubmission({ kind: 'leave' })

let world: RelayWorld
let sequencer: Sequencer
let endpoint: DeliveryEndpoint
let refusals: string[]

function serve(): DeliveryEndpoint {
  return new DeliveryEndpoint({
    transport: world.connect(true),
    clock: world.clock,
    wallClock: () => START + world.clock.now(),
    sequencer,
    onRefused: ({ reason }) => refusals.push(reason),
  })
}

/** A participant that submits bytes and keeps what it gets of the log. */
class Participant {
  readonly session: Session
  readonly log: string[] = []
  private readonly mls = new TrackPublisher({ trackAlias: 0, priority: 0 })
  private group = 0

  constructor(id: string) {
    this.session = world.client({
      onSubscribe: (request) => {
        if (textOf(request.track.name) === 'mls') this.mls.accept(request)
        // The relay asks for reports, which this client does not make.
        else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
      },
    })
    this.session.publishNamespace(namespaceOf('sotto', ROOM, id), {})
    this.session.subscribe(
      logTrack(ROOM),
      { rendezvousTimeout: 5000 },
      { onObject: ({ group, object }) => this.log.push(at(group, object)) },
    )
  }

  async submit(what: Handshake | Uint8Array): Promise<void> {
    const payload = what instanceof Uint8Array ? what : what.submission
    this.mls.writeSnapshot(this.group++, new Uint8Array(0), payload)
    await world.settle()
  }

  /** Objects and ends of ranges, or the code of the refusal. */
  async fetch(range: FetchRange, groupOrder: GroupOrder = 'ascending'): Promise<unknown> {
    const got: string[] = []
    let result: unknown = 'no answer'
    const unknown = ({ group, object, kind }: FetchRangeEnd) =>
      got.push(`${kind} ${at(group, object)}`)
    this.session.fetch(
      range,
      {
        onRejected: (error) => {
          result = error.code
        },
        onObject: ({ group, object }) => got.push(at(group, object)),
        onRangeEnd: unknown,
        onEnd: () => {
          result = got
        },
        onReset: (code) => {
          result = `reset ${code}`
        },
      },
      { groupOrder },
    )
    await world.settle()
    return result
  }
}

const at = (group: number, object: number) =>
  `${group - START}/${object === Number.MAX_SAFE_INTEGER ? 'end' : object}`

const log = (start: [number, number], end: [number, number]): FetchRange => ({
  kind: 'standalone',
  track: logTrack(ROOM),
  start: { group: START + start[0], object: start[1] },
  end: { group: START + end[0], object: end[1] },
})

let ann: Handshake
let bob: Handshake
let cyn: Handshake

beforeAll(async () => {
  ann = await found('ann')
  bob = await join('bob', ann.state)
  cyn = await join('cyn', bob.state)
})

beforeEach(() => {
  world = new RelayWorld()
  sequencer = new Sequencer()
  refusals = []
  endpoint = serve()
})

/** Log: 0/0 created, 1/0 Bob, 1/1 Ann left, 2/0 Cyn, 2/1 Ann left. */
async function roomOfThree() {
  const [a, b, c] = ['ann', 'bob', 'cyn'].map((id) => new Participant(id))
  await world.settle()
  await a!.submit(ann)
  await b!.submit(bob)
  await a!.submit(leave)
  await c!.submit(cyn)
  return { a: a!, b: b!, c: c! }
}

const all = ['0/0', '1/0', '1/1', '2/0', '2/1']

describe('the log over a relay', () => {
  it('reaches whoever subscribes', async () => {
    const { b } = await roomOfThree()
    expect([...b.log].sort()).toEqual(all)
  })

  it('is fetched by whoever missed entries, from the relay or through it (section 10.12)', async () => {
    const { c } = await roomOfThree()
    expect(await c.fetch(log([0, 0], [2, 0]))).toEqual(all)
    expect(await c.fetch(log([1, 1], [2, 1]))).toEqual(['1/1', '2/0'])
    expect(await c.fetch(log([9, 0], [9, 0]))).toBe(RequestCode.INVALID_RANGE)
  })

  it('is fetched after the service lost its session and came back', async () => {
    const { b } = await roomOfThree()
    endpoint.close()
    await world.settle()
    serve()
    await world.settle()
    const late = new Participant('dan')
    await world.settle()
    expect(await late.fetch(log([0, 0], [2, 0]))).toEqual(all)
    await b.submit(leave)
    expect(late.log).toEqual(['2/2'])
  })
})

describe('a FETCH that a relay passes on, which has nothing of the log', () => {
  async function direct(logEntries = 256) {
    sequencer = new Sequencer({ logEntries })
    for (const [id, what] of [
      ['ann', ann.submission],
      ['bob', bob.submission],
      ['ann', leave],
      ['cyn', cyn.submission],
    ] as const) {
      sequencer.submit(ROOM, id, what, START)
    }
    world = new RelayWorld()
    serve()
    const client = new Participant('cyn')
    await world.settle()
    return client
  }

  it('is answered from the entries that are kept', async () => {
    const client = await direct()
    expect(await client.fetch(log([0, 0], [2, 0]))).toEqual(all)
  })

  it('tells what is no longer kept as unknown, in either order (section 11.4.4.2)', async () => {
    const client = await direct(3)
    expect(await client.fetch(log([0, 0], [2, 0]))).toEqual(['unknown 1/0', '1/1', '2/0', '2/1'])
    const descending = await client.fetch(log([0, 0], [2, 0]), 'descending')
    expect(descending).toEqual(expect.arrayContaining(['2/0', '2/1', '1/1']))
  })

  it('for the GroupInfo is refused: a new group has the newest', async () => {
    const client = await direct()
    const range = { ...log([0, 0], [2, 0]), track: groupInfoTrack(ROOM) } as FetchRange
    expect(await client.fetch(range)).toBe(RequestCode.NOT_SUPPORTED)
    const nowhere = {
      ...log([0, 0], [2, 0]),
      track: trackOf(namespaceOf('sotto', ROOM, '.mls'), 'x'),
    }
    expect(await client.fetch(nowhere as FetchRange)).toBe(RequestCode.DOES_NOT_EXIST)
  })
})

describe('members that are gone', () => {
  it('are not taken for gone while the service has no relay', async () => {
    await roomOfThree()
    endpoint.close()
    await world.settle()
    world.clock.advance(600_000)
    expect(sequencer.dump()[0]).toMatchObject({ epoch: 2 })
    serve()
    await world.settle()
    expect(sequencer.dump()[0]).toMatchObject({ absent: [] })
  })

  it('end the room after a while when they do not come back', async () => {
    const { a, b, c } = await roomOfThree()
    for (const { session } of [a, b, c]) session.close(0, 'gone')
    await world.settle()
    for (let i = 0; i < 14; i++) world.clock.advance(2000)
    expect(sequencer.dump()[0]).toMatchObject({ epoch: 2 })
    for (let i = 0; i < 3; i++) world.clock.advance(2000)
    expect(sequencer.snapshot(ROOM)).toHaveLength(0)
  })
})
