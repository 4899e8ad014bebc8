/** What is told when, while the disk takes its time: nothing before it is durable, and nothing stands still. */

import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { encodeSubmission, logTrack, submissionTrack } from '../../moq/delivery/index.ts'
import { TrackPublisher } from '../../moq/session/index.ts'
import { RequestCode } from '../../moq/wire/codes.ts'
import { namespaceOf, textOf, trackOf } from '../../moq/wire/names.ts'
import { RelayWorld } from '../relay/test-world.ts'
import { directFiles, SlowDisk } from './direct-store.ts'
import { DeliveryEndpoint } from './endpoint.ts'
import { FileStore, Sequencer, type SequencerSettings } from './index.ts'
import { commit, found, type Handshake, join, removal } from './mls-fixture.ts'

const ROOM = 'demo'
const START = 1_000_000
const leave = encodeSubmission({ kind: 'leave' })
const generous = { burst: 1e6, perSecond: 1 }

let folder: string
let disk: SlowDisk
let ann: Handshake
let bob: Handshake
let cyn: Handshake
/** For the epoch that Cyn's join is for, too. */
let bobs: Handshake

beforeAll(async () => {
  ann = await found('ann')
  bob = await join('bob', ann.state)
  cyn = await join('cyn', bob.state)
  bobs = await commit(bob.state, [removal(0)])
})

beforeEach(() => {
  folder = fs.mkdtempSync(joinPath(tmpdir(), 'sotto-durable-'))
  disk = new SlowDisk()
})

afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true })
})

class Service {
  readonly problems: string[] = []
  /** What was told, in order: the location of each entry, and answers. */
  readonly told: string[] = []
  readonly sequencer: Sequencer
  readonly store: FileStore

  constructor(settings: Partial<SequencerSettings> = {}, files = disk.files) {
    const store = FileStore.open(folder, { processId: process.pid, files })
    this.store = store
    this.sequencer = new Sequencer(
      { memberRate: generous, roomRate: generous, ...settings },
      { store, onProblem: (problem) => this.problems.push(problem) },
    )
    this.sequencer.restore(START)
    this.sequencer.follow((_, records) => {
      for (const { group, object } of records) this.told.push(`${group - START}/${object}`)
    })
  }

  put(participant: string, what: Handshake | Uint8Array): void {
    const bytes = what instanceof Uint8Array ? what : what.submission
    this.sequencer.offer(ROOM, participant, bytes, START, (result) =>
      this.told.push(`${participant}: ${result.accepted ? 'accepted' : result.reason}`),
    )
  }

  get log(): string[] {
    return this.sequencer.log(ROOM).map(({ group, object }) => `${group - START}/${object}`)
  }

  get locations(): string[] {
    return this.sequencer.log(ROOM).map(({ group, object }) => `${group}/${object}`)
  }

  get epoch(): number | null {
    return this.sequencer.dump()[0]?.epoch ?? null
  }
}

describe('a step', () => {
  it('is told to nobody before it is durable: no entry, no GroupInfo, no answer', () => {
    const service = new Service()
    service.put('ann', ann)
    expect(service.told).toEqual([])
    expect(service.sequencer.snapshot(ROOM)).toHaveLength(0)
    disk.finish()
    expect(service.told).toEqual(['0/0', 'ann: accepted'])
    const before = service.sequencer.snapshot(ROOM)
    service.put('bob', bob)
    expect(service.sequencer.snapshot(ROOM)).toEqual(before)
    expect(service.log).toEqual(['0/0'])
    expect(service.epoch).toBe(0)
    disk.finish()
    expect(service.told.slice(2)).toEqual(['1/0', 'bob: accepted'])
    expect(service.epoch).toBe(1)
  })

  it('waits with others that came meanwhile, and is written together with them', () => {
    const service = new Service()
    service.put('ann', ann)
    for (const [id, what] of [
      ['bob', bob],
      ['cyn', cyn],
      ['bob', bobs],
      ['ann', leave],
    ] as const)
      service.put(id, what)
    expect(service.sequencer.levels().waiting).toBe(4)
    disk.finishOne()
    disk.finishOne()
    expect(service.told).toEqual(['0/0', 'ann: accepted'])
    expect(disk.asked).toEqual(['fsync', 'fsync', 'fdatasync'])
    disk.finish()
    // The loser hears of it with the winner, not before.
    expect(service.told.slice(2)).toEqual([
      '1/0',
      'bob: accepted',
      '2/0',
      'cyn: accepted',
      'bob: stale-epoch',
      '2/1',
      'ann: accepted',
    ])
    expect(disk.asked).toEqual(['fsync', 'fsync', 'fdatasync'])
  })

  it('that ends the group lets the next one begin anew', () => {
    const service = new Service()
    service.put('ann', ann)
    disk.finish()
    service.put('ann', leave)
    service.put('ann', ann)
    disk.finish()
    expect(service.told).toEqual([
      '0/0',
      'ann: accepted',
      '0/1',
      'ann: accepted',
      '1/0',
      'ann: accepted',
    ])
    expect(new Service({}, directFiles).epoch).toBe(0)
  })

  it('that the disk refuses is as if it had not come, with all that follows from it', () => {
    const service = new Service()
    service.put('ann', ann)
    disk.finish()
    service.put('ann', Uint8Array.of(1))
    service.put('bob', bob)
    // These two wait for Bob's, and are written together: the second is refused because of the first.
    service.put('cyn', cyn)
    service.put('bob', bobs)
    disk.finishOne()
    disk.fail('EIO: i/o error')
    expect(service.told.slice(2)).toEqual([
      'ann: malformed',
      '1/0',
      'bob: accepted',
      'cyn: unavailable',
      'bob: unavailable',
    ])
    expect(service.problems).toEqual([expect.stringMatching(/cannot write .*EIO/)])
    expect(service.epoch).toBe(1)
    service.put('bob', bobs)
    disk.finish()
    expect(service.told.slice(-2)).toEqual(['2/0', 'bob: accepted'])
    expect(new Service({}, directFiles).epoch).toBe(2)
  })

  it('is refused when too much waits for the disk', () => {
    const service = new Service({ waiting: 2 })
    service.put('ann', ann)
    for (let i = 0; i < 3; i++) service.put('ann', leave)
    expect(service.told).toEqual(['ann: overloaded'])
    expect(service.sequencer.counters.refused.overloaded).toBe(1)
    disk.finish()
    expect(service.sequencer.levels().waiting).toBe(0)
  })

  it('is refused when too many bytes wait for the disk, and taken again when they are fewer', () => {
    const service = new Service({ waitingBytes: 200_000 })
    const large = new Uint8Array(150_000)
    service.put('ann', ann)
    service.put('bob', large)
    service.put('bob', large)
    expect(service.told).toEqual(['bob: overloaded'])
    disk.finish()
    service.told.length = 0
    service.put('bob', bob)
    service.put('bob', large)
    disk.finish()
    expect(service.told).toEqual(['1/0', 'bob: accepted', 'bob: malformed'])
  })

  it('waits while the file is written anew, and is behind it', () => {
    const service = new Service({ compactBytes: 1 })
    service.put('ann', ann)
    disk.finish()
    service.sequencer.sweep(START + 20_000)
    service.put('bob', bob)
    expect(service.epoch).toBe(0)
    disk.finish()
    expect(service.epoch).toBe(1)
    expect(new Service({}, directFiles).epoch).toBe(1)
  })

  it('keeps its room while it is under way, whatever the room is swept for', () => {
    const service = new Service({ emptyRoomMs: 1000 })
    service.put('ann', ann)
    expect(service.sequencer.sweep(START + 10_000_000)).toEqual([])
    disk.finish()
    expect(service.told).toEqual(['0/0', 'ann: accepted'])
  })
})

describe('a crash at any moment, with the file cut at any byte', () => {
  it('loses nothing that was told, and repeats no location with another content', async () => {
    const submissions = [
      { by: 'ann', what: ann },
      { by: 'bob', what: bob },
      { by: 'cyn', what: cyn },
      { by: 'bob', what: bobs },
      { by: 'cyn', what: await commit(cyn.state, [removal(0)]) },
      { by: 'ann', what: leave },
    ]
    const action = fc.oneof(
      { weight: 4, arbitrary: fc.nat(submissions.length - 1) },
      { weight: 2, arbitrary: fc.constant('sync' as const) },
      { weight: 1, arbitrary: fc.constant('fail' as const) },
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 20 }), fc.nat(), (actions, cut) => {
        fs.rmSync(folder, { recursive: true, force: true })
        disk = new SlowDisk()
        const service = new Service()
        const told = new Map<string, string>()
        let goodbyes = 0
        service.sequencer.follow((_, records) => {
          for (const { group, object, bytes } of records) {
            told.set(`${group}/${object}`, Buffer.from(bytes).toString('hex'))
          }
        })
        for (const one of actions) {
          if (one === 'sync') disk.finishOne()
          else if (one === 'fail') disk.fail('EIO')
          else {
            const { by, what } = submissions[one]!
            if (what === leave) goodbyes++
            service.put(by, what)
          }
        }
        const rooms = joinPath(folder, 'rooms')
        const durable = service.store.size(ROOM)
        // What was not synchronised may be on the disk, in part, or not.
        for (const name of fs.readdirSync(rooms)) {
          const path = joinPath(rooms, name)
          const most = fs.statSync(path).size
          fs.truncateSync(path, durable + (cut % (Math.max(0, most - durable) + 1)))
        }
        const after = new Service({}, directFiles)
        const kept = new Map(
          after.sequencer
            .log(ROOM)
            .map(({ group, object, bytes }) => [
              `${group}/${object}`,
              Buffer.from(bytes).toString('hex'),
            ]),
        )
        for (const [at, bytes] of told) expect(kept.get(at) ?? bytes).toBe(bytes)
        // A group that goes on has all that was told of it, unless what follows ended it.
        const isOver = service.epoch === null || kept.size === 0
        if (!isOver) expect([...kept.keys()]).toEqual(expect.arrayContaining(service.locations))
        // It ends where the last goodbye was on the disk and not told yet.
        if (kept.size === 0 && service.epoch !== null) expect(goodbyes).toBeGreaterThan(0)
      }),
      { numRuns: 150 },
    )
  }, 30_000)
})

describe('a relay whose disk takes long', () => {
  it('goes on forwarding media, and shows the handshake once it is durable', async () => {
    const world = new RelayWorld()
    const store = FileStore.open(folder, { processId: process.pid, files: disk.files })
    const endpoint = new DeliveryEndpoint({
      transport: world.connect(true),
      clock: world.clock,
      wallClock: () => START + world.clock.now(),
      sequencer: new Sequencer({}, { store }),
    })
    const mls = new TrackPublisher({ trackAlias: 0, priority: 0 })
    const sound = new TrackPublisher({ trackAlias: 1, priority: 0 })
    const mine = namespaceOf('sotto', ROOM, 'ann')
    const session = world.client({
      onSubscribe: (request) => {
        const name = textOf(request.track.name)
        if (name === textOf(submissionTrack(ROOM, 'ann').name)) mls.accept(request)
        else if (name === 'feed') sound.accept(request)
        // The relay asks for reports, which this client does not make.
        else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
      },
    })
    session.publishNamespace(mine, {})
    const entries: number[] = []
    const heard: number[] = []
    const other = world.client({})
    other.subscribe(
      logTrack(ROOM),
      { rendezvousTimeout: 5000 },
      { onObject: ({ object }) => entries.push(object) },
    )
    await world.settle()
    other.subscribe(trackOf(mine, 'feed'), {}, { onObject: ({ group }) => heard.push(group) })
    await world.settle()
    const none = new Uint8Array(0)
    mls.writeSnapshot(0, none, ann.submission)
    await world.settle()
    for (let group = 0; group < 5; group++) {
      sound.writeSnapshot(group, none, Uint8Array.of(1))
      await world.settle()
    }
    expect(disk.waiting).toHaveLength(1)
    expect(heard).toEqual([0, 1, 2, 3, 4])
    expect(entries).toEqual([])
    disk.finish()
    await world.settle()
    expect(entries).toEqual([0])
    endpoint.close()
  })
})
