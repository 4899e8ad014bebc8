import { beforeAll, describe, expect, it } from 'vitest'
import { Sequencer } from '../../sfu/delivery/sequencer.ts'
import { type Participant, SimulatedRoom } from './simulated-room.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytes = (text: string) => new TextEncoder().encode(text)

let room: SimulatedRoom
let ann: Participant
let bob: Participant

beforeAll(async () => {
  room = new SimulatedRoom(new Sequencer(), 'classical', 4)
  ann = room.join('ann')
  await room.run(2000)
  bob = room.join('bob')
  await room.run(2000)
})

describe('a secret that a member exports (RFC 9420 section 8.5)', () => {
  it('is the same for every member, and another for another label, context or epoch', async () => {
    const context = bytes('7')
    const one = await ann.member.exportSecret('chat', context, 48)
    expect(one).toEqual(await bob.member.exportSecret('chat', context, 48))
    expect(one.epoch).toBe(1)
    expect(one.secret).toHaveLength(48)
    const others = [
      await ann.member.exportSecret('chit', context, 48),
      await ann.member.exportSecret('chat', bytes('8'), 48),
    ]
    ann.member.update()
    await room.run(1000)
    others.push(await ann.member.exportSecret('chat', context, 48))
    expect(others[2]).toEqual(await bob.member.exportSecret('chat', context, 48))
    for (const { secret } of others) expect(hex(secret)).not.toBe(hex(one.secret))
    // Not the key of media, whatever the label.
    const media = await ann.member.exportSecret('SFrame 1.0 Base Key', new Uint8Array(0), 32)
    expect(hex(media.secret)).not.toBe(hex(ann.last.baseKey))
  })

  it('is none for who is not in the group', async () => {
    const cyn = room.join('cyn')
    const early = cyn.member.exportSecret('chat', new Uint8Array(0), 32)
    await expect(early).rejects.toMatchObject({ code: 'not-a-member' })
    await expect(cyn.member.sign('x', bytes('y'))).rejects.toMatchObject({ code: 'not-a-member' })
    room.leave(cyn)
    await room.run(3000)
  })
})

describe('a signature by a member', () => {
  it('is verified by the others against its leaf', async () => {
    const signature = await ann.member.sign('Sotto Test', bytes('hello'))
    const verify = (id: string, label: string, text: string) =>
      bob.member.verify(id, label, bytes(text), signature)
    expect(await verify('ann', 'Sotto Test', 'hello')).toBe(true)
    expect(await verify('ann', 'Sotto Test', 'hullo')).toBe(false)
    expect(await verify('ann', 'Sotto Rest', 'hello')).toBe(false)
    expect(await verify('bob', 'Sotto Test', 'hello')).toBe(false)
    expect(await verify('eve', 'Sotto Test', 'hello')).toBe(false)
    const broken = await bob.member.verify('ann', 'Sotto Test', bytes('hello'), new Uint8Array(3))
    expect(broken).toBe(false)
  })
})

describe('the roster', () => {
  it('says who is in since which epoch and time', async () => {
    const room = new SimulatedRoom(new Sequencer(), 'classical', 4)
    const ann = room.join('ann')
    await room.run(2000)
    room.join('bob')
    await room.run(2000)
    ann.member.update()
    await room.run(2000)
    const cyn = room.join('cyn')
    await room.run(2000)
    const since = (who: Participant) =>
      who.member.roster.map(({ participantId, since }) => [participantId, since.epoch])
    expect(since(ann)).toEqual([
      ['ann', 0],
      ['bob', 1],
      ['cyn', 3],
    ])
    // Whoever comes later has seen the others from then on only.
    expect(since(cyn)).toEqual([
      ['ann', 3],
      ['bob', 3],
      ['cyn', 3],
    ])
    const times = ann.member.roster.map(({ since }) => since.time - Date.UTC(2030, 0, 1))
    expect(times[0]).toBeLessThan(2000)
    expect(times[1]).toBeGreaterThan(2000)
    expect(times[2]).toBeGreaterThan(6000)
  })

  it('counts from the start again in a group that was founded anew', async () => {
    const room = new SimulatedRoom(new Sequencer(), 'classical', 4)
    const ann = room.join('ann')
    await room.run(2000)
    for (let i = 0; i < 3; i++) {
      ann.member.update()
      await room.run(2000)
    }
    room.service = new Sequencer()
    ann.member.setOnline(false)
    ann.member.setOnline(true)
    await room.run(30_000)
    expect(ann.alarms.map(({ code }) => code)).toEqual(['group-replaced'])
    room.join('bob')
    await room.run(2000)
    expect(ann.member.roster.map(({ since }) => since.epoch)).toEqual([0, 1])
  })
})
