/** Objects of a track that cannot be decrypted, counted by what is wrong with them. */

import { beforeEach, describe, expect, it } from 'vitest'
import { ObjectMetadata } from '../../../moq/media/index.ts'
import { participantNamespace } from '../../../moq/media/names.ts'
import { ManualClock } from '../../../moq/session/manual-clock.ts'
import { trackOf } from '../../../moq/wire/names.ts'
import { MoqObject, ObjectStatus } from '../../../moq/wire/object.ts'
import { EpochSecret, nobleProvider, SenderContext } from '../../../sframe/index.ts'
import type { EpochKeys } from '../../keys/index.ts'
import { addedDecryptFailures, noDecryptFailures, totalOf } from './decrypt-failures.ts'
import { Decryption } from './decryption.ts'
import { MediaKeys, SFRAME_SUITE } from './media-keys.ts'

const TRACK = trackOf(participantNamespace('room', 'bob'), 'audio')
const NONE = new Uint8Array(0)
const BOB = 1
const CYN = 2
const since = { epoch: 0, time: 0 }

/** Each test has its keys to itself: a KID of a base key is given out once. */
let test = 0

const epochOf = (epoch: number): EpochKeys => ({
  groupId: Uint8Array.of(1),
  epoch,
  suite: 'classical',
  baseKey: new Uint8Array(32).fill(epoch).fill(test, 0, 1),
  epochAuthenticator: new Uint8Array(32),
  verificationCode: '',
  leaf: 0,
  roster: [
    { leaf: 0, participantId: 'ann', fingerprint: 'a', since },
    { leaf: BOB, participantId: 'bob', fingerprint: 'b', since },
    { leaf: CYN, participantId: 'cyn', fingerprint: 'c', since },
  ],
  removed: [],
  reason: 'updated',
})

/** Settles what decrypting began; the crypto here is synchronous. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('objects that cannot be decrypted', () => {
  let clock: ManualClock
  let keys: MediaKeys
  let decryption: Decryption
  let plaintexts: number

  beforeEach(async () => {
    test++
    clock = new ManualClock()
    const events = { onInstalled: () => {}, onRevoked: () => {}, onSwitch: () => {} }
    keys = new MediaKeys(clock, events, nobleProvider)
    await keys.install(epochOf(4))
    plaintexts = 0
    decryption = new Decryption({
      participantId: 'bob',
      track: TRACK,
      keys,
      clock,
      onPlaintext: () => plaintexts++,
    })
  })

  async function sender(epoch: number, leaf: number, firstCounter = 0): Promise<SenderContext> {
    const { baseKey } = epochOf(epoch)
    const secret = await EpochSecret.import(nobleProvider, SFRAME_SUITE, { epoch, baseKey })
    return SenderContext.forEpoch(secret, { context: 2, leaf, firstCounter })
  }

  async function encrypted(from: SenderContext, group: number): Promise<Uint8Array> {
    return from.encrypt(Uint8Array.of(group), new ObjectMetadata(TRACK).of(group, 0, NONE))
  }

  async function push(group: number, body: Uint8Array, properties = NONE): Promise<void> {
    const status = ObjectStatus.NORMAL
    const { length } = properties
    const bytes = Uint8Array.of(...properties, ...body)
    decryption.push(new MoqObject(group, 0, 0, 0, status, false, bytes, 0, length, length))
    await settle()
  }

  function expectFailures(failures: Partial<Record<string, number>>): void {
    expect(decryption.failuresByReason).toEqual({ ...noDecryptFailures(), ...failures })
  }

  it('are told apart: unknown key, tag, replay, cut short, another’s key', async () => {
    const bob = await sender(4, BOB)
    const first = await encrypted(bob, 0)
    await push(0, first)
    expect(plaintexts).toBe(1)
    expectFailures({})

    await push(0, first)
    expectFailures({ replayed: 1 })
    const forged = (await encrypted(bob, 1)).with(-1, first.at(-1)! ^ 1)
    await push(1, forged)
    await push(2, await encrypted(bob, 3))
    await push(4, (await encrypted(bob, 4)).subarray(0, 12))
    await push(4, NONE)
    await push(5, await encrypted(await sender(4, CYN), 5))
    // 100 epochs behind: lost for good.
    await push(6, await encrypted(await sender(160, BOB), 6))
    expectFailures({
      replayed: 1,
      'authentication-failed': 2,
      truncated: 2,
      'foreign-key': 1,
      'unknown-kid': 1,
    })
    expect(decryption.failures).toBe(7)
    expect(plaintexts).toBe(1)
    await push(7, await encrypted(bob, 7))
    expect(plaintexts).toBe(2)
  })

  it('leave the epoch of the newest that could be, whole again from its last eight bits', async () => {
    expect(decryption.epoch).toBeNull()
    await push(0, await encrypted(await sender(4, BOB), 0))
    expect(decryption.epoch).toBe(4)
    await push(1, await encrypted(await sender(4, CYN), 1))
    const senders: SenderContext[] = []
    for (const epoch of [255, 256, 257]) {
      await keys.install(epochOf(epoch))
      senders.push(await sender(epoch, BOB))
      await push(epoch, await encrypted(senders.at(-1)!, epoch))
      expect(decryption.epoch).toBe(epoch)
    }
    // What was under way in the epoch before.
    await push(300, await encrypted(senders[1]!, 300))
    expect(decryption.epoch).toBe(256)
  })

  it('are too old when they are behind the replay window', async () => {
    const early = await sender(4, BOB)
    const late = await encrypted(early, 0)
    early.destroy()
    await push(1, await encrypted(await sender(4, BOB, 5000), 1))
    await push(0, late)
    expectFailures({ 'too-old': 1 })
  })

  it('are of an unknown key when it does not come in time', async () => {
    const bob = await sender(5, BOB)
    await push(0, await encrypted(bob, 0))
    expectFailures({})
    clock.advance(2000)
    await push(1, await encrypted(bob, 1))
    clock.advance(2000)
    decryption.retry()
    await settle()
    expectFailures({ 'unknown-kid': 1 })
    await keys.install(epochOf(5))
    decryption.retry()
    await settle()
    expectFailures({ 'unknown-kid': 1 })
    expect(plaintexts).toBe(1)
  })

  it('are not counted when they are from before we came', async () => {
    await push(0, await encrypted(await sender(3, BOB), 0))
    expectFailures({})
  })

  it('are unreadable where their properties are', async () => {
    await push(0, await encrypted(await sender(4, BOB), 0), Uint8Array.of(0xff))
    expectFailures({ unreadable: 1 })
  })
})

it('counts of several tracks are added by reason', () => {
  const some = { ...noDecryptFailures(), replayed: 2, truncated: 1 }
  const sums = addedDecryptFailures(some, { ...noDecryptFailures(), replayed: 3, unreadable: 1 })
  expect(sums).toEqual({ ...noDecryptFailures(), replayed: 5, truncated: 1, unreadable: 1 })
  expect(totalOf(sums)).toBe(7)
  expect(some.replayed).toBe(2)
})
