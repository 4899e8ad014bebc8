/** Who was alone in a group comes back without its state: with the real ts-mls and the real service. */

import fc from 'fast-check'
import { type ClientState, createGroupInfoWithExternalPubAndRatchetTree } from 'ts-mls'
import { initializeEpoch } from 'ts-mls/keySchedule.js'
import { encodeMlsMessage } from 'ts-mls/message.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { encodeSubmission } from '../../moq/delivery/index.ts'
import type { RoomStore } from '../../sfu/delivery/room-store.ts'
import { Sequencer } from '../../sfu/delivery/sequencer.ts'
import { admitAll } from './authenticate.ts'
import { KeysError } from './errors.ts'
import { createIdentity, credentialOf } from './identity.ts'
import { decodeCommit, decodeGroupInfo } from './messages.ts'
import { type Attempt, MlsEngine } from './mls-engine.ts'
import { replaceOnlyLeaf } from './only-leaf.ts'
import { ownPreSharedKey } from './own-psk.ts'
import { checkCommit } from './policy.ts'
import { rosterOf } from './roster.ts'
import { SimulatedRoom } from './simulated-room.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

let engine: MlsEngine
let founding: Omit<Attempt, 'commit'>

async function identity(id: string) {
  return createIdentity(credentialOf(id), engine.impl, await engine.generateSignatureKeys())
}

function infoOf(groupInfo: Uint8Array, epoch: number) {
  return decodeGroupInfo({ epoch, logGroup: epoch, suite: 'classical', groupInfo })
}

function taken(service: Sequencer, id: string, { commit, groupInfo }: Attempt): string {
  const result = service.submit('r', id, encodeSubmission({ kind: 'commit', commit, groupInfo }), 0)
  return result.accepted ? 'taken' : result.reason
}

function roomOf({ groupInfo }: Omit<Attempt, 'commit'>): Sequencer {
  const service = new Sequencer()
  const create = encodeSubmission({ kind: 'create', suite: 'classical', groupInfo })
  expect(service.submit('r', 'ann', create, 0)).toMatchObject({ accepted: true })
  return service
}

beforeAll(async () => {
  engine = await MlsEngine.load('classical', { authenticate: admitAll, maxMembers: 50 })
  founding = await engine.create(await identity('ann'))
})

describe('the commit of who was alone in a group', () => {
  it('takes the place of the former leaf, and newcomers join what it makes', async () => {
    const service = roomOf(founding)
    const again = await engine.join(await identity('ann'), infoOf(founding.groupInfo, 0))
    expect(taken(service, 'ann', again)).toBe('taken')
    expect(rosterOf(again.state.ratchetTree)).toMatchObject([{ leaf: 0, participantId: 'ann' }])
    const bob = await engine.join(await identity('bob'), infoOf(again.groupInfo, 1))
    expect(taken(service, 'bob', bob)).toBe('taken')
    const applied = await engine.apply(again.state, decodeCommit(bob.commit))
    if (applied.kind !== 'epoch') throw new Error(applied.kind)
    const [anns, bobs] = await Promise.all(
      [applied.state, bob.state].map((state) => engine.exportKeys(state, 32)),
    )
    expect(hex(anns!.baseKey)).toBe(hex(bobs!.baseKey))
    expect(anns!.verificationCode).toBe(bobs!.verificationCode)
  })

  it('is made from any leaf, and the first one is taken', async () => {
    const service = roomOf(founding)
    const bob = await engine.join(await identity('bob'), infoOf(founding.groupInfo, 0))
    const alone = await engine.commit(bob.state, [0])
    for (const attempt of [bob, alone]) expect(taken(service, 'bob', attempt)).toBe('taken')
    expect(rosterOf(alone.state.ratchetTree)).toMatchObject([{ leaf: 1 }])
    const again = await engine.join(await identity('bob'), infoOf(alone.groupInfo, 2))
    expect(taken(service, 'bob', again)).toBe('taken')
    expect(rosterOf(again.state.ratchetTree)).toMatchObject([{ leaf: 0, participantId: 'bob' }])
    const next = await engine.commit(again.state, [])
    expect(taken(service, 'bob', next)).toBe('taken')
  })

  it('makes keys that the former state cannot derive', async () => {
    const again = await engine.join(await identity('ann'), infoOf(founding.groupInfo, 0))
    const { kdf, hpke } = engine.impl
    const { content } = decodeCommit(again.commit)
    if (content.contentType !== 'commit') throw new Error('no commit')
    const [init] = content.commit.proposals.flatMap((item) =>
      item.proposalOrRefType === 'proposal' && item.proposal.proposalType === 'external_init'
        ? [item.proposal.externalInit.kemOutput]
        : [],
    )
    const { privateKey } = await hpke.deriveKeyPair(founding.state.keySchedule.externalSecret)
    const secret = await hpke.importSecret(
      privateKey,
      new TextEncoder().encode('MLS 1.0 external init secret'),
      init!,
      kdf.size,
      new Uint8Array(0),
    )
    const zeros = new Uint8Array(kdf.size)
    const { groupContext } = again.state
    const guess = await initializeEpoch(secret, zeros, groupContext, zeros, kdf)
    const guessed: ClientState = { ...again.state, keySchedule: guess.keySchedule }
    const [own, theirs] = [again.state, guessed].map((state) => engine.exportKeys(state, 32))
    expect(hex((await own!).baseKey)).not.toBe(hex((await theirs!).baseKey))
  })

  it('tells a page that still has the former state that it was replaced', async () => {
    const again = await engine.join(await identity('ann'), infoOf(founding.groupInfo, 0))
    expect(await engine.apply(founding.state, decodeCommit(again.commit))).toMatchObject({
      kind: 'removed',
      commit: { committer: 'ann', external: true },
    })
  })

  it('is refused from anybody else, by the service and by the member', async () => {
    const service = roomOf(founding)
    const info = infoOf(founding.groupInfo, 0)
    const { ratchetTree, groupContext } = founding.state
    const eve = await identity('eve')
    const made = await replaceOnlyLeaf(eve, info, ratchetTree, 0, engine.impl)
    const groupInfo = encodeMlsMessage({
      version: 'mls10',
      wireformat: 'mls_group_info',
      groupInfo: await createGroupInfoWithExternalPubAndRatchetTree(made.newState, [], engine.impl),
    })
    const { publicMessage } = made
    const commit = encodeMlsMessage({
      version: 'mls10',
      wireformat: 'mls_public_message',
      publicMessage,
    })
    const attempt = { state: made.newState, commit, groupInfo }
    expect(taken(service, 'eve', attempt)).toBe('bad-resync')
    expect(taken(service, 'ann', attempt)).toBe('wrong-identity')
    expect(() => checkCommit(publicMessage, groupContext, ratchetTree, 50)).toThrow(KeysError)
    expect(service.dumpRoom('r')).toMatchObject({ epoch: 0, members: ['ann'] })
  })

  it('alone may have a pre-shared key: among others it is refused', async () => {
    const service = roomOf(founding)
    const bob = await engine.join(await identity('bob'), infoOf(founding.groupInfo, 0))
    const publicMessage = decodeCommit(bob.commit)
    if (publicMessage.content.contentType !== 'commit') throw new Error('no commit')
    const { proposal } = ownPreSharedKey(engine.impl)
    publicMessage.content.commit.proposals.push({ proposalOrRefType: 'proposal', proposal })
    const commit = encodeMlsMessage({
      version: 'mls10',
      wireformat: 'mls_public_message',
      publicMessage,
    })
    expect(taken(service, 'bob', { ...bob, commit })).toBe('bad-proposal')
    const { groupContext, ratchetTree } = founding.state
    expect(() => checkCommit(publicMessage, groupContext, ratchetTree, 50)).toThrow(/proposal psk/)
  })

  it('is not made from a GroupInfo any byte of which was changed', async () => {
    const ann = await identity('ann')
    const edit = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }))
    await fc.assert(
      fc.asyncProperty(edit, async ([at, change]) => {
        const bytes = founding.groupInfo.slice()
        bytes[at % bytes.length]! ^= change
        const made = (async () => engine.join(ann, infoOf(bytes, 0)))()
        const error: unknown = await made.then(
          () => null,
          (reason) => reason,
        )
        expect(error).toBeInstanceOf(KeysError)
      }),
      { numRuns: 100 },
    )
  })
})

describe('who was alone in a room and comes back without its state', () => {
  it.each([
    'classical',
    'x-wing',
  ] as const)('is in it at once, without an alarm, and others join (%s)', async (suite) => {
    const room = new SimulatedRoom(new Sequencer(), suite, 1)
    room.crash(room.join('ann'))
    await room.run(10)
    const first = room.join('ann')
    await room.run(1000)
    room.crash(first)
    const ann = room.join('ann')
    await room.run(1000)
    expect(ann.states).toEqual(['joining', 'member'])
    const bob = room.join('bob')
    await room.run(1000)
    expect(bob.last.verificationCode).toBe(ann.last.verificationCode)
    expect(ann.last.roster.map(({ participantId }) => participantId)).toEqual(['ann', 'bob'])
    expect(room.participants.flatMap(({ alarms }) => alarms)).toEqual([])
    expect(room.refusals).toEqual([])
  })

  it('takes over from a page that is still there, once', async () => {
    const room = new SimulatedRoom(new Sequencer(), 'classical', 2)
    const before = room.join('ann')
    await room.run(1000)
    const after = room.join('ann')
    await room.run(5000)
    expect(before.failure).toMatchObject({ code: 'replaced' })
    expect(after.states).toEqual(['joining', 'member'])
    expect(after.epochs).toHaveLength(1)
    expect(after.alarms).toEqual([])
  })

  it('and a newcomer of the same moment are in one group', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const room = new SimulatedRoom(new Sequencer(), 'classical', seed)
      const before = room.join('ann')
      await room.run(1000)
      room.crash(before)
      const both = [room.join('ann'), room.join('bob')]
      await room.run(5000)
      expect(both.map(({ state }) => state)).toEqual(['member', 'member'])
      expect(new Set(both.map(({ last }) => last.verificationCode)).size).toBe(1)
    }
  })

  it('goes on in it when the service starts again', async () => {
    const stored: Uint8Array[] = []
    const store: RoomStore = {
      load: () => [{ room: 'room', records: stored }],
      append: (_, records, done) => {
        stored.push(...records)
        done(null)
      },
      replace: (_room, _record, done) => done(null),
      remove: (_, done) => done(null),
      size: () => 0,
    }
    const room = new SimulatedRoom(new Sequencer({}, { store }), 'classical', 3)
    const before = room.join('ann')
    await room.run(1000)
    room.crash(before)
    const after = room.join('ann')
    await room.run(1000)
    const again = new Sequencer({}, { store })
    expect(again.restore(room.wallClock())).toBe(1)
    room.service = again
    const bob = room.join('bob')
    await room.run(2000)
    expect(bob.last).toMatchObject({ epoch: 2, verificationCode: after.last.verificationCode })
  })
})
