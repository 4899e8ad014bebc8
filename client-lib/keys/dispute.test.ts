import { sha256 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import {
  type CommitEntry,
  decodeLogEntry,
  decodeSubmission,
  encodeLogEntry,
  encodeSubmission,
  REPORT_LABEL,
  reportContent,
} from '../../moq/delivery/index.ts'
import { Sequencer } from '../../sfu/delivery/sequencer.ts'
import { type Participant, SimulatedRoom } from './simulated-room.ts'

const codes = ({ alarms }: Participant): string[] => alarms.map(({ code }) => code)

async function roomOf(...ids: string[]) {
  const sequencer = new Sequencer()
  const room = new SimulatedRoom(sequencer, 'classical', 9)
  for (const id of ids) {
    room.join(id)
    await room.run(2000)
  }
  return { room, sequencer, people: room.participants }
}

/** Changes the membership tag (RFC 9420 section 6.2), which only members can check. */
function breakTag(submission: Uint8Array): Uint8Array {
  const decoded = decodeSubmission(submission)
  if (decoded.kind !== 'commit') return submission
  const commit = decoded.commit.slice()
  commit[commit.length - 1]! ^= 1
  return encodeSubmission({ ...decoded, commit })
}

function expectOneGroup(room: SimulatedRoom): void {
  const live = room.connected()
  expect(live.map(({ state, failure }) => [state, failure])).toEqual(
    live.map(() => ['member', null]),
  )
  expect(new Set(live.map(({ last }) => last.verificationCode)).size).toBe(1)
  expect(live[0]!.last.roster).toHaveLength(live.length)
}

function commitsIn(sequencer: Sequencer): CommitEntry[] {
  return sequencer
    .log('room')
    .map(({ bytes }) => decodeLogEntry(bytes))
    .filter((entry) => entry.kind === 'commit')
}

/** Nothing had been made on the commit. */
const alone = { transcript: new Uint8Array(32), undone: [] }

describe('a commit that the service takes and nobody can apply', () => {
  it('is reported and taken back, told to all, and the group goes on', async () => {
    const { room, people } = await roomOf('ann', 'bob', 'cyn', 'eve')
    const [ann, bob, cyn, eve] = people
    room.tamper = (from, bytes) => (from === eve ? breakTag(bytes) : bytes)
    const before = ann!.last
    eve!.member.update()
    await room.run(200)
    room.tamper = null
    for (const { member } of [ann!, bob!, cyn!]) expect(member.dump().rejoins).toBe(0)
    await room.run(20_000)
    for (const honest of [ann!, bob!, cyn!]) {
      expect(codes(honest)).toEqual(['commit-disputed', 'commit-skipped'])
      expect(honest.alarms.at(-1)!.message).toContain('eve')
      // Never left the group: the keys of media went on.
      expect(honest.states.at(-1)).toBe('member')
      expect(honest.states.filter((state) => state === 'waiting')).toEqual([])
    }
    expectOneGroup(room)
    expect(ann!.last.epoch).toBeGreaterThan(before.epoch)
  })

  it('is followed by a commit of some member, which brings another GroupInfo', async () => {
    const { room, people } = await roomOf('ann', 'bob', 'cyn')
    const [ann, , cyn] = people
    room.tamper = (from, bytes) => (from === cyn ? breakTag(bytes) : bytes)
    cyn!.member.update()
    await room.run(500)
    room.vanish(cyn!)
    await room.run(2000)
    expect(ann!.epochs.map(({ epoch, reason }) => [epoch, reason]).at(-1)).toEqual([3, 'updated'])
  })

  it('is taken back in a group of two by the word of the other', async () => {
    const { room, people } = await roomOf('ann', 'eve')
    room.tamper = (from, bytes) => (from.id === 'eve' ? breakTag(bytes) : bytes)
    people[1]!.member.update()
    await room.run(500)
    room.tamper = null
    expect(codes(people[0]!)).toEqual(['commit-disputed', 'commit-skipped'])
    await room.run(20_000)
    expectOneGroup(room)
  })

  it('does not lose the commit that another member had ready', async () => {
    const { room, people } = await roomOf('ann', 'bob', 'cyn', 'eve')
    const [ann, , , eve] = people
    room.tamper = (from, bytes) => (from === eve ? breakTag(bytes) : bytes)
    eve!.member.update()
    await room.run(40)
    room.tamper = null
    ann!.member.update()
    await room.run(20_000)
    expectOneGroup(room)
    expect(codes(ann!)).toContain('commit-skipped')
  })
})

describe('a commit that one member alone cannot apply', () => {
  it('costs that member a new join, after it waited for the others', async () => {
    const { room, people } = await roomOf('ann', 'bob', 'cyn')
    const [ann, bob, cyn] = people
    const { epoch } = ann!.last
    const { member } = cyn!
    const take = member.onLogEntry.bind(member)
    member.onLogEntry = (payload) => {
      const entry = decodeLogEntry(payload)
      if (entry.kind !== 'commit' || entry.epoch !== epoch + 1) return take(payload)
      const commit = entry.commit.slice()
      commit[commit.length - 1]! ^= 1
      take(encodeLogEntry({ ...entry, commit }))
    }
    ann!.member.update()
    await room.run(3000)
    expect(cyn!.states.at(-1)).toBe('member')
    await room.run(20_000)
    expect(codes(cyn!)).toEqual(['commit-disputed', 'rejoining'])
    expect(codes(bob!)).toEqual([])
    expectOneGroup(room)
  })
})

describe('a commit that a member has applied', () => {
  /** Ann's newest commit, and what a report of it signs. */
  async function applied() {
    const { room, sequencer, people } = await roomOf('ann', 'bob', 'cyn')
    people[0]!.member.update()
    await room.run(1000)
    const { epoch, commit } = commitsIn(sequencer).at(-1)!
    const created = decodeLogEntry(sequencer.log('room')[0]!.bytes)
    if (created.kind !== 'created') throw new Error('no group')
    const commitHash = sha256(commit)
    const content = reportContent(created.groupId, epoch, commitHash)
    const report = async (who: Participant) => ({
      leaf: who.last.leaf,
      signature: await who.member.sign(REPORT_LABEL, content),
    })
    const entry = { kind: 'skipped', epoch, participant: 'ann', commitHash, ...alone } as const
    return { room, people, entry, report }
  }

  it('stays when the service takes it back with nobody behind that', async () => {
    const { room, people, entry, report } = await applied()
    const [ann, bob, cyn] = people
    const byOne = await report(ann!)
    for (const reports of [[], [byOne], [{ ...byOne, leaf: 2 }]]) {
      bob!.member.onLogEntry(encodeLogEntry({ ...entry, reports }))
    }
    await room.run(5000)
    expect(codes(bob!)).toEqual(['skip-refused', 'skip-refused', 'skip-refused'])
    expect(bob!.last.verificationCode).toBe(cyn!.last.verificationCode)
    expect(bob!.state).toBe('member')
  })

  it('is given up for the signed word of most of those who were to apply it', async () => {
    const { room, people, entry, report } = await applied()
    const [ann, bob, cyn] = people
    const reports = [await report(bob!), await report(cyn!)]
    ann!.member.onLogEntry(encodeLogEntry({ ...entry, reports }))
    await room.run(5000)
    expect(codes(ann!)).toEqual(['commit-skipped'])
    expect(ann!.alarms[0]!.epoch).toBe(entry.epoch)
    expect(ann!.states.at(-1)).toBe('member')
    expectOneGroup(room)
  })

  it('is not touched when another commit for its epoch was taken back before it', async () => {
    const { room, people, entry } = await applied()
    const [, bob] = people
    const commitHash = new Uint8Array(32).fill(7)
    bob!.member.onLogEntry(encodeLogEntry({ ...entry, commitHash, reports: [] }))
    await room.run(5000)
    expect(codes(bob!)).toEqual([])
    expectOneGroup(room)
  })
})
