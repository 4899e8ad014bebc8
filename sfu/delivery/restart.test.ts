import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { encodeSubmission } from '../../moq/delivery/index.ts'
import { DirectStore, directFiles } from './direct-store.ts'
import {
  FileStore,
  type RoomStore,
  Sequencer,
  type SequencerSettings,
  StorageError,
} from './index.ts'
import { commit, follow, found, type Handshake, join, removal, report } from './mls-fixture.ts'

const ROOM = 'demo'
const START = 1_000_000
const leave = encodeSubmission({ kind: 'leave' })
const generous = { burst: 1e6, perSecond: 1 }

let folder: string
let ann: Handshake
let bob: Handshake
let cyn: Handshake

function sequencer(settings: Partial<SequencerSettings> = {}, now = START): Sequencer {
  const store = FileStore.open(folder, { processId: process.pid, files: directFiles })
  const service = new Sequencer(
    { memberRate: generous, roomRate: generous, ...settings },
    { store },
  )
  service.restore(now)
  return service
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function state(service: Sequencer) {
  const rooms = service.dump().filter(({ epoch }) => epoch !== null)
  return {
    rooms: rooms.map((room) => ({ ...room, absent: [] })),
    log: service.log(ROOM).map((record) => ({ ...record, bytes: hex(record.bytes) })),
    snapshot: hex(service.snapshot(ROOM)),
  }
}

function put(service: Sequencer, participant: string, what: Handshake | Uint8Array, now = START) {
  const bytes = what instanceof Uint8Array ? what : what.submission
  return service.submit(ROOM, participant, bytes, now)
}

beforeEach(() => {
  folder = fs.mkdtempSync(joinPath(tmpdir(), 'sotto-restart-'))
})

afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true })
})

beforeAll(async () => {
  ann = await found('ann')
  bob = await join('bob', ann.state)
  cyn = await join('cyn', bob.state)
})

describe('a service that starts again', () => {
  it('goes on where it was: epoch, members, goodbyes, log and GroupInfo', async () => {
    const before = sequencer()
    for (const [id, what] of [
      ['ann', ann],
      ['bob', bob],
      ['cyn', cyn],
    ] as const)
      put(before, id, what)
    put(before, 'ann', leave)
    const after = sequencer()
    expect(state(after)).toEqual(state(before))
    expect(put(after, 'bob', bob)).toMatchObject({ accepted: true, records: [] })
    const next = await commit(cyn.state, [removal(0)])
    expect(put(after, 'cyn', next)).toMatchObject({ accepted: true })
    expect(state(sequencer()).rooms).toMatchObject([{ epoch: 3, members: ['bob', 'cyn'] }])
  })

  it('does so from a file that was written anew, too', () => {
    const before = sequencer({ compactBytes: 1 })
    for (const [id, what] of [
      ['ann', ann],
      ['bob', bob],
      ['cyn', cyn],
    ] as const)
      put(before, id, what)
    const [name] = fs.readdirSync(joinPath(folder, 'rooms'))
    const size = () => fs.statSync(joinPath(folder, 'rooms', name!)).size
    const written = size()
    before.sweep(START + 20_000)
    expect(size()).toBeLessThan(written)
    const after = sequencer()
    expect(state(after)).toEqual(state(before))
    put(after, 'ann', leave)
    expect(state(sequencer())).toEqual(state(after))
  })

  it('keeps a skipped commit skipped, and can still skip the newest one', async () => {
    const before = sequencer()
    for (const [id, what] of [
      ['ann', ann],
      ['bob', bob],
    ] as const)
      put(before, id, what)
    const bobs = await commit(bob.state)
    put(before, 'bob', bobs)
    const annAt1 = await follow(ann.state, bob)
    const after = sequencer()
    after.setPresent(ROOM, 'ann', true, START)
    expect(put(after, 'ann', await report(annAt1, bobs))).toMatchObject({ accepted: true })
    expect(after.dump()[0]).toMatchObject({ epoch: 1 })
    const third = sequencer()
    expect(state(third)).toEqual(state(after))
    expect(put(third, 'bob', bobs)).toMatchObject({ reason: 'skipped' })
    expect(put(third, 'ann', await commit(annAt1))).toMatchObject({ accepted: true })
  })

  it('waits for the members to come back, and ends the room when none does', () => {
    put(sequencer(), 'ann', ann)
    const now = START + 3_600_000
    const after = sequencer({ emptyRoomMs: 1000 }, now)
    expect(after.sweep(now + 999)).toEqual([])
    expect(after.sweep(now + 1000)).toEqual([ROOM])
    expect(fs.readdirSync(joinPath(folder, 'rooms'))).toEqual([])
  })

  it('has nothing of a room that is over', () => {
    const service = sequencer()
    put(service, 'ann', ann)
    put(service, 'ann', leave)
    expect(fs.readdirSync(joinPath(folder, 'rooms'))).toEqual([])
    expect(sequencer().dump()).toEqual([])
  })

  it('says which room it cannot take up, and goes on with the others', () => {
    put(sequencer(), 'ann', ann)
    new DirectStore(folder, { processId: process.pid }).append('odd', Uint8Array.of(9, 9))
    const problems: string[] = []
    const service = new Sequencer(
      {},
      {
        store: FileStore.open(folder, { processId: process.pid }),
        onProblem: (p) => problems.push(p),
      },
    )
    expect(service.restore(START)).toBe(1)
    expect(problems).toEqual([expect.stringMatching(/room odd cannot be taken up/)])
  })
})

describe('what a service keeps', () => {
  it('holds no secret of any member', () => {
    const service = sequencer({ compactBytes: 1 })
    for (const [id, what] of [
      ['ann', ann],
      ['bob', bob],
      ['cyn', cyn],
    ] as const)
      put(service, id, what)
    const files = () =>
      fs
        .readdirSync(joinPath(folder, 'rooms'))
        .map((name) => fs.readFileSync(joinPath(folder, 'rooms', name)))
    const kept = [...files()]
    service.sweep(START + 20_000)
    kept.push(...files(), Buffer.from(JSON.stringify(service.dump())))
    const secrets: Uint8Array[] = []
    for (const { state } of [ann, bob, cyn]) {
      const { privatePath, keySchedule, signaturePrivateKey } = state
      secrets.push(signaturePrivateKey, ...Object.values(privatePath.privateKeys))
      secrets.push(...Object.values(keySchedule).filter((value) => value instanceof Uint8Array))
    }
    expect(secrets.length).toBeGreaterThan(20)
    for (const bytes of kept) {
      for (const secret of secrets) {
        expect(secret.length).toBeGreaterThan(15)
        expect(bytes.includes(Buffer.from(secret))).toBe(false)
      }
    }
    // The search would find what is there.
    expect(kept[0]!.includes(Buffer.from(cyn.groupInfo))).toBe(true)
  })
})

describe('a disk that is full', () => {
  it('refuses the submission, counts it, and changes nothing; later it goes on', () => {
    let full = false
    const records: Uint8Array[] = []
    const store: RoomStore = {
      load: () => [],
      append(_, more, done) {
        if (!full) records.push(...more)
        done(full ? new StorageError('cannot write x: no space left on device') : null)
      },
      replace() {},
      remove() {},
      size: () => 0,
    }
    const problems: string[] = []
    const service = new Sequencer({}, { store, onProblem: (problem) => problems.push(problem) })
    put(service, 'ann', ann)
    full = true
    const before = state(service)
    for (const what of [bob, leave]) {
      const by = what === leave ? 'ann' : 'bob'
      expect(put(service, by, what)).toMatchObject({ accepted: false, reason: 'unavailable' })
    }
    expect(state(service)).toEqual(before)
    expect(service.counters).toMatchObject({ storageFailures: 2, refused: { unavailable: 2 } })
    expect(problems).toEqual(Array(2).fill('cannot write x: no space left on device'))
    full = false
    expect(put(service, 'bob', bob)).toMatchObject({ accepted: true })
    expect(records).toHaveLength(2)
  })
})

describe('whatever comes, in whatever order, with restarts in between', () => {
  /** A tree of handshakes: each epoch has several commits, one of which can win. */
  async function handshakes() {
    return [
      { by: 'ann', what: ann },
      { by: 'bob', what: bob },
      { by: 'eve', what: await join('eve', ann.state) },
      { by: 'cyn', what: cyn },
      { by: 'bob', what: await commit(bob.state) },
      { by: 'cyn', what: await commit(cyn.state, [removal(0)]) },
      { by: 'ann', what: leave },
      { by: 'bob', what: leave },
      { by: 'eve', what: Uint8Array.of(1, 2, 3) },
      { by: 'eve', what: bob },
    ]
  }

  it('the service is as a model says, and a restart changes nothing', async () => {
    const submissions = await handshakes()
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.nat(submissions.length - 1) },
      { weight: 1, arbitrary: fc.constant('restart' as const) },
      { weight: 1, arbitrary: fc.constant('compact' as const) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        fs.rmSync(folder, { recursive: true, force: true })
        let now = START
        let service = sequencer({ compactBytes: 1 })
        // The model: the chain of handshakes that were accepted, who said goodbye.
        let chain: Handshake[] = []
        let departed = new Set<string>()
        let published: string[] = []
        for (const action of steps) {
          now += 1
          if (action === 'restart') {
            const before = state(service)
            service = sequencer({ compactBytes: 1 }, now)
            for (const { members } of service.dump()) {
              for (const id of members) service.setPresent(ROOM, id, true, now)
            }
            expect(state(service)).toEqual(before)
            continue
          }
          if (action === 'compact') {
            now += 20_000
            service.sweep(now)
            continue
          }
          const { by, what } = submissions[action]!
          const result = put(service, by, what, now)
          const members = service.dump()[0]?.members ?? []
          if (result.accepted) {
            for (const { group, object, bytes } of result.records) {
              const at = `${group}/${object}`
              // A location never has two contents.
              expect(published).not.toContain(at)
              published = [...published, at]
              expect(bytes.length).toBeGreaterThan(0)
            }
            if (result.records.length > 0 && what instanceof Uint8Array) departed.add(by)
            else if (result.records.length > 0) chain = [...chain, what as Handshake]
            if (result.ended) {
              chain = []
              departed = new Set()
              expect(service.snapshot(ROOM)).toHaveLength(0)
            }
          }
          const expected = chain.at(-1)
          expect(service.dump()[0]?.epoch ?? null).toBe(expected ? chain.length - 1 : null)
          if (expected) {
            expect(Number(expected.state.groupContext.epoch)).toBe(chain.length - 1)
            for (const id of departed) if (!members.includes(id)) departed.delete(id)
            expect(new Set(service.dump()[0]!.departed)).toEqual(departed)
          }
        }
      }),
      { numRuns: 60 },
    )
  }, 60_000)
})
