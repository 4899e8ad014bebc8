import { readdirSync, readFileSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  decodeLogEntry,
  decodeSnapshot,
  encodeSubmission,
  type LogEntry,
} from '../../moq/delivery/index.ts'
import { Sequencer, type SequencerSettings, type SubmitResult } from './index.ts'
import {
  addition,
  commit,
  encodeGroupInfo,
  found,
  groupInfoOf,
  type Handshake,
  join,
  privateCommit,
  removal,
} from './mls-fixture.ts'

const leave = encodeSubmission({ kind: 'leave' })
const ROOM = 'demo'
const START = 1_000_000

/** A room and a clock that the test moves. */
class Harness {
  readonly sequencer: Sequencer
  now = START

  constructor(settings?: Partial<SequencerSettings>) {
    this.sequencer = new Sequencer(settings)
  }

  submit(participant: string, submission: Uint8Array | Handshake): SubmitResult {
    const bytes = submission instanceof Uint8Array ? submission : submission.submission
    return this.sequencer.submit(ROOM, participant, bytes, this.now)
  }

  /** Submits what must be accepted; returns the decoded log entries that it adds. */
  accept(participant: string, submission: Uint8Array | Handshake): LogEntry[] {
    const result = this.submit(participant, submission)
    if (!result.accepted) throw new Error(`${result.reason}: ${result.detail}`)
    return result.records.map(({ bytes }) => decodeLogEntry(bytes))
  }

  refuse(participant: string, submission: Uint8Array | Handshake): string {
    const before = JSON.stringify(this.sequencer.dump()[0]?.members)
    const result = this.submit(participant, submission)
    expect(JSON.stringify(this.sequencer.dump()[0]?.members ?? [])).toBe(before ?? '[]')
    return result.accepted ? 'accepted' : result.reason
  }

  members(): readonly string[] {
    return this.sequencer.dump()[0]!.members
  }
}

function withGroupInfo(handshake: Handshake, groupInfo: Uint8Array): Uint8Array {
  return encodeSubmission({ kind: 'commit', commit: handshake.commit, groupInfo })
}

let ann: Handshake
let bob: Handshake
/** Ann is leaf 0, Bob leaf 1, epoch 1. */
function roomOfTwo(settings?: Partial<SequencerSettings>): Harness {
  const harness = new Harness(settings)
  harness.accept('ann', ann)
  harness.accept('bob', bob)
  return harness
}

beforeAll(async () => {
  ann = await found('ann')
  bob = await join('bob', ann.state)
})

describe('a new room', () => {
  it('has no snapshot until someone creates the group', () => {
    const harness = new Harness()
    expect(harness.sequencer.snapshot(ROOM)).toHaveLength(0)
    expect(harness.refuse('bob', bob)).toBe('no-group')
    expect(harness.refuse('bob', leave)).toBe('no-group')
    const [entry] = harness.accept('ann', ann)
    expect(entry).toMatchObject({
      kind: 'created',
      epoch: 0,
      participant: 'ann',
      suite: 'classical',
    })
    const snapshot = decodeSnapshot(harness.sequencer.snapshot(ROOM))!
    expect(snapshot).toMatchObject({ epoch: 0, suite: 'classical' })
    expect(snapshot.groupInfo).toEqual(ann.groupInfo)
  })

  it('takes the first of two creators', async () => {
    const harness = new Harness()
    harness.accept('ann', ann)
    expect(harness.refuse('bob', await found('bob', 'other'))).toBe('group-exists')
  })

  it('takes no group of a later epoch or of another suite', () => {
    const harness = new Harness()
    const later = encodeSubmission({ kind: 'create', suite: 'classical', groupInfo: bob.groupInfo })
    expect(harness.submit('ann', later)).toMatchObject({ reason: 'bad-group-info' })
    const renamed = encodeSubmission({ kind: 'create', suite: 'x-wing', groupInfo: ann.groupInfo })
    expect(harness.submit('ann', renamed)).toMatchObject({ reason: 'wrong-suite' })
  })
})

describe('order', () => {
  it('gives an epoch to the first valid commit and refuses the rest', async () => {
    const harness = new Harness()
    harness.accept('ann', ann)
    const cyn = await join('cyn', ann.state)
    const [entry] = harness.accept('bob', bob)
    expect(entry).toMatchObject({ kind: 'commit', epoch: 1, participant: 'bob' })
    expect(entry).toHaveProperty('commit', bob.commit)
    expect(harness.refuse('cyn', cyn)).toBe('stale-epoch')
    harness.accept('cyn', await join('cyn', bob.state))
    expect(harness.members()).toEqual(['ann', 'bob', 'cyn'])
    expect(decodeSnapshot(harness.sequencer.snapshot(ROOM))!.epoch).toBe(2)
  })

  it('numbers a log group an epoch, from the clock on', () => {
    const harness = roomOfTwo()
    harness.accept('bob', leave)
    const locations = harness.sequencer.log(ROOM).map(({ group, object }) => [group, object])
    expect(locations).toEqual([
      [START, 0],
      [START + 1, 0],
      [START + 1, 1],
    ])
    expect(decodeSnapshot(harness.sequencer.snapshot(ROOM))!.logGroup).toBe(START + 1)
  })

  it('never reuses a log group, even when a room begins again in the same millisecond', async () => {
    const harness = roomOfTwo()
    const used = harness.sequencer.log(ROOM).at(-1)!.group
    harness.accept('ann', leave)
    harness.accept('bob', leave)
    harness.accept('ann', await found('ann', 'again'))
    expect(harness.sequencer.log(ROOM)[0]!.group).toBeGreaterThan(used)
  })
})

describe('a submission that comes again', () => {
  it('is accepted and changes nothing, whether or not others came since', async () => {
    const harness = roomOfTwo()
    const { counters } = harness.sequencer
    expect(harness.accept('ann', ann)).toEqual([])
    expect(harness.accept('bob', bob)).toEqual([])
    harness.accept('cyn', await join('cyn', bob.state))
    expect(harness.accept('bob', bob)).toEqual([])
    expect(harness.accept('ann', leave)).toHaveLength(1)
    expect(harness.accept('ann', leave)).toEqual([])
    expect(harness.members()).toEqual(['ann', 'bob', 'cyn'])
    expect(counters.repeated).toBe(4)
    expect(counters.accepted).toEqual({ create: 1, commit: 2, leave: 1, report: 0 })
  })
})

describe('a commit is refused', () => {
  it('from someone who does not hold the leaf that sent it', async () => {
    const harness = roomOfTwo()
    const byBob = await commit(bob.state)
    expect(harness.refuse('ann', byBob)).toBe('not-a-member')
    expect(harness.refuse('eve', byBob)).toBe('not-a-member')
    harness.accept('bob', byBob)
  })

  it('with a credential that is not the submitter’s', async () => {
    const harness = roomOfTwo()
    expect(harness.refuse('eve', await join('cyn', bob.state))).toBe('wrong-identity')
  })

  it('for a second leaf of one participant, or in the place of another’s', async () => {
    const harness = roomOfTwo()
    expect(harness.refuse('bob', await join('bob', bob.state))).toBe('bad-resync')
    expect(harness.refuse('eve', await join('eve', bob.state, ann.state))).toBe('bad-resync')
    harness.accept('bob', await join('bob', bob.state, bob.state))
    expect(harness.members()).toEqual(['ann', 'bob'])
  })

  it('of another group', async () => {
    const harness = roomOfTwo()
    const elsewhere = await found('ann', 'elsewhere')
    const there = await join('bob', elsewhere.state)
    expect(harness.refuse('bob', there)).toBe('wrong-group')
  })

  it('with a GroupInfo that is not of the epoch it makes', async () => {
    const harness = roomOfTwo()
    const next = await commit(bob.state)
    expect(harness.refuse('bob', withGroupInfo(next, bob.groupInfo))).toBe('bad-group-info')
    expect(harness.refuse('bob', withGroupInfo(next, next.commit))).toBe('bad-group-info')
    const bare = { ...(await groupInfoOf(next.state)), extensions: [] }
    expect(harness.refuse('bob', withGroupInfo(next, encodeGroupInfo(bare)))).toBe('bad-group-info')
    const claimed = { ...(await groupInfoOf(next.state)), signer: 0 }
    expect(harness.refuse('bob', withGroupInfo(next, encodeGroupInfo(claimed)))).toBe(
      'bad-group-info',
    )
  })

  it('with proposals that rooms do not use', async () => {
    const harness = roomOfTwo()
    const adding = await commit(bob.state, [await addition('eve')])
    expect(harness.refuse('bob', adding)).toBe('bad-proposal')
  })

  it('when it is private, or is none', async () => {
    const harness = roomOfTwo()
    expect(harness.refuse('bob', await privateCommit(bob.state))).toBe('malformed')
    expect(harness.refuse('bob', withGroupInfo(ann, bob.groupInfo))).toBe('malformed')
    const info = encodeSubmission({
      kind: 'commit',
      commit: bob.groupInfo,
      groupInfo: bob.groupInfo,
    })
    expect(harness.refuse('bob', info)).toBe('malformed')
  })
})

describe('leaving', () => {
  it('is announced at once and repeated in the next epoch until the leaf is gone', async () => {
    const harness = roomOfTwo()
    expect(harness.accept('ann', leave)).toEqual([{ kind: 'left', epoch: 1, participant: 'ann' }])
    expect(harness.accept('ann', leave)).toEqual([])
    const cyn = await join('cyn', bob.state)
    expect(harness.accept('cyn', cyn).slice(1)).toEqual([
      { kind: 'left', epoch: 2, participant: 'ann' },
    ])
    const removed = await commit(cyn.state, [removal(0)])
    expect(harness.accept('cyn', removed).map(({ kind }) => kind)).toEqual(['commit'])
    expect(harness.members()).toEqual(['bob', 'cyn'])
  })

  it('takes the right to commit', async () => {
    const harness = roomOfTwo()
    harness.accept('bob', leave)
    expect(harness.refuse('bob', await commit(bob.state))).toBe('not-a-member')
    expect(harness.refuse('eve', leave)).toBe('not-a-member')
  })

  it('is undone by joining again', async () => {
    const harness = roomOfTwo()
    harness.accept('bob', leave)
    harness.accept('bob', await join('bob', bob.state, bob.state))
    expect(harness.sequencer.dump()[0]!.departed).toEqual([])
  })

  it('of the last member ends the group', () => {
    const harness = roomOfTwo()
    harness.accept('ann', leave)
    const result = harness.submit('bob', leave)
    expect(result).toMatchObject({ accepted: true, ended: true, snapshot: new Uint8Array(0) })
    expect(harness.sequencer.snapshot(ROOM)).toHaveLength(0)
    expect(harness.refuse('bob', bob)).toBe('no-group')
  })

  it('frees the leftmost leaf for the next one, as in MLS', async () => {
    const harness = roomOfTwo()
    const alone = await commit(bob.state, [removal(0)])
    harness.accept('bob', alone)
    const cyn = await join('cyn', alone.state)
    expect(cyn.state.privatePath.leafIndex).toBe(0)
    harness.accept('cyn', cyn)
    harness.accept('cyn', await commit(cyn.state))
    expect(harness.members()).toEqual(['bob', 'cyn'])
  })
})

describe('a deserted room', () => {
  it('ends after a while, unless someone comes back', () => {
    const harness = roomOfTwo({ emptyRoomMs: 1000 })
    const { sequencer } = harness
    sequencer.setPresent(ROOM, 'ann', false, START)
    expect(sequencer.sweep(START + 5000)).toEqual([])
    sequencer.setPresent(ROOM, 'bob', false, START + 5000)
    expect(sequencer.sweep(START + 5999)).toEqual([])
    sequencer.setPresent(ROOM, 'bob', true, START + 5999)
    expect(sequencer.sweep(START + 7000)).toEqual([])
    sequencer.setPresent(ROOM, 'bob', false, START + 7000)
    expect(sequencer.sweep(START + 8000)).toEqual([ROOM])
    expect(sequencer.snapshot(ROOM)).toHaveLength(0)
  })

  it('is forgotten once its limits are full again', () => {
    const harness = roomOfTwo()
    harness.accept('ann', leave)
    harness.accept('bob', leave)
    harness.sequencer.sweep(START + 60_000)
    expect(harness.sequencer.dump()).toEqual([])
  })
})

describe('limits', () => {
  it('hold for each member and for the room', () => {
    const member = roomOfTwo({ memberRate: { burst: 2, perSecond: 1 } })
    expect(member.refuse('bob', ann)).toBe('accepted')
    expect(member.refuse('bob', ann)).toBe('rate-limited')
    expect(member.refuse('ann', ann)).toBe('accepted')
    member.now += 1000
    expect(member.refuse('bob', ann)).toBe('accepted')
    expect(member.sequencer.counters.refused['rate-limited']).toBe(1)

    const room = roomOfTwo({ roomRate: { burst: 3, perSecond: 1 } })
    expect(room.refuse('cyn', leave)).toBe('not-a-member')
    expect(room.refuse('dan', leave)).toBe('rate-limited')
    expect(room.sequencer.counters.refused).toMatchObject({ 'not-a-member': 1, 'rate-limited': 1 })
  })

  it('hold for sizes, members, submitters and rooms', async () => {
    const small = new Harness({ limits: { commitBytes: 100, groupInfoBytes: 100 } })
    expect(small.refuse('ann', ann)).toBe('malformed')
    const two = roomOfTwo({ members: 2 })
    expect(two.refuse('cyn', await join('cyn', bob.state))).toBe('full')
    const crowded = roomOfTwo({ submitters: 2 })
    expect(crowded.refuse('cyn', leave)).toBe('full')
    const one = roomOfTwo({ rooms: 1 })
    expect(one.sequencer.submit('other', 'ann', ann.submission, START)).toMatchObject({
      reason: 'full',
    })
  })

  it('bound the log; the newest entries stay', () => {
    const harness = roomOfTwo({ logEntries: 2 })
    harness.accept('ann', leave)
    expect(harness.sequencer.log(ROOM).map(({ epoch, object }) => [epoch, object])).toEqual([
      [1, 0],
      [1, 1],
    ])
    const tight = roomOfTwo({ logBytes: 10 })
    expect(tight.sequencer.log(ROOM)).toHaveLength(1)
  })

  it('of the log never cost the newest GroupInfo, whose place in the log it tells', () => {
    const tight = roomOfTwo({ logEntries: 1 })
    tight.accept('ann', leave)
    const [kept, ...more] = tight.sequencer.log(ROOM)
    expect(more).toEqual([])
    const snapshot = decodeSnapshot(tight.sequencer.snapshot(ROOM))
    expect(snapshot).toMatchObject({ epoch: 1, logGroup: kept!.group })
    expect(snapshot!.groupInfo).toEqual(bob.groupInfo)
  })
})

describe('hostile bytes', () => {
  const settings = {
    memberRate: { burst: 1e9, perSecond: 1 },
    roomRate: { burst: 1e9, perSecond: 1 },
  }

  it('are refused and change nothing', () => {
    const harness = roomOfTwo(settings)
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const result = harness.submit('bob', bytes)
        expect(result.accepted ? 'accepted' : result.reason).toBe('malformed')
      }),
    )
  })

  it('within a commit or a GroupInfo never break the service', async () => {
    const next = await commit(bob.state)
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(edits, fc.boolean(), (changes, inCommit) => {
        const harness = roomOfTwo(settings)
        const target = (inCommit ? next.commit : next.groupInfo).slice()
        for (const [at, byte] of changes) target[at % target.length] = byte
        const bytes = inCommit
          ? encodeSubmission({ kind: 'commit', commit: target, groupInfo: next.groupInfo })
          : withGroupInfo(next, target)
        const result = harness.submit('bob', bytes)
        const { epoch, members } = harness.sequencer.dump()[0]!
        expect(epoch).toBe(result.accepted ? 2 : 1)
        expect(members).toEqual(['ann', 'bob'])
      }),
      { numRuns: 300 },
    )
  })
})

describe('the sources of the service', () => {
  /** Of ts-mls and of Node's cryptography, what works on public data alone. */
  const allowed = new Set([
    'createHash node:crypto',
    'createPublicKey node:crypto',
    'verify node:crypto',
    'decodeMlsMessage ts-mls/message.js',
    'encodeFramedContentTBS ts-mls/framedContent.js',
    'encodeGroupContext ts-mls/groupContext.js',
    'encodeGroupInfoTBS ts-mls/groupInfo.js',
    'encodeLeafNodeTBS ts-mls/leafNode.js',
    'encodeConfirmedTranscriptHashInput ts-mls/transcriptHash.js',
    'encodeLeafNodeHashInput ts-mls/treeHash.js',
    'encodeParentNodeHashInput ts-mls/treeHash.js',
    'addLeafNode ts-mls/ratchetTree.js',
    'decodeRatchetTree ts-mls/ratchetTree.js',
    'encodeRatchetTree ts-mls/ratchetTree.js',
    'filteredDirectPathAndCopathResolution ts-mls/ratchetTree.js',
    'removeLeafNode ts-mls/ratchetTree.js',
    'directPath ts-mls/treemath.js',
    'isLeaf ts-mls/treemath.js',
    'leafToNodeIndex ts-mls/treemath.js',
    'leafWidth ts-mls/treemath.js',
    'left ts-mls/treemath.js',
    'nodeToLeafIndex ts-mls/treemath.js',
    'right ts-mls/treemath.js',
    'rootFromNodeWidth ts-mls/treemath.js',
    'toLeafIndex ts-mls/treemath.js',
    'toNodeIndex ts-mls/treemath.js',
  ])

  it('use of ts-mls and node:crypto what works on public data, and nothing that holds a secret', () => {
    const sources = readdirSync(import.meta.dirname).filter(
      (name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'mls-fixture.ts',
    )
    expect(sources).toContain('public-crypto.ts')
    const imported = new Set<string>()
    for (const name of sources) {
      const text = readFileSync(joinPath(import.meta.dirname, name), 'utf8')
      expect(text, name).not.toMatch(/\bimport\(|\brequire\(|mls-fixture|client-lib|subtle/)
      for (const [, type, names, from] of text.matchAll(
        /(?:import|export)( type)? (\{[^}]*\}|\*[^']*|[\w, ]+) from '([^']+)'/g,
      )) {
        if (type !== undefined || !/mls|hpke|noble|crypto$/.test(from!) || from!.startsWith('.')) {
          continue
        }
        for (const item of names!.replace(/[{}]/g, '').split(',')) {
          const word = item.trim()
          if (word !== '' && !word.startsWith('type ')) imported.add(`${word} ${from}`)
        }
      }
    }
    expect([...imported].filter((item) => !allowed.has(item))).toEqual([])
    expect([...allowed].filter((item) => !imported.has(item))).toEqual([])
  })
})
