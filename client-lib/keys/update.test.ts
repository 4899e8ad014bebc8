import type { ClientState } from 'ts-mls'
import { initializeEpoch } from 'ts-mls/keySchedule.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { Sequencer } from '../../sfu/delivery/sequencer.ts'
import { admitAll } from './authenticate.ts'
import { createIdentity, credentialOf } from './identity.ts'
import { decodeCommit, decodeGroupInfo } from './messages.ts'
import { type Attempt, MlsEngine } from './mls-engine.ts'
import { SimulatedRoom } from './simulated-room.ts'
import { decodeSaved, encodeSaved } from './state-codec.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const none = { publicKey: new Uint8Array(32), signKey: new Uint8Array(32) }

let engine: MlsEngine

async function identity(id: string) {
  return createIdentity(credentialOf(id), engine.impl, await engine.generateSignatureKeys())
}

async function applied(state: ClientState, { commit }: Attempt): Promise<ClientState> {
  const result = await engine.apply(state, decodeCommit(commit))
  if (result.kind !== 'epoch') throw new Error(result.kind)
  return result.state
}

async function join(id: string, { state, groupInfo }: Omit<Attempt, 'commit'>): Promise<Attempt> {
  const epoch = Number(state.groupContext.epoch)
  const info = decodeGroupInfo({ epoch, logGroup: epoch, suite: 'classical', groupInfo })
  return engine.join(await identity(id), info)
}

/** What a thief copies: everything, as bytes, so that nothing wipes it. */
function stolen(group: ClientState): ClientState {
  const saved = { participantId: 'x', suite: 'classical', signatureKeys: none, group } as const
  return decodeSaved(encodeSaved(saved))!.group!
}

const keyOf = async (state: ClientState) => hex((await engine.exportKeys(state, 32)).baseKey)

beforeAll(async () => {
  engine = await MlsEngine.load('classical', { authenticate: admitAll, maxMembers: 50 })
})

describe('an update (RFC 9420 section 16.6)', () => {
  it('heals: whoever stole the state before it cannot derive the epochs from it on', async () => {
    const founding = await engine.create(await identity('ann'))
    const joining = await join('bob', founding)
    const ann = await applied(founding.state, joining)
    const bob = joining.state
    const thief = stolen(bob)
    // Until the update the thief follows all.
    const first = await engine.commit(ann, [])
    const followed = await applied(thief, first)
    expect(await keyOf(followed)).toBe(await keyOf(first.state))

    const healed = await applied(bob, first)
    const update = await engine.commit(healed, [])
    await expect(engine.apply(followed, decodeCommit(update.commit))).rejects.toThrow()
    const annAfter = await applied(first.state, update)
    expect(await keyOf(annAfter)).toBe(await keyOf(update.state))

    // And not later either: neither by what others commit, nor by what a newcomer does.
    const next = await engine.commit(annAfter, [])
    for (const state of [thief, followed]) {
      const forged: ClientState = { ...state, groupContext: annAfter.groupContext }
      const asIf = { ...forged, ratchetTree: annAfter.ratchetTree }
      await expect(engine.apply(asIf, decodeCommit(next.commit))).rejects.toThrow()
    }
  })

  it('heals a member that is alone, too', async () => {
    const { state } = await engine.create(await identity('ann'))
    const thief = stolen(state)
    const update = await engine.commit(state, [])
    const { kdf } = engine.impl
    const zeros = new Uint8Array(kdf.size)
    const { initSecret } = thief.keySchedule
    const guess = await initializeEpoch(initSecret, zeros, update.state.groupContext, zeros, kdf)
    const asIf = { ...update.state, keySchedule: guess.keySchedule }
    expect(await keyOf(asIf)).not.toBe(await keyOf(update.state))
    // Whoever joins then shares a secret with ann that the thief has not.
    const joining = await join('bob', update)
    await expect(engine.apply(asIf, decodeCommit(joining.commit))).rejects.toThrow()
    expect(await keyOf(await applied(update.state, joining))).toBe(await keyOf(joining.state))
  })
})

describe('updates in a room', () => {
  const MINUTE = 60_000

  it('come from every member about every `updateMs`, not all at once', async () => {
    const room = new SimulatedRoom(new Sequencer(), 'classical', 3)
    const settings = { updateMs: 10 * MINUTE }
    for (let i = 0; i < 6; i++) {
      room.join(`p${i}`, { settings })
      await room.run(2000)
    }
    const [first] = room.participants
    const at: number[] = []
    first!.onEpoch = () => at.push(room.clock.now())
    const start = room.clock.now()
    const before = first!.last.epoch
    await room.run(30 * MINUTE)
    const epochs = first!.last.epoch - before
    expect(epochs).toBeGreaterThanOrEqual(6 * 2)
    expect(epochs).toBeLessThanOrEqual(6 * 4)
    expect(at[0]! - start).toBeGreaterThan(7 * MINUTE)
    const gaps = at.slice(1).map((time, i) => time - at[i]!)
    // No two of the first round are closer than some seconds.
    expect(Math.min(...gaps.slice(0, 5))).toBeGreaterThan(2000)
    expect(room.participants.flatMap(({ alarms }) => alarms)).toEqual([])
    for (const { last } of room.participants) expect(last.epoch).toBe(first!.last.epoch)
  })

  it('do not come where they are turned off', async () => {
    const room = new SimulatedRoom(new Sequencer(), 'classical', 3)
    const ann = room.join('ann', { settings: { updateMs: 0 } })
    await room.run(60 * MINUTE)
    expect(ann.last.epoch).toBe(0)
  })

  it('that meet are taken one by one, and each member gets its own through', async () => {
    const room = new SimulatedRoom(new Sequencer(), 'classical', 3)
    for (let i = 0; i < 5; i++) {
      room.join(`p${i}`, { settings: { updateMs: 4 * MINUTE } })
      await room.run(2000)
    }
    const [first] = room.participants
    const before = first!.last.epoch
    for (const { member } of room.participants) member.update()
    await room.run(20_000)
    expect(room.refusals).toContain('stale-epoch')
    expect(first!.last.epoch).toBe(before + 5)
    for (const { last, alarms } of room.participants) {
      expect(last.verificationCode).toBe(first!.last.verificationCode)
      expect(alarms).toEqual([])
    }
  })
})
