/**
 * A group may take a commit back that most of its members cannot apply. The service can say so too, to
 * have a fork forgotten: only the members' signed word counts.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import {
  type CommitEntry,
  decodeLogEntry,
  encodeLogEntry,
  encodeSubmission,
  REPORT_LABEL,
  reportContent,
} from '../../moq/delivery/index.ts'
import { sameBytes } from '../../moq/wire/names.ts'
import { Sequencer } from '../../sfu/delivery/index.ts'
import { HostileRoom, type Watched } from './hostile-room.ts'

async function roomOf(...ids: string[]): Promise<HostileRoom> {
  const room = new HostileRoom(() => new Sequencer())
  for (const id of ids) {
    room.enter(id)
    await room.run(1000)
  }
  return room
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
    const skipped = { kind: 'skipped', epoch, participant: 'eve', commitHash, reports: [] } as const
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
    const skipped = { kind: 'skipped', epoch, participant: 'bob', commitHash } as const
    room.forge(encodeLogEntry({ ...skipped, reports: [] }), 'bob')
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
    const skipped = { kind: 'skipped', epoch: epoch - 2, participant: 'ann', commitHash } as const
    room.forge(encodeLogEntry({ ...skipped, reports: [] }), 'bob')
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
