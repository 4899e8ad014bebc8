/** Callers that lose their connection, over a real relay and a real delivery service in memory. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { stubCodecs } from '../../media/fake-codecs.ts'
import { ReconnectWorld, RIGHT } from './reconnect-world.ts'

beforeEach(stubCodecs)
afterEach(() => vi.unstubAllGlobals())

async function call() {
  const world = new ReconnectWorld()
  const ann = await world.enter('ann')
  const bob = await world.enter('bob')
  await world.until(() => ann.heardOf('bob') > 0 && bob.heardOf('ann') > 0)
  return { world, ann, bob }
}

describe('a connection that is lost', () => {
  it('is replaced at once, by the same member and with its tracks as they were', async () => {
    const { world, ann, bob } = await call()
    const { leaf, epoch } = bob.epoch
    const before = { ann: ann.heardOf('bob'), bob: bob.heardOf('ann') }
    bob.reconnector.connection!.session.transport.close(0, 'the network went')
    const ms = await world.until(
      () =>
        bob.lost.length === 2 &&
        bob.heardOf('ann') > before.bob + 20 &&
        ann.heardOf('bob') > before.ann + 20,
    )
    expect(ms).toBeLessThan(2000)
    await world.run(15_000)
    expect(bob.epoch).toMatchObject({ leaf, epoch })
    expect(ann.epoch.roster.map(({ participantId }) => participantId)).toEqual(['ann', 'bob'])
    expect(ann.epoch.epoch).toBe(epoch)
    expect([ann.failuresOf('bob'), bob.failuresOf('ann')]).toEqual([0, 0])
    expect(bob.lost).toEqual([true, false])
  })

  it('without a word is found out, and left for another one before QUIC knows', async () => {
    const { world, ann, bob } = await call()
    const { leaf } = bob.epoch
    bob.cut()
    const noticed = await world.until(() => bob.lost.length === 1)
    expect(noticed).toBeLessThan(3500)
    await world.run(1500)
    expect(ann.other('bob')).toBeDefined()
    expect(bob.other('ann')).toBeDefined()
    bob.hasNetwork = true
    const heard = { ann: ann.heardOf('bob'), bob: bob.heardOf('ann') }
    const back = await world.until(
      () => ann.heardOf('bob') > heard.ann && bob.heardOf('ann') > heard.bob,
    )
    // The old session is at the relay still, and in nobody's way.
    expect(back).toBeLessThan(2000)
    await world.run(3000)
    expect(bob.epoch.leaf).toBe(leaf)
    expect(ann.room.remotes.infos().map(({ id }) => id)).toEqual(['bob'])
    expect(ann.failuresOf('bob')).toBe(0)
  })

  it('comes back with the keys of epochs that passed meanwhile', async () => {
    const { world, ann, bob } = await call()
    const { leaf } = bob.epoch
    bob.cut()
    await world.until(() => bob.lost.length === 1)
    for (let update = 0; update < 3; update++) {
      ann.room.group.member.update()
      await world.run(300)
    }
    expect(ann.epoch.epoch - bob.epoch.epoch).toBe(3)
    bob.hasNetwork = true
    const heard = bob.heardOf('ann')
    const back = await world.until(() => {
      return bob.epoch.epoch === ann.epoch.epoch && bob.heardOf('ann') > heard + 10
    })
    expect(back).toBeLessThan(2000)
    await world.run(500)
    expect(bob.epoch.leaf).toBe(leaf)
    expect(bob.epoch.verificationCode).toBe(ann.epoch.verificationCode)
    expect(bob.failuresOf('ann')).toBe(0)
    expect(bob.room.group.alarms).toEqual([])
    expect(bob.room.group.member.dump().rejoins).toBe(0)
  })

  it('keeps everybody where they are seen, also who comes back in a moment', async () => {
    const { world, ann, bob } = await call()
    let gone = 0
    const watch = () => {
      if (!ann.other('bob') || !bob.other('ann')) gone++
    }
    bob.reconnector.connection!.session.transport.close(0, 'the network went')
    bob.hasNetwork = false
    for (let ms = 0; ms < 1500; ms += 20) {
      await world.run(20)
      watch()
    }
    bob.hasNetwork = true
    for (let ms = 0; ms < 8000; ms += 20) {
      await world.run(20)
      watch()
    }
    expect(gone).toBe(0)
    // Ann leaves for good: she is gone when the group knows it.
    void ann.room.group.leave()
    await world.run(500)
    ann.reconnector.close('left')
    expect(await world.until(() => bob.other('ann') === undefined)).toBeLessThan(500)
  })

  it('is given up after the time that is set, with the reason', async () => {
    const world = new ReconnectWorld()
    const ann = await world.enter('ann', { giveUpMs: 5000 })
    ann.hasNetwork = false
    ann.reconnector.connection!.session.transport.close(0, 'the network went')
    await world.run(4500)
    expect(ann.failed).toEqual([])
    await world.run(2500)
    expect(ann.failed.map(({ code }) => code)).toEqual(['disconnected'])
  })
})

describe('a relay that goes away (GOAWAY, section 10.4)', () => {
  it('is left once the next one serves, and no sound is lost either way', async () => {
    const { world, ann, bob } = await call()
    const before = { ann: ann.heardOf('bob'), bob: bob.heardOf('ann') }
    const spoken = { ann: ann.spoken, bob: bob.spoken }
    const old = bob.reconnector.connection!
    for (const { wires } of world.callers) wires[0]!.peer.session.goaway('', 0)
    await world.until(() => bob.reconnector.connection !== old)
    expect(old.session.closed).toBe(false)
    await world.until(() => old.session.closed, 9000)
    await world.run(1000)
    expect(bob.lost).toEqual([])
    expect(ann.heardOf('bob') - before.ann).toBeGreaterThanOrEqual(bob.spoken - spoken.bob - 2)
    expect(bob.heardOf('ann') - before.bob).toBeGreaterThanOrEqual(ann.spoken - spoken.ann - 2)
  })
})

describe('a relay that has the room elsewhere (REDIRECT, section 10.6.1)', () => {
  it('sends a caller there at the join, who hears nothing of it', async () => {
    const world = new ReconnectWorld()
    const ann = await world.enter('ann')
    world.hasDoor = true
    const bob = await world.enter('bob')
    expect(bob.wires).toHaveLength(2)
    expect(bob.wires[0]?.peer.session.closed).toBe(true)
    await world.until(() => ann.heardOf('bob') > 20 && bob.heardOf('ann') > 20)
    expect([bob.lost, bob.failed]).toEqual([[], []])
    expect(bob.epoch.verificationCode).toBe(ann.epoch.verificationCode)
  })

  it('sends a caller there who comes back by the address of the call', async () => {
    const { world, ann, bob } = await call()
    world.hasDoor = true
    const { leaf } = bob.epoch
    const heard = bob.heardOf('ann')
    bob.reconnector.connection!.session.transport.close(0, 'the worker ended')
    expect(await world.until(() => bob.heardOf('ann') > heard + 20)).toBeLessThan(2000)
    expect(bob.lost).toEqual([true, false])
    expect(bob.epoch.leaf).toBe(leaf)
    expect(ann.failuresOf('bob')).toBe(0)
  })

  it('is not followed for ever, nor to what is no relay', async () => {
    const world = new ReconnectWorld()
    world.hasDoor = true
    world.sentTo = 'https://door.example/'
    const circling = await world.enter('circling')
    expect(circling.dials).toBe(9)
    expect(circling.failed).not.toEqual([])
    world.sentTo = 'moqt://right.example/'
    const misled = await world.enter('misled')
    expect(misled.dials).toBe(1)
    expect(misled.failed).not.toEqual([])
    world.sentTo = RIGHT
    expect((await world.enter('ann')).failed).toEqual([])
  })
})
