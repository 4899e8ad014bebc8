/** Members over a relay and a delivery service, without a network between them. */

import { describe, expect, it } from 'vitest'
import { participantNamespace } from '../../../moq/media/index.ts'
import type { Session } from '../../../moq/session/index.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import { mlsKid, SenderContext } from '../../../sframe/index.ts'
import { MembersWorld } from '../../../sfu/delivery/test-members.ts'
import { GroupKeys } from './group-keys.ts'
import type { SendKey } from './participant-keys.ts'

const ROOM = 'demo'
const TEXT = new TextEncoder().encode('hello')

class Room extends MembersWorld<Member> {
  enter(id: string): Promise<Member> {
    return this.add(new Member(id, this))
  }
}

class Member {
  readonly keys: GroupKeys
  readonly session: Session
  readonly sendKeys: SendKey[] = []
  readonly faults: string[] = []
  revoked = 0
  received = 0

  constructor(participant: string, room: Room) {
    this.keys = new GroupKeys({
      room: ROOM,
      participant,
      suite: 'classical',
      trackAlias: 3,
      clock: room.world.clock,
      wallClock: () => room.now(),
      random: () => 0.5,
      events: {
        onReceiveKeys: () => this.received++,
        onSendKey: (key) => this.sendKeys.push(key),
        onRevoked: () => this.revoked++,
        onFault: (reason) => this.faults.push(reason),
      },
    })
    this.session = room.world.client({
      onSubscribe: (request) => {
        if (!this.keys.accept(request)) request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
      },
    })
    this.session.publishNamespace(participantNamespace(ROOM, participant), {})
    this.keys.begin(this.session)
  }

  async idle(): Promise<void> {
    await this.keys.member?.idle()
  }

  /** Encrypts as a track of number 0 would. */
  async sealed(): Promise<Uint8Array> {
    const { secret, leaf } = this.sendKeys.at(-1)!
    const sender = await SenderContext.forEpoch(secret, { context: 0, leaf })
    const payload = await sender.encrypt(TEXT)
    sender.destroy()
    return payload
  }
}

describe('keys of a group', () => {
  it('are those of all members, epoch by epoch, with the time of each', async () => {
    const room = new Room()
    const ann = await room.enter('ann')
    expect(ann.keys.epochs.map(({ epoch }) => epoch)).toEqual([0])
    expect(ann.sendKeys).toHaveLength(1)
    const bob = await room.enter('bob')
    expect(bob.keys.epochs.map(({ epoch }) => epoch)).toEqual([1])
    expect(ann.keys.epochs.map(({ epoch }) => epoch)).toEqual([0, 1])
    expect(ann.keys.epochs[1]!.group).toBe(bob.keys.epochs[0]!.group)
    expect(ann.keys.epochs[1]!.at).toBeGreaterThan(ann.keys.epochs[0]!.at)
    expect(await bob.keys.receiver.decrypt(await ann.sealed())).toEqual(TEXT)
    expect([ann.faults, bob.faults]).toEqual([[], []])
  })

  it('change when the scenario wants it, by one member alone', async () => {
    const room = new Room()
    const [ann, bob] = [await room.enter('ann'), await room.enter('bob')]
    await Promise.all([bob.keys.changeEpoch(), ann.keys.changeEpoch()])
    await room.run(1000)
    expect(bob.keys.epochs.map(({ epoch }) => epoch)).toEqual([1, 2])
    expect(ann.keys.epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2])
  })

  it('are revoked when somebody leaves, and follow at once', async () => {
    const room = new Room()
    const [ann, bob] = [await room.enter('ann'), await room.enter('bob')]
    const left = bob.keys.leave()
    await room.run(3000)
    await left
    expect(ann.revoked).toBe(1)
    expect(ann.keys.epochs.at(-1)!.epoch).toBe(2)
    expect(bob.keys.epochs).toHaveLength(1)
    expect(ann.keys.placeOf(mlsKid({ context: 0, leaf: 0, epoch: 3 }))).toBe('future')
    expect(bob.keys.placeOf(mlsKid({ context: 0, leaf: 0, epoch: 0 }))).toBe('before-us')
  })
})
