import { describe, expect, it } from 'vitest'
import { Sequencer } from '../../sfu/delivery/sequencer.ts'
import { SimulatedRoom } from './simulated-room.ts'
import { decodeSaved } from './state-codec.ts'
import { MemoryStateStore, type StateSlot } from './state-store.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

async function roomOf(store: MemoryStateStore, ...ids: string[]): Promise<SimulatedRoom> {
  const room = new SimulatedRoom(new Sequencer(), 'classical', 5)
  for (const id of ids) {
    room.join(id, { slot: await store.open(id) })
    await room.run(2000)
  }
  return room
}

async function reload(room: SimulatedRoom, store: MemoryStateStore, id: string, awayMs: number) {
  const before = room.connected().find((one) => one.id === id)!
  room.crash(before)
  await room.run(awayMs)
  const slot = await store.open(id)
  expect(slot).not.toBeNull()
  return { before, after: room.join(id, { slot }) }
}

describe('a member that comes back after a reload', () => {
  it('keeps its leaf and its key, and says nothing of an epoch before its own new one', async () => {
    const store = new MemoryStateStore()
    const room = await roomOf(store, 'ann', 'bob', 'cyn')
    const [ann] = room.participants
    const { before, after } = await reload(room, store, 'bob', 3000)
    await room.run(3000)
    expect(after.states).toEqual(['restoring', 'member'])
    expect(after.epochs.map(({ epoch, reason }) => [epoch, reason])).toEqual([[3, 'restored']])
    expect(after.last.leaf).toBe(before.last.leaf)
    expect(ann!.last.verificationCode).toBe(after.last.verificationCode)
    expect(ann!.last).toMatchObject({ epoch: 3, reason: 'updated', removed: [] })
    const prints = [before, after].map(
      ({ last }) => last.roster.find(({ participantId }) => participantId === 'bob')!.fingerprint,
    )
    expect(prints[0]).toBe(prints[1])
    const used = new Set(before.epochs.map(({ baseKey }) => hex(baseKey)))
    for (const { baseKey } of after.epochs) expect(used.has(hex(baseKey))).toBe(false)
  })

  it('catches up by the log first, and sends in no epoch that it caught up with', async () => {
    const store = new MemoryStateStore()
    const room = await roomOf(store, 'ann', 'bob', 'cyn')
    const [ann, , cyn] = room.participants
    room.crash(room.participants[1]!)
    ann!.member.update()
    await room.run(1000)
    room.leave(cyn!)
    await room.run(1000)
    room.join('dan')
    await room.run(1000)
    expect(ann!.last.epoch).toBe(5)
    const after = room.join('bob', { slot: await store.open('bob') })
    await room.run(5000)
    expect(after.states).toEqual(['restoring', 'member'])
    expect(after.epochs.map(({ epoch }) => epoch)).toEqual([6])
    expect(after.last.verificationCode).toBe(ann!.last.verificationCode)
    expect(after.last.roster.map(({ participantId }) => participantId).sort()).toEqual([
      'ann',
      'bob',
      'dan',
    ])
  })

  it('joins anew where it was removed meanwhile', async () => {
    const store = new MemoryStateStore()
    const room = await roomOf(store, 'ann', 'bob')
    const { after } = await reload(room, store, 'bob', 15_000)
    expect(room.participants[0]!.last.roster).toHaveLength(1)
    await room.run(5000)
    expect(after.states).toEqual(['restoring', 'waiting', 'joining', 'member'])
    expect(after.last.roster).toHaveLength(2)
    expect(after.failure).toBeNull()
  })

  it('joins anew where the log does not reach back to its state', async () => {
    const store = new MemoryStateStore()
    const room = new SimulatedRoom(new Sequencer({ logEntries: 1 }), 'classical', 5)
    for (const id of ['ann', 'bob']) {
      room.join(id, { slot: await store.open(id) })
      await room.run(2000)
    }
    room.crash(room.participants[1]!)
    for (let i = 0; i < 3; i++) {
      room.participants[0]!.member.update()
      await room.run(1000)
    }
    const after = room.join('bob', { slot: await store.open('bob') })
    await room.run(10_000)
    expect(after.states).toEqual(['restoring', 'waiting', 'joining', 'member'])
    expect(after.last.verificationCode).toBe(room.participants[0]!.last.verificationCode)
  })

  it('creates a group where the service has none any more', async () => {
    const store = new MemoryStateStore()
    const room = await roomOf(store, 'ann')
    room.crash(room.participants[0]!)
    await room.run(1)
    room.service = new Sequencer()
    const after = room.join('ann', { slot: await store.open('ann') })
    await room.run(5000)
    expect(after.states).toEqual(['restoring', 'waiting', 'creating', 'member'])
  })

  it('cannot use its state a second time: it is gone once it was read', async () => {
    const store = new MemoryStateStore()
    const room = await roomOf(store, 'ann', 'bob')
    room.crash(room.participants[1]!)
    await room.run(1)
    const first = await store.open('bob')
    expect(await store.open('bob')).toBeNull()
    const after = room.join('bob', { slot: first })
    await after.member.idle()
    expect(after.state).toBe('restoring')
    room.crash(after)
    await after.member.idle()
    const again = room.join('bob', { slot: await store.open('bob') })
    await room.run(5000)
    expect(again.states).toEqual(['joining', 'member'])
    expect(again.last.roster).toHaveLength(2)
  })

  it('leaves nothing behind when it says goodbye', async () => {
    const store = new MemoryStateStore()
    const room = await roomOf(store, 'ann', 'bob')
    const slot = room.participants[1]!
    slot.member.leave()
    await room.run(2000)
    const opened = await store.open('bob')
    expect(await opened!.take()).toBeNull()
  })
})

describe('what is stored', () => {
  it('is a state without the exporter secret: the keys of media do not follow from it', async () => {
    const store = new MemoryStateStore()
    const room = await roomOf(store, 'ann')
    const [ann] = room.participants
    ann!.member.suspend()
    await ann!.member.idle()
    const bytes = await (await store.open('ann'))!.take()
    const saved = decodeSaved(bytes!)
    expect(saved).toMatchObject({ participantId: 'ann', suite: 'classical' })
    expect(hex(saved!.group!.keySchedule.exporterSecret)).toMatch(/^0+$/)
    expect(hex(bytes!)).not.toContain(hex(ann!.last.baseKey))
  })

  it('is there as soon as its member is in the group, however the page ends', async () => {
    const store = new MemoryStateStore()
    const room = new SimulatedRoom(new Sequencer(), 'classical', 5)
    const slot = await store.open('ann')
    const ann = room.join('ann', { slot })
    const isMember = new Promise<void>((resolve) => {
      ann.onState = (state) => {
        if (state === 'member') ann.work.push(ann.member.idle().then(resolve))
      }
    })
    void isMember.then(() => slot!.close())
    await room.run(300)
    await isMember
    const bytes = await (await store.open('ann'))!.take()
    expect(decodeSaved(bytes!)!.group!.groupContext.epoch).toBe(0n)
  })

  it('is of the newest epoch when the page goes, of which nothing was stored yet', async () => {
    const store = new MemoryStateStore()
    const room = await roomOf(store, 'ann')
    const [ann] = room.participants
    ann!.onEpoch = () => ann!.work.push(ann!.member.idle().then(() => room.crash(ann!)))
    ann!.member.update()
    await room.run(300)
    expect(ann!.last.epoch).toBe(1)
    const bytes = await (await store.open('ann'))!.take()
    expect(decodeSaved(bytes!)!.group!.groupContext.epoch).toBe(1n)
  })

  it('is refused when damaged', async () => {
    const store = new MemoryStateStore()
    const room = await roomOf(store, 'ann')
    room.crash(room.participants[0]!)
    await room.run(1)
    const bytes = await (await store.open('ann'))!.take()
    for (const length of [0, 1, 30, bytes!.length - 1]) {
      expect(decodeSaved(bytes!.subarray(0, length))).toBeNull()
    }
    expect(decodeSaved(Uint8Array.of(9, ...bytes!.subarray(1)))).toBeNull()
  })

  it('that cannot be read or written disturbs nothing, and is told once', async () => {
    const broken: StateSlot = {
      take: () => Promise.reject(new Error('quota')),
      save: () => Promise.reject(new Error('quota')),
      clear: () => Promise.reject(new Error('quota')),
      close: () => {},
    }
    const room = new SimulatedRoom(new Sequencer(), 'classical', 5)
    const ann = room.join('ann', { slot: broken })
    await room.run(2000)
    expect(ann.state).toBe('member')
    room.join('bob')
    await room.run(2000)
    expect(ann.last.epoch).toBe(1)
    expect(ann.alarms.map(({ code }) => code)).toEqual(['state-not-kept'])
  })
})
