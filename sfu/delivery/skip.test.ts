import { beforeAll, describe, expect, it } from 'vitest'
import {
  decodeLogEntry,
  decodeSnapshot,
  encodeSubmission,
  type LogEntry,
} from '../../moq/delivery/index.ts'
import { Sequencer } from './index.ts'
import { commit, follow, found, type Handshake, join, removal, report } from './mls-fixture.ts'
import { sha256 } from './public-crypto.ts'

const ROOM = 'demo'
const START = 1_000_000
const settleMs = 15_000
const leave = encodeSubmission({ kind: 'leave' })

type State = Handshake['state']

class Harness {
  readonly sequencer = new Sequencer({ memberRate: { burst: 100, perSecond: 1 } })
  now = START

  submit(participant: string, what: Handshake | Uint8Array): LogEntry[] | string {
    const bytes = what instanceof Uint8Array ? what : what.submission
    const result = this.sequencer.submit(ROOM, participant, bytes, this.now)
    return result.accepted
      ? result.records.map((record) => decodeLogEntry(record.bytes))
      : result.reason
  }

  get room() {
    return this.sequencer.dump()[0]!
  }

  locations(): (readonly [number, number, string])[] {
    return this.sequencer
      .log(ROOM)
      .map(({ group, object, bytes }) => [group - START, object, decodeLogEntry(bytes).kind])
  }
}

let ann: Handshake
let bob: Handshake
let cyn: Handshake
let dan: Handshake
/** States of each at epoch 3. */
const at = {} as Record<'ann' | 'bob' | 'cyn' | 'dan', State>

/** Ann, Bob, Cyn and Dan at epoch 3, which is settled. */
function roomOfFour(): Harness {
  const harness = new Harness()
  harness.submit('ann', ann)
  harness.submit('bob', bob)
  harness.submit('cyn', cyn)
  expect(harness.submit('dan', dan)).toHaveLength(1)
  harness.now += settleMs
  return harness
}

beforeAll(async () => {
  ann = await found('ann')
  bob = await join('bob', ann.state)
  cyn = await join('cyn', bob.state)
  dan = await join('dan', cyn.state)
  at.ann = await follow(await follow(await follow(ann.state, bob), cyn), dan)
  at.bob = await follow(await follow(bob.state, cyn), dan)
  at.cyn = await follow(cyn.state, dan)
  at.dan = dan.state
})

describe('a commit that members cannot apply', () => {
  it('is skipped when more than half of those who were to apply it say so, and the log shows it', async () => {
    const harness = roomOfFour()
    const bad = await commit(at.ann)
    harness.submit('ann', bad)
    expect(harness.submit('bob', await report(at.bob, bad))).toEqual([])
    expect(harness.room.epoch).toBe(4)
    const [skipped, ...more] = harness.submit('cyn', await report(at.cyn, bad))
    expect(more).toEqual([])
    expect(skipped).toMatchObject({
      kind: 'skipped',
      epoch: 4,
      participant: 'ann',
      commitHash: Uint8Array.from(sha256(bad.commit)),
      reports: [{ leaf: 1 }, { leaf: 2 }],
    })
    expect(harness.room).toMatchObject({ epoch: 3, members: ['ann', 'bob', 'cyn', 'dan'] })
    expect(harness.sequencer.counters.skipped).toBe(1)
    // The next commit makes epoch 4 anew, in a group of its own.
    expect(harness.submit('dan', await commit(at.dan))).toMatchObject([{ epoch: 4 }])
    expect(harness.locations().slice(-3)).toEqual([
      [4, 0, 'commit'],
      [4, 1, 'skipped'],
      [5, 0, 'commit'],
    ])
    expect(decodeSnapshot(harness.sequencer.snapshot(ROOM))).toMatchObject({
      epoch: 4,
      logGroup: START + 5,
    })
  })

  it('does not come back: neither the same bytes nor, for a growing while, its committer', async () => {
    const harness = roomOfFour()
    const skip = async (state: State) => {
      const bad = await commit(state)
      expect(harness.submit('ann', bad)).toHaveLength(1)
      harness.submit('bob', await report(at.bob, bad))
      expect(harness.submit('cyn', await report(at.cyn, bad))).toHaveLength(1)
      return bad
    }
    const first = await skip(at.ann)
    expect(harness.submit('ann', first)).toBe('skipped')
    expect(harness.submit('ann', await commit(at.ann))).toBe('barred')
    expect(harness.submit('dan', await report(at.dan, first))).toEqual([])
    harness.now += 2000
    await skip(at.ann)
    harness.now += 2000
    expect(harness.submit('ann', await commit(at.ann))).toBe('barred')
    harness.now += 2000
    await skip(at.ann)
    expect(harness.submit('bob', await commit(at.bob))).toHaveLength(1)
  })

  it('takes with it what was made on top, and brings removed members back', async () => {
    const harness = roomOfFour()
    const bad = await commit(at.ann, [removal(3)])
    harness.submit('ann', bad)
    const eve = await join('eve', bad.state)
    expect(harness.submit('eve', eve)).toHaveLength(1)
    expect(harness.submit('cyn', leave)).toHaveLength(1)
    expect(harness.room.members).toEqual(['ann', 'bob', 'cyn', 'eve'])
    // Cyn said goodbye, Dan was to be removed: Bob alone may report.
    expect(harness.submit('dan', await report(at.dan, bad))).toBe('not-a-member')
    expect(harness.submit('bob', await report(at.bob, bad))).toMatchObject([
      { kind: 'skipped', epoch: 4 },
      { kind: 'left', epoch: 3, participant: 'cyn' },
    ])
    expect(harness.room).toMatchObject({ epoch: 3, departed: ['cyn'] })
    expect(harness.room.members).toEqual(['ann', 'bob', 'cyn', 'dan'])
    expect(harness.submit('eve', eve)).toBe('skipped')
  })

  it('that lets a newcomer in is skipped the same way', async () => {
    const harness = roomOfFour()
    const eve = await join('eve', at.dan)
    harness.submit('eve', eve)
    harness.submit('ann', await report(at.ann, eve))
    harness.submit('bob', await report(at.bob, eve))
    expect(harness.room.members).toContain('eve')
    expect(harness.submit('cyn', await report(at.cyn, eve))).toHaveLength(1)
    expect(harness.room.members).not.toContain('eve')
  })
})

describe('a report does not count', () => {
  it('from the committer, from a newcomer, or from nobody of the group', async () => {
    const harness = roomOfFour()
    const bad = await commit(at.ann)
    harness.submit('ann', bad)
    const eve = await join('eve', bad.state)
    harness.submit('eve', eve)
    for (const id of ['ann', 'eve', 'fay']) {
      expect(harness.submit(id, await report(at.ann, bad))).toBe('not-a-member')
    }
    expect(harness.room.epoch).toBe(5)
  })

  it('unless the reporter signed it', async () => {
    const harness = roomOfFour()
    const bad = await commit(at.ann)
    harness.submit('ann', bad)
    expect(harness.submit('bob', await report(at.cyn, bad))).toBe('bad-signature')
    expect(harness.submit('bob', await report(at.bob, bad, 'Other'))).toBe('bad-signature')
  })

  it('twice, so that one member cannot skip a commit of a larger group', async () => {
    const harness = roomOfFour()
    const good = await commit(at.ann)
    harness.submit('ann', good)
    const lie = await report(at.bob, good)
    for (let i = 0; i < 5; i++) expect(harness.submit('bob', lie)).toEqual([])
    expect(harness.room.epoch).toBe(4)
  })

  it('of somebody who committed on top of it, and so took it as good', async () => {
    const harness = roomOfFour()
    const good = await commit(at.ann)
    harness.submit('ann', good)
    const bobAfter = await follow(at.bob, good)
    harness.submit('bob', await commit(bobAfter))
    expect(harness.submit('bob', await report(at.bob, good))).toBe('not-a-member')
    harness.submit('cyn', await report(at.cyn, good))
    expect(harness.room.epoch).toBe(5)
    expect(harness.submit('dan', await report(at.dan, good))).toHaveLength(1)
    expect(harness.room.epoch).toBe(3)
  })

  it('when the commit is settled', async () => {
    const harness = roomOfFour()
    const good = await commit(at.ann)
    harness.submit('ann', good)
    harness.now += settleMs
    expect(harness.submit('bob', await report(at.bob, good))).toBe('stale-epoch')
  })

  it('of members that are gone: those who are there decide', async () => {
    const harness = roomOfFour()
    const bad = await commit(at.ann)
    harness.submit('ann', bad)
    for (const id of ['cyn', 'dan']) harness.sequencer.setPresent(ROOM, id, false, harness.now)
    expect(harness.submit('bob', await report(at.bob, bad))).toHaveLength(1)
  })
})
