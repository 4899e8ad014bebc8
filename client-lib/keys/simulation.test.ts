import { describe, expect, it } from 'vitest'
import { Sequencer } from '../../sfu/delivery/sequencer.ts'
import type { MemberSettings } from './member-types.ts'
import type { RosterMember } from './roster.ts'
import { type Participant, SimulatedRoom } from './simulated-room.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Without since when: members know that from when they came. */
const leafOf = ({ leaf, participantId, fingerprint }: RosterMember) =>
  `${leaf} ${participantId} ${fingerprint}`

/** All who are connected are members of one epoch, of exactly themselves, with the same keys. */
function expectAgreement(room: SimulatedRoom): void {
  const live = room.connected()
  expect(live.map(({ id, state, failure }) => [id, state, failure])).toEqual(
    live.map(({ id }) => [id, 'member', null]),
  )
  const first = live[0]!.last
  for (const { last } of live) {
    expect(last.epoch).toBe(first.epoch)
    expect(hex(last.baseKey)).toBe(hex(first.baseKey))
    expect(last.verificationCode).toBe(first.verificationCode)
    expect(last.roster.map(leafOf)).toEqual(first.roster.map(leafOf))
  }
  expect(first.roster.map(({ participantId }) => participantId).sort()).toEqual(
    live.map(({ id }) => id).sort(),
  )
  expect(new Set(live.map(({ last }) => last.leaf)).size).toBe(live.length)
}

/** The base keys that someone ever had, and those of epochs after it was removed, have none in common. */
function expectNoLaterKey(gone: Participant, stayed: Participant, removedIn: number): void {
  const had = new Set(gone.epochs.map(({ baseKey }) => hex(baseKey)))
  const later = stayed.epochs.filter(({ epoch }) => epoch >= removedIn)
  expect(later.length).toBeGreaterThan(0)
  for (const { baseKey } of later) expect(had.has(hex(baseKey))).toBe(false)
}

/** A new room with these members in it, joined one by one. */
async function roomOf(...ids: string[]): Promise<SimulatedRoom> {
  return roomWith({}, ...ids)
}

async function roomWith(
  settings: Partial<MemberSettings>,
  ...ids: string[]
): Promise<SimulatedRoom> {
  const room = new SimulatedRoom(new Sequencer(), 'classical', 1)
  for (const id of ids) {
    room.join(id, { settings })
    await room.run(1000)
  }
  expectAgreement(room)
  return room
}

describe('a room', () => {
  it('is created by the first and joined in one round trip by the next', async () => {
    const room = await roomOf('ann', 'bob')
    const [ann, bob] = room.participants
    expect(ann!.states).toEqual(['creating', 'member'])
    expect(bob!.states).toEqual(['joining', 'member'])
    expect(ann!.epochs.map(({ epoch, reason }) => [epoch, reason])).toEqual([
      [0, 'created'],
      [1, 'member-joined'],
    ])
    expect(bob!.epochs.map(({ epoch, reason }) => [epoch, reason])).toEqual([[1, 'joined']])
    expect(bob!.last.baseKey).toHaveLength(32)
    expect(bob!.last.verificationCode).toMatch(/^\d{30}$/)
  })

  it('makes one group of concurrent creators', async () => {
    const room = new SimulatedRoom(new Sequencer(), 'classical', 2)
    for (const id of ['ann', 'bob', 'cyn', 'dan']) room.join(id)
    await room.run(20_000)
    expectAgreement(room)
    expect(room.participants.filter(({ epochs }) => epochs[0]!.reason === 'created')).toHaveLength(
      1,
    )
  })

  it('lets concurrent newcomers in', async () => {
    const room = await roomOf('ann')
    for (const id of ['bob', 'cyn', 'dan', 'eve']) room.join(id)
    await room.run(20_000)
    expectAgreement(room)
    expect(room.refusals).toContain('stale-epoch')
  })

  it('removes who says goodbye at once, by one commit', async () => {
    const room = await roomOf('ann', 'bob', 'cyn')
    const [ann, bob] = room.participants
    room.leave(bob!)
    await room.run(250)
    expectAgreement(room)
    expect(ann!.last.reason).toBe('member-left')
    expect(ann!.last.removed.map(({ participantId }) => participantId)).toEqual(['bob'])
    expectNoLaterKey(bob!, ann!, 3)
    await room.run(5000)
    expect(ann!.last.epoch).toBe(3)
    expect(bob!.state).toBe('left')
  })

  it('rebases who loses the race for a removal from the state it kept', async () => {
    const room = await roomWith({ removalStepMs: 0 }, 'ann', 'bob', 'cyn', 'dan')
    room.leave(room.participants[0]!)
    await room.run(5000)
    expectAgreement(room)
    expect(room.refusals.filter((reason) => reason === 'stale-epoch')).toHaveLength(2)
    for (const { last, alarms } of room.connected()) {
      expect(last.epoch).toBe(4)
      expect(alarms).toEqual([])
    }
  })

  it('removes who vanished after the grace period, and not before', async () => {
    const room = await roomOf('ann', 'bob', 'cyn')
    const [ann, , cyn] = room.participants
    room.vanish(cyn!)
    await room.run(9_900)
    expect(ann!.last.epoch).toBe(2)
    await room.run(400)
    expectAgreement(room)
    expectNoLaterKey(cyn!, ann!, 3)
  })

  it('keeps who comes back within the grace period', async () => {
    const room = await roomOf('ann', 'bob')
    const [ann, bob] = room.participants
    room.vanish(bob!)
    await room.run(6_000)
    room.reconnect(bob!)
    await room.run(20_000)
    expectAgreement(room)
    expect(ann!.last.epoch).toBe(1)
  })

  it('takes back who was removed while away', async () => {
    const room = await roomOf('ann', 'bob', 'cyn')
    const [, bob] = room.participants
    room.vanish(bob!)
    await room.run(15_000)
    room.reconnect(bob!)
    await room.run(10_000)
    expectAgreement(room)
    expect(bob!.alarms.map(({ code }) => code)).toContain('removed')
  })

  it('lets the last member of two go on alone, and newcomers in after it', async () => {
    const room = await roomOf('ann', 'bob')
    const [ann, bob] = room.participants
    room.leave(ann!)
    await room.run(1000)
    expectAgreement(room)
    expectNoLaterKey(ann!, bob!, 2)
    room.join('cyn')
    await room.run(2000)
    expectAgreement(room)
  })

  it('starts afresh after the last one left', async () => {
    const room = await roomOf('ann')
    room.leave(room.participants[0]!)
    await room.run(1000)
    room.join('bob')
    await room.run(1000)
    expectAgreement(room)
    expect(room.participants[1]!.last.epoch).toBe(0)
  })

  it('replaces the stale leaf when a participant comes back with nothing', async () => {
    const room = await roomOf('ann', 'bob', 'cyn')
    const [, bob, cyn] = room.participants
    room.vanish(bob!)
    const again = room.join('bob')
    await room.run(3000)
    expectAgreement(room)
    expect(again.last.epoch).toBe(3)
    expect(cyn!.last.removed.map(({ participantId }) => participantId)).toEqual(['bob'])
    expectNoLaterKey(bob!, cyn!, 3)
  })

  it('ends the older of two sessions of one participant', async () => {
    const room = await roomOf('ann', 'bob')
    const [, bob] = room.participants
    const again = room.join('bob')
    await room.run(3000)
    expect(bob!.failure).toMatchObject({ code: 'replaced' })
    expect(again.state).toBe('member')
  })

  it('founds the group again when the service has lost it', async () => {
    const room = await roomOf('ann', 'bob', 'cyn')
    room.service = new Sequencer()
    for (const { member } of room.participants) member.setOnline(false)
    for (const { member } of room.participants) member.setOnline(true)
    await room.run(30_000)
    expectAgreement(room)
    for (const { alarms } of room.participants) {
      expect(alarms.map(({ code }) => code)).toContain('group-replaced')
    }
  })
})

describe.each([
  1, 2, 3, 4, 5, 6,
])('a lossy network with members coming and going, seed %i', (seed) => {
  it('ends in agreement', async () => {
    const room = new SimulatedRoom(new Sequencer(), 'classical', seed, {
      maxDelayMs: 250,
      loss: 0.08,
    })
    let number = 0
    for (let action = 0; action < 14; action++) {
      const live = room.connected()
      const chance = room.random()
      const someone = live[Math.floor(room.random() * live.length)]
      const away = room.participants.find(({ connected, state }) => !connected && state !== 'left')
      if (chance > 0.9 && away !== undefined) room.reconnect(away)
      else if (live.length < 2 || (chance < 0.5 && live.length < 8)) room.join(`p${number++}`)
      else if (chance < 0.7) room.leave(someone!)
      else room.vanish(someone!)
      await room.run(room.random() * 1500)
    }
    room.network = { ...room.network, loss: 0 }
    await room.run(60_000)
    expectAgreement(room)
    const stayed = room.connected()[0]!
    for (const gone of room.participants.filter(({ connected }) => !connected)) {
      const lastEpoch = gone.epochs.at(-1)?.epoch
      if (lastEpoch === undefined) continue
      const had = new Set(gone.epochs.map(({ baseKey }) => hex(baseKey)))
      expect(had.has(hex(stayed.last.baseKey))).toBe(false)
    }
  }, 60_000)
})

describe('x-wing', () => {
  it('works the same', async () => {
    const room = new SimulatedRoom(new Sequencer(), 'x-wing', 7, { loss: 0.03 })
    const people = ['ann', 'bob', 'cyn'].map((id) => room.join(id))
    await room.run(10_000)
    expectAgreement(room)
    room.leave(people[0]!)
    // Its goodbye may be lost: then it has vanished.
    await room.run(13_000)
    expectAgreement(room)
    expect(people[1]!.last.suite).toBe('x-wing')
  }, 30_000)
})
