/**
 * Members of a call compare their group, against a delivery service and a relay that do not play fair.
 * Real MLS members, real statements; the network and the time are simulated.
 */

import { describe, expect, it } from 'vitest'
import { encodeLogEntry } from '../../moq/delivery/index.ts'
import { Sequencer } from '../../sfu/delivery/index.ts'
import { HostileRoom, type Watched } from './hostile-room.ts'
import { attachSignature, encodeStatement } from './statement.ts'

/** What issue and design allow: an alarm comes within this, ms. */
const IN_TIME = 5000

async function roomOf(...ids: string[]): Promise<HostileRoom> {
  const room = new HostileRoom(() => new Sequencer())
  for (const id of ids) {
    room.enter(id)
    await room.run(1000)
  }
  return room
}

function all(room: HostileRoom): Watched[] {
  return [...room.watched.values()]
}

function alarmsOf({ raised }: Watched): string[] {
  return [...raised.keys()].sort()
}

/** Ann and Bob each remove Cyn, by commits of their own that only one half of the room sees. */
async function fork(room: HostileRoom): Promise<number> {
  room.fork('bob')
  const at = room.clock.now()
  const left = { kind: 'left', participant: 'cyn' } as const
  const { epoch } = room.watched.get('ann')!.participant.last
  room.exit('cyn')
  room.forge(encodeLogEntry({ ...left, epoch }), 'ann', 'bob')
  await room.run(1000)
  expect(room.watched.get('bob')!.participant.last.epoch).toBe(epoch + 1)
  expect(room.watched.get('ann')!.participant.last.epoch).toBe(epoch + 1)
  return at
}

describe('members of an honest room', () => {
  it('raise no alarm while others come, go and vanish', async () => {
    const room = await roomOf('ann', 'bob', 'cyn')
    room.enter('dan')
    room.enter('eve')
    await room.run(8000)
    room.exit('bob')
    await room.run(8000)
    room.enter('bob')
    await room.run(20_000)
    const epochs = all(room).map(({ participant }) => participant.last)
    expect(new Set(epochs.map(({ verificationCode }) => verificationCode)).size).toBe(1)
    expect(epochs[0]!.roster).toHaveLength(5)
    for (const watched of all(room)) expect(alarmsOf(watched)).toEqual([])
  }, 20_000)

  it('raise none while they are in no group: nobody’s statements can be checked then', async () => {
    const room = await roomOf('ann', 'bob', 'cyn')
    const [ann, bob] = all(room)
    ann!.verifier.leave()
    ann!.participant.member.verify = async () => {
      throw new Error('not in the group now')
    }
    await room.run(8000)
    expect(alarmsOf(ann!)).toEqual([])
    expect(alarmsOf(bob!)).toEqual([])
  })

  it('raise none when they renew their keys', async () => {
    const room = await roomOf('ann', 'bob', 'cyn')
    for (const { participant } of all(room)) {
      participant.member.update()
      await room.run(3000)
    }
    for (const watched of all(room)) expect(alarmsOf(watched)).toEqual([])
  })
})

describe('a forked group', () => {
  it('raises `fork` on both sides within 5 s', async () => {
    const room = await roomOf('ann', 'bob', 'cyn')
    const at = await fork(room)
    await room.run(IN_TIME)
    const [ann, bob] = all(room)
    expect(ann!.raised.get('bob: fork')! - at).toBeLessThan(IN_TIME)
    expect(bob!.raised.get('ann: fork')! - at).toBeLessThan(IN_TIME)
  })

  it('raises `fork` when each is in a group of its own from the start', async () => {
    const room = new HostileRoom(() => new Sequencer())
    room.fork('bob')
    const at = room.clock.now()
    const [ann, bob] = [room.enter('ann'), room.enter('bob')]
    await room.run(IN_TIME)
    expect(ann.participant.last.roster).toHaveLength(1)
    expect(ann.raised.get('bob: fork')! - at).toBeLessThan(IN_TIME)
    expect(bob.raised.get('ann: fork')! - at).toBeLessThan(IN_TIME)
  })

  it('is not hidden by showing what a member said before', async () => {
    const room = await roomOf('ann', 'bob', 'cyn')
    let old: Uint8Array | null = null
    room.passes = (from, _to, statement) => {
      if (from === 'bob') old ??= statement
      return statement
    }
    await room.run(1500)
    room.passes = (from, to, statement) => (from === 'bob' && to === 'ann' ? old : statement)
    const at = await fork(room)
    await room.run(IN_TIME)
    const [ann] = all(room)
    expect(ann!.raised.get('bob: unconfirmed')! - at).toBeLessThan(IN_TIME)
  })
})

describe('a relay', () => {
  it('that alters statements makes them none, which raises `unconfirmed` within 5 s', async () => {
    const room = await roomOf('ann', 'bob', 'cyn')
    const at = room.clock.now()
    room.passes = (_from, _to, statement) => {
      const altered = statement.slice()
      altered[statement.length - 90]! ^= 1
      return altered
    }
    await room.run(IN_TIME)
    for (const watched of all(room)) {
      expect(watched.raised.size).toBe(2)
      for (const [alarm, raised] of watched.raised) {
        expect(alarm).toMatch(/: unconfirmed$/)
        expect(raised - at).toBeLessThan(IN_TIME)
      }
    }
    room.passes = (_from, _to, statement) => statement
    await room.run(1500)
    expect(all(room)[0]!.verifier.alarms('bob')).toEqual([])
  })

  it('that makes statements under keys of its own raises nothing about who confirms', async () => {
    const room = await roomOf('ann', 'bob')
    const [ann] = all(room)
    const rows = [{ group: '0'.repeat(16), epoch: 1, keyTag: '0'.repeat(32), logTag: null }]
    const forged = { sequence: 2 ** 50, participantId: 'bob', fingerprint: 'forged', rows }
    for (let i = 0; i < 60; i++) {
      const statement = attachSignature(encodeStatement(forged), new Uint8Array(64))
      ann!.verifier.hear('bob', statement)
      await room.run(100)
    }
    expect(alarmsOf(ann!)).toEqual([])
  })
})

describe('a group that was forked and merged again', () => {
  it('raises `fork-merged` within 5 s of the merge, though no statement passed before', async () => {
    const room = await roomOf('ann', 'bob', 'cyn', 'dan')
    room.passes = () => null
    await fork(room)
    const [ann, bob] = all(room)
    room.merge()
    // Bob cannot apply Ann's next commit, and joins anew.
    ann!.participant.member.update()
    const code = ({ participant }: Watched) => participant.last.verificationCode
    for (let s = 0; s < 20 && code(ann!) !== code(bob!); s++) await room.run(1000)
    expect(code(bob!)).toBe(code(ann!))
    expect(alarmsOf(ann!)).toEqual(['bob: unconfirmed', 'dan: unconfirmed'])

    room.passes = (_from, _to, statement) => statement
    const at = room.clock.now()
    await room.run(IN_TIME)
    expect(ann!.raised.get('bob: fork-merged')! - at).toBeLessThan(IN_TIME)
    expect(bob!.raised.get('ann: fork-merged')! - at).toBeLessThan(IN_TIME)
    expect(ann!.verifier.alarms('dan')).toEqual([])
    await room.run(60_000)
    expect(ann!.verifier.alarms('bob')).toEqual(['fork-merged'])
  })
})

describe('a ghost', () => {
  it('raises `ghost` within 5 s, and is listed', async () => {
    const room = await roomOf('ann', 'bob')
    const at = room.clock.now()
    room.enter('spy', { hidden: true })
    await room.run(IN_TIME)
    const [ann, bob] = all(room)
    for (const watched of [ann!, bob!]) {
      expect(watched.participant.last.roster).toHaveLength(3)
      expect(watched.raised.get('spy: ghost')! - at).toBeLessThan(IN_TIME)
      expect(watched.verifier.ghosts()).toEqual(['spy'])
    }
  })

  it('is one also when it was seen before, after the group had time to remove it', async () => {
    const room = await roomOf('ann', 'bob', 'spy')
    const [ann] = all(room)
    ann!.verifier.setAnnounced('spy', false)
    await room.run(11_000)
    expect(ann!.verifier.ghosts()).toEqual([])
    await room.run(2000)
    expect(ann!.verifier.ghosts()).toEqual(['spy'])
    ann!.verifier.setAnnounced('spy', true)
    expect(ann!.verifier.ghosts()).toEqual([])
  })
})

describe('a member that vanished', () => {
  it.each([
    ['shorter', 2000],
    ['longer', 30_000],
  ])('is no ghost while the group waits for it, though it waits %s', async (_, graceMs) => {
    const room = new HostileRoom(() => new Sequencer(), 1, graceMs)
    for (const id of ['ann', 'bob', 'cyn']) {
      room.enter(id)
      await room.run(1000)
    }
    room.drop('cyn')
    const [ann, bob] = all(room)
    await room.run(graceMs - 500)
    expect(ann!.participant.last.roster).toHaveLength(3)
    await room.run(5000)
    for (const watched of [ann!, bob!]) {
      expect(watched.participant.last.roster).toHaveLength(2)
      expect(alarmsOf(watched)).toEqual([])
    }
  })

  it('and that nobody removes is a ghost 2 s after the time for it', async () => {
    const room = new HostileRoom(() => new Sequencer(), 1, 4000)
    for (const id of ['ann', 'bob', 'cyn']) {
      room.enter(id)
      await room.run(1000)
    }
    const at = room.clock.now()
    room.submit = () => {}
    room.drop('cyn')
    const [ann] = all(room)
    await room.run(5900)
    expect(ann!.verifier.ghosts()).toEqual([])
    await room.run(500)
    expect(ann!.raised.get('cyn: ghost')! - at).toBeLessThan(6500)
  })
})

describe('a log that is not the same for all', () => {
  it('raises `log-differs` within 5 s', async () => {
    const room = await roomOf('ann', 'bob', 'cyn')
    const at = room.clock.now()
    const { epoch } = room.watched.get('ann')!.participant.last
    const entry = encodeLogEntry({ kind: 'left', participant: 'nobody', epoch })
    room.forge(entry, 'ann')
    await room.run(IN_TIME)
    const [ann, bob, cyn] = all(room)
    // Cyn came in by the newest commit: she does not vouch for its epoch.
    expect(alarmsOf(ann!)).toEqual(['bob: log-differs'])
    expect(bob!.raised.get('ann: log-differs')! - at).toBeLessThan(IN_TIME)
    expect(alarmsOf(cyn!)).toEqual([])
  })

  it('raises none when the others are only told later', async () => {
    const room = await roomOf('ann', 'bob', 'cyn')
    const { epoch } = room.watched.get('ann')!.participant.last
    const entry = encodeLogEntry({ kind: 'left', participant: 'nobody', epoch })
    room.forge(entry, 'ann')
    await room.run(1500)
    room.forge(entry, 'bob', 'cyn')
    await room.run(IN_TIME)
    for (const watched of all(room)) expect(alarmsOf(watched)).toEqual([])
  })

  it('raises `epoch-differs` within 5 s when commits are kept from somebody', async () => {
    const room = await roomOf('ann', 'bob', 'cyn')
    const at = room.clock.now()
    room.shows = (_entry, to) => to !== 'bob'
    room.watched.get('ann')!.participant.member.update()
    await room.run(IN_TIME + 500)
    const [ann, bob] = all(room)
    expect(ann!.raised.get('bob: epoch-differs')! - at).toBeLessThan(IN_TIME)
    expect(bob!.raised.get('ann: epoch-differs')! - at).toBeLessThan(IN_TIME)
  })
})
