/**
 * A group may take a commit back that most of its members cannot apply. The service can say so too, to
 * have a fork forgotten: only the members' signed word counts.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import {
  type CommitEntry,
  decodeLogEntry,
  decodeSnapshot,
  encodeLogEntry,
  encodeSubmission,
  REPORT_LABEL,
  reportContent,
} from '../../moq/delivery/index.ts'
import { sameBytes } from '../../moq/wire/names.ts'
import { Sequencer } from '../../sfu/delivery/index.ts'
import { decodeGroupInfo } from '../keys/messages.ts'
import { HostileRoom, type Watched } from './hostile-room.ts'

async function roomOf(...ids: string[]): Promise<HostileRoom> {
  const room = new HostileRoom(() => new Sequencer())
  for (const id of ids) {
    room.enter(id)
    await room.run(1000)
  }
  return room
}

/** Nothing had been made on the commit, and nobody stands behind its being taken back. */
const alone = { transcript: new Uint8Array(32), undone: [], reports: [] }

/** Interim transcript hash (RFC 9420 section 8.2) of the epoch that a snapshot shows. */
function interimHash(snapshot: Uint8Array): Uint8Array {
  const { groupContext, confirmationTag: tag } = decodeGroupInfo(decodeSnapshot(snapshot)!)
  return sha256(Uint8Array.of(...groupContext.confirmedTranscriptHash, tag.length, ...tag))
}

const codeOf = ({ participant }: Watched) => participant.last.verificationCode
const alarmsOf = ({ participant }: Watched) => participant.alarms.map(({ code }) => code)

describe('a commit that is taken back for the word of most members', () => {
  it('raises no alarm about those who had applied it, nor with them', async () => {
    const room = await roomOf('ann', 'bob', 'cyn', 'dan')
    const [ann, bob, cyn, dan] = [...room.watched.values()]
    const { groupId, epoch: before } = ann!.participant.last
    const epoch = before + 1
    // Bob and Dan cannot apply it, Cyn can.
    let commitHash: Uint8Array | null = null
    room.shows = (payload, to) => {
      const entry = decodeLogEntry(payload)
      if (entry.kind !== 'commit' || entry.epoch !== epoch) return true
      commitHash ??= sha256(entry.commit)
      if (!sameBytes(commitHash, sha256(entry.commit))) return true
      if (to === 'bob' || to === 'dan') room.watched.get(to)!.verifier.seeLogEntry(payload)
      return to === 'ann' || to === 'cyn'
    }
    ann!.participant.member.update()
    await room.run(200)
    for (const { participant } of [bob!, dan!]) {
      const content = reportContent(groupId, epoch, commitHash!)
      const signature = await participant.member.sign(REPORT_LABEL, content)
      const report = { kind: 'report', epoch, commitHash: commitHash!, signature } as const
      room.submit(participant, encodeSubmission(report))
    }
    await room.run(30_000)
    for (const { participant } of [ann!, cyn!]) {
      expect(participant.epochs.filter((keys) => keys.epoch === epoch)).not.toHaveLength(0)
      expect(participant.alarms.map(({ code, epoch }) => [code, epoch])).toEqual([
        ['commit-skipped', epoch],
      ])
    }
    expect(new Set([...room.watched.values()].map(codeOf)).size).toBe(1)
    expect(ann!.participant.last.roster).toHaveLength(4)
    for (const { raised } of room.watched.values()) expect([...raised.keys()]).toEqual([])
  })
})

describe('a member that came in on top of a commit that is taken back', () => {
  const report = async ({ participant }: Watched, content: Uint8Array) => ({
    leaf: participant.last.leaf,
    signature: await participant.member.sign(REPORT_LABEL, content),
  })

  /** Ann has made a commit that Bob, Cyn and Dan never get; newcomers have joined on it. */
  async function onTop(...newcomers: string[]) {
    const room = await roomOf('ann', 'bob', 'cyn', 'dan')
    const [ann, bob, cyn, dan] = [...room.watched.values()]
    const voters = [bob!, cyn!, dan!]
    const { groupId, epoch: before } = ann!.participant.last
    const epoch = before + 1
    const transcript = interimHash(room.service.snapshot('room'))
    let bad: Uint8Array | null = null
    room.shows = (payload, to) => {
      const entry = decodeLogEntry(payload)
      if (entry.kind !== 'commit' || entry.epoch !== epoch) return true
      bad ??= entry.commit
      if (!sameBytes(bad, entry.commit) || !['bob', 'cyn', 'dan'].includes(to)) return true
      room.watched.get(to)!.verifier.seeLogEntry(payload)
      return false
    }
    ann!.participant.member.update()
    await room.run(200)
    for (const id of newcomers) {
      room.enter(id)
      await room.run(300)
    }
    const commit: Uint8Array = bad!
    const commitHash = sha256(commit)
    const content = reportContent(groupId, epoch, commitHash)
    const eve = room.watched.get('eve')!
    expect(eve.participant.last.epoch).toBeGreaterThan(epoch)
    const entry = { kind: 'skipped', epoch, participant: 'ann', commitHash, transcript } as const
    return { room, voters, eve, groupId, commit, content, entry: { ...entry, undone: [] } }
  }

  const told = ({ participant }: Watched) =>
    participant.alarms.map(({ code, epoch }) => [code, epoch])

  it.each([
    [['eve']],
    [['eve', 'fay', 'gus']],
    [['fay', 'eve']],
    [['fay', 'gus', 'eve']],
  ])('raises no alarm that stays, nor do the others, with %j on it', async (newcomers) => {
    const { room, voters, eve, content, entry } = await onTop(...newcomers)
    const { epoch, commitHash } = entry
    for (const { participant } of voters) {
      const signature = await participant.member.sign(REPORT_LABEL, content)
      room.submit(participant, encodeSubmission({ kind: 'report', epoch, commitHash, signature }))
    }
    await room.run(30_000)
    expect(told(eve)).toEqual([['commit-skipped', epoch]])
    expect(new Set([...room.watched.values()].map(codeOf)).size).toBe(1)
    expect(eve.participant.last.roster).toHaveLength(4 + newcomers.length)
    // Ann may not commit for a while: that she confirms nothing until she is back is so.
    const passing = new Set(['ann: unconfirmed'])
    for (const { verifier, raised } of room.watched.values()) {
      expect([...raised.keys()].filter((alarm) => !passing.has(alarm))).toEqual([])
      for (const id of room.watched.keys()) expect(verifier.alarms(id)).toEqual([])
    }
  })

  it('believes it by the word of most of those whom it knows to have been there', async () => {
    const { room, voters, eve, content, entry } = await onTop('eve')
    const reports = [await report(voters[0]!, content), await report(voters[1]!, content)]
    room.forge(encodeLogEntry({ ...entry, reports }), 'eve')
    await room.run(500)
    expect(told(eve)).toEqual([['commit-skipped', entry.epoch]])
  })

  it('does not by the word of fewer, nor of somebody who came when it came', async () => {
    const { room, voters, eve, content, entry } = await onTop('eve', 'fay')
    const fay = room.watched.get('fay')!
    const reports = [await report(voters[0]!, content), await report(fay, content)]
    room.forge(encodeLogEntry({ ...entry, reports }), 'eve')
    await room.run(500)
    expect(told(eve)).toEqual([['commit-skipped', undefined]])
  })

  it.each([
    ['in its content', 100],
    ['in its confirmation tag', -40],
  ])('does not where another commit was reported than it joined on, %s', async (_, place) => {
    const { room, voters, eve, groupId, commit, entry } = await onTop('eve')
    const { epoch } = entry
    const altered = commit.slice()
    altered[(altered.length + place) % altered.length]! ^= 1
    const commitHash = sha256(altered)
    const content = reportContent(groupId, epoch, commitHash)
    const reports = await Promise.all(voters.map((voter) => report(voter, content)))
    room.forge(encodeLogEntry({ ...entry, commitHash, reports }), 'eve')
    const asCommit = { kind: 'commit', epoch, participant: 'ann', commit: altered } as const
    room.forge(encodeLogEntry(asCommit), 'eve')
    await room.run(500)
    expect(told(eve)).toEqual([['commit-skipped', undefined]])
  })

  it('joins anew without proof when the log does not show what it joined on', async () => {
    const { room, voters, eve, content, entry } = await onTop('eve')
    room.shows = (payload, to) => to !== 'eve' || decodeLogEntry(payload).kind !== 'commit'
    const reports = await Promise.all(voters.map((voter) => report(voter, content)))
    room.forge(encodeLogEntry({ ...entry, reports }), 'eve')
    await room.run(900)
    expect(told(eve)).toEqual([])
    await room.run(200)
    expect(told(eve)).toEqual([['commit-skipped', undefined]])
  })
})

describe('a fork that the service wants to be forgotten', () => {
  /** Ann and Bob each renew their keys, in halves of the room, and hear nothing of each other. */
  async function forked() {
    const room = await roomOf('ann', 'cyn', 'dan', 'bob')
    const ann = room.watched.get('ann')!
    const bob = room.watched.get('bob')!
    const commits: CommitEntry[] = []
    room.shows = (payload, to) => {
      const entry = decodeLogEntry(payload)
      if (to === 'bob' && entry.kind === 'commit') commits.push(entry)
      return true
    }
    room.passes = () => null
    room.fork('bob')
    ann.participant.member.update()
    bob.participant.member.update()
    await room.run(1000)
    const { epoch } = bob.participant.last
    expect([ann.participant.last.epoch, codeOf(ann) === codeOf(bob)]).toEqual([epoch, false])
    return { room, ann, bob, epoch, commits }
  }

  it('is told within 5 s, though all are shown that some commit was taken back', async () => {
    const room = await roomOf('ann', 'bob', 'cyn')
    const [ann, bob, cyn] = [...room.watched.values()]
    const { epoch } = ann!.participant.last
    const commitHash = new Uint8Array(32)
    const skipped = { kind: 'skipped', epoch, participant: 'eve', commitHash, ...alone } as const
    room.forge(encodeLogEntry(skipped), 'ann', 'bob', 'cyn')
    const at = room.clock.now()
    room.fork('bob')
    for (const { participant } of [ann!, bob!]) participant.member.update()
    await room.run(5000)
    expect(ann!.raised.get('bob: fork')! - at).toBeLessThan(5000)
    expect(bob!.raised.get('ann: fork')! - at).toBeLessThan(5000)
    expect(cyn!.raised.get('bob: fork')! - at).toBeLessThan(5000)
  })

  it('is not, by taking back a commit behind which nobody stands', async () => {
    const { room, ann, bob, epoch, commits } = await forked()
    const commitHash = sha256(commits.find((entry) => entry.epoch === epoch)!.commit)
    const skipped = { kind: 'skipped', epoch, participant: 'bob', commitHash, ...alone } as const
    room.forge(encodeLogEntry(skipped), 'bob')
    await room.run(1000)
    expect(alarmsOf(bob)).toEqual(['skip-refused'])
    room.passes = (_from, _to, statement) => statement
    await room.run(5000)
    expect(bob.verifier.alarms('ann')).toContain('fork')
    expect(ann.verifier.alarms('bob')).toContain('fork')
  })

  it('is not, by taking back a commit of before somebody came, which it cannot judge', async () => {
    const { room, ann, bob, epoch } = await forked()
    room.merge()
    const commitHash = new Uint8Array(32)
    const skipped = {
      kind: 'skipped',
      epoch: epoch - 2,
      participant: 'ann',
      commitHash,
      ...alone,
    } as const
    room.forge(encodeLogEntry(skipped), 'bob')
    await room.run(5000)
    expect(bob.participant.alarms.map(({ code, epoch }) => [code, epoch])).toEqual([
      ['commit-skipped', undefined],
    ])
    expect(codeOf(bob)).toBe(codeOf(ann))
    room.passes = (_from, _to, statement) => statement
    await room.run(5000)
    expect(bob.verifier.alarms('ann')).toEqual(['fork-merged'])
    expect(ann.verifier.alarms('bob')).toEqual(['fork-merged'])
  })
})
