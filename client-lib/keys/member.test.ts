import fc from 'fast-check'
import type { Ciphersuite } from 'ts-mls'
import { describe, expect, it } from 'vitest'
import { decodeSnapshot, encodeLogEntry, encodeSnapshot } from '../../moq/delivery/index.ts'
import { Sequencer } from '../../sfu/delivery/sequencer.ts'
import { mixedCryptoProvider } from './crypto-provider.ts'
import { MlsMember } from './member.ts'
import type { MemberEvents, MemberOptions } from './member-types.ts'
import { SerialQueue } from './serial-queue.ts'
import { FakeClock, type Participant, type Service, SimulatedRoom } from './simulated-room.ts'

const codes = ({ alarms }: Participant): string[] => alarms.map(({ code }) => code)

function newRoom(service: Service = new Sequencer()): SimulatedRoom {
  return new SimulatedRoom(service, 'classical', 11)
}

/** A service that answers as it should but for what a test replaces. */
function tampering(change: Partial<Service>): Service {
  const honest = new Sequencer()
  return {
    submit: (room, participant, bytes, now) => honest.submit(room, participant, bytes, now),
    snapshot: (room) => honest.snapshot(room),
    log: (room) => honest.log(room),
    ...change,
  }
}

describe('the suite of a room', () => {
  it('is adopted by a newcomer who asked for another, and told once', async () => {
    const room = newRoom()
    room.join('ann')
    await room.run(1000)
    const bob = room.join('bob', { suite: 'x-wing' })
    await room.run(2000)
    expect(bob.last.suite).toBe('classical')
    expect(codes(bob)).toEqual(['suite-adopted'])
    expect(bob.alarms[0]?.message).toBe('the room has suite classical, not x-wing')
  })

  it('is refused by one who requires another', async () => {
    const room = newRoom()
    room.join('ann')
    await room.run(1000)
    const bob = room.join('bob', { suite: 'x-wing', suitePolicy: 'require' })
    await room.run(2000)
    expect(bob.failure).toMatchObject({ code: 'suite-mismatch' })
    expect(bob.epochs).toEqual([])
  })

  it('cannot be renamed by the service', async () => {
    const honest = new Sequencer()
    const room = newRoom(honest)
    room.join('ann')
    await room.run(1000)
    room.service = tampering({
      snapshot: (name) => {
        const snapshot = decodeSnapshot(honest.snapshot(name))
        return encodeSnapshot(snapshot && { ...snapshot, suite: 'x-wing' })
      },
    })
    const bob = room.join('bob', { settings: { maxTries: 2 } })
    await room.run(20_000)
    expect(bob.failure).toMatchObject({ code: 'suite-mismatch' })
  })
})

describe.each(['x-wing', 'classical', 'p256'] as const)('a room of suite %s', (suite) => {
  it('is created, joined, updated and left', async () => {
    const room = new SimulatedRoom(new Sequencer(), suite, 12)
    const ann = room.join('ann')
    await room.run(1000)
    const bob = room.join('bob')
    await room.run(1000)
    bob.member.update()
    await room.run(1000)
    room.join('cyn')
    await room.run(1000)
    room.leave(ann)
    await room.run(2000)
    expect(bob.last).toMatchObject({ suite, epoch: 4, reason: 'member-left' })
    expect(bob.last.roster).toHaveLength(2)
    expect(bob.last.verificationCode).toBe(room.participants[2]!.last.verificationCode)
    expect(room.participants.flatMap(({ alarms }) => alarms)).toEqual([])
  })

  it('tells who comes with a client that does not know the suite, at once', async () => {
    const room = new SimulatedRoom(new Sequencer(), suite, 12)
    room.join('ann')
    await room.run(1000)
    const named = Buffer.from(room.service.snapshot('room')).toString('latin1')
    // The name of a suite of the future, of the same length.
    const renamed = Buffer.from(named.replace(suite, suite.toUpperCase()), 'latin1')
    room.service = tampering({ snapshot: () => renamed })
    const bob = room.join('bob')
    await room.run(1000)
    expect(bob.failure).toMatchObject({ code: 'suite-unsupported' })
    expect(bob.failure?.message).toContain(suite.toUpperCase())
  })
})

describe('a client without P-256', () => {
  const missing = async () => {
    throw new Error('no P-256')
  }

  it.each([
    ['at all', { getCiphersuiteImpl: missing }],
    [
      'signatures',
      {
        async getCiphersuiteImpl(suite: Ciphersuite) {
          const impl = await mixedCryptoProvider.getCiphersuiteImpl(suite)
          return { ...impl, signature: { ...impl.signature, keygen: missing } }
        },
      },
    ],
    [
      'key exchange',
      {
        async getCiphersuiteImpl(suite: Ciphersuite) {
          const impl = await mixedCryptoProvider.getCiphersuiteImpl(suite)
          return { ...impl, hpke: { ...impl.hpke, generateKeyPair: missing } }
        },
      },
    ],
  ])('%s is told the name of the suite of a room that has it, and does not join', async (_, crypto) => {
    const room = new SimulatedRoom(new Sequencer(), 'p256', 12)
    const ann = room.join('ann')
    await room.run(1000)
    const bob = room.join('bob', { suite: 'classical', crypto })
    await room.run(2000)
    expect(bob.failure).toMatchObject({ code: 'suite-unsupported', suite: 'p256' })
    expect(bob.failure?.message).toBe('suite p256 is not supported here: no P-256')
    expect(bob.epochs).toEqual([])
    expect(ann.last.roster).toHaveLength(1)
  })
})

describe('handshake messages that come again', () => {
  it('change nothing, however old they are and in whatever order they come', async () => {
    const room = newRoom()
    const submissions: [Participant, Uint8Array][] = []
    room.tamper = (from, submission) => {
      submissions.push([from, submission])
      return submission
    }
    const ann = room.join('ann')
    await room.run(1000)
    const bob = room.join('bob')
    await room.run(1000)
    const cyn = room.join('cyn')
    await room.run(1000)
    bob.member.update()
    await room.run(1000)
    room.leave(cyn)
    await room.run(2000)
    const members = [ann, bob]
    const state = () =>
      members.map(({ member, epochs, alarms, states }) => {
        return { ...member.dump(), roster: member.roster, epochs: epochs.length, alarms, states }
      })
    const before = JSON.stringify(state())
    const log = room.service.log('room').map(({ bytes }) => bytes)
    const snapshot = room.service.snapshot('room')
    expect(log.length).toBeGreaterThanOrEqual(5)

    // As a relay would that sends what it has once more.
    for (const { member } of members) {
      for (const entry of [...log, ...log.toReversed()]) member.onLogEntry(entry)
      member.onSnapshot(snapshot)
    }
    // As a member, or who recorded one, would that submits what was taken once more.
    for (const [from, submission] of submissions.slice()) {
      room.service.submit('room', from.id, submission, room.wallClock())
    }
    await room.run(10_000)
    expect(JSON.stringify(state())).toBe(before)
    expect(room.service.log('room').map(({ bytes }) => bytes)).toEqual(log)
    expect(room.service.snapshot('room')).toEqual(snapshot)
  })
})

describe('a signature key that was given', () => {
  it('must be of the room’s suite', async () => {
    const room = new SimulatedRoom(new Sequencer(), 'p256', 12)
    const keys = { publicKey: new Uint8Array(32), signKey: new Uint8Array(32) }
    const ann = room.join('ann', { signatureKeys: keys })
    await room.run(1000)
    expect(ann.failure).toMatchObject({ code: 'suite-mismatch' })
  })

  it('and was made here is made anew for a room of another kind of suite', async () => {
    const room = new SimulatedRoom(new Sequencer(), 'p256', 12)
    const ann = room.join('ann')
    const bob = room.join('bob', { suite: 'x-wing' })
    await room.run(5000)
    expect(bob.last.suite).toBe(ann.last.suite)
    expect(bob.last.verificationCode).toBe(ann.last.verificationCode)
    expect([...codes(ann), ...codes(bob)]).toEqual(['suite-adopted'])
  })
})

describe('a service that misbehaves', () => {
  it('and is silent makes a newcomer fail after a bounded time', async () => {
    const room = newRoom(tampering({ submit: () => ({ accepted: false, reason: 'mood' }) }))
    const ann = room.join('ann', { settings: { maxTries: 3 } })
    await room.run(60_000)
    expect(ann.failure).toMatchObject({ code: 'no-answer' })
    expect(ann.epochs).toEqual([])
  })

  it('and takes no removal leaves the members in their epoch, with an alarm', async () => {
    const honest = new Sequencer()
    const room = newRoom(honest)
    const ann = room.join('ann', { settings: { maxTries: 2 } })
    await room.run(1000)
    const bob = room.join('bob')
    await room.run(2000)
    room.service = tampering({
      submit: () => ({ accepted: false, reason: 'mood' }),
      snapshot: (name) => honest.snapshot(name),
    })
    room.vanish(bob)
    await room.run(40_000)
    expect(ann.state).toBe('member')
    expect(codes(ann)).toContain('no-answer')
    room.service = honest
    await room.run(30_000)
    expect(ann.last.roster).toHaveLength(1)
  })

  it('and sends anything at all never breaks a member', async () => {
    const room = newRoom()
    const ann = room.join('ann')
    room.join('bob')
    await room.run(5000)
    const epoch = ann.last.epoch
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1 }), fc.boolean(), async (bytes, asEntry) => {
        if (asEntry) ann.member.onLogEntry(bytes)
        else ann.member.onSnapshot(bytes)
        await ann.member.idle()
      }),
      { numRuns: 200 },
    )
    await room.run(10_000)
    expect(ann.last.epoch).toBe(epoch)
    expect([ann.state, ann.failure]).toEqual(['member', null])
    expect(new Set(codes(ann))).toEqual(new Set(['malformed']))
  })

  it('and passes a broken commit on is survived by joining anew', async () => {
    const room = newRoom()
    const ann = room.join('ann')
    await room.run(1000)
    const bob = room.join('bob')
    await room.run(2000)
    const next = ann.last.epoch + 1
    const commit = Uint8Array.from({ length: 40 }, (_, i) => i)
    ann.member.onLogEntry(encodeLogEntry({ kind: 'commit', epoch: next, participant: 'x', commit }))
    await room.run(5000)
    expect(codes(ann)).toContain('rejoining')
    expect(ann.last.verificationCode).toBe(bob.last.verificationCode)
    expect(ann.last.roster).toHaveLength(2)
  })
})

describe('authentication', () => {
  it('keeps a newcomer out of a room with a member whose key it refuses', async () => {
    const room = newRoom()
    room.join('ghost')
    await room.run(1000)
    const bob = room.join('bob', {
      authenticate: (claim) => (claim.participantId === 'bob' ? null : 'is a ghost'),
    })
    await room.run(2000)
    expect(bob.failure).toMatchObject({ code: 'identity-refused' })
    expect(bob.epochs).toEqual([])
  })

  it('is asked with the fingerprint that the roster shows', async () => {
    const asked = new Map<string, string>()
    const room = newRoom()
    room.join('ann', {
      authenticate: ({ participantId, fingerprint }) => {
        asked.set(participantId, fingerprint)
        return null
      },
    })
    await room.run(1000)
    const bob = room.join('bob')
    await room.run(2000)
    const own = bob.last.roster.find(({ participantId }) => participantId === 'bob')!
    expect(asked.get('bob')).toBe(own.fingerprint)
  })
})

describe('a contended room', () => {
  it('makes a newcomer give up after a bounded number of lost races', async () => {
    const honest = new Sequencer()
    const room = newRoom(honest)
    room.join('ann')
    await room.run(1000)
    const stale = honest.snapshot('room')
    room.join('bob')
    await room.run(2000)
    room.service = tampering({ snapshot: () => stale, log: (name) => honest.log(name) })
    const cyn = room.join('cyn', { settings: { maxTries: 4, answerMs: 100 } })
    await room.run(60_000)
    expect(['contention', 'no-answer']).toContain((cyn.failure as { code?: string } | null)?.code)
  })
})

describe('output', () => {
  it('is not disturbed by a listener that throws', async () => {
    const clock = new FakeClock()
    const sequencer = new Sequencer()
    const alarms: string[] = []
    let epochs = 0
    const member: MlsMember = new MlsMember({
      participantId: 'ann',
      suite: 'classical',
      clock,
      random: () => 0.5,
      events: {
        submit: (bytes) => {
          const result = sequencer.submit('room', 'ann', bytes, clock.now())
          if (result.accepted) for (const { bytes } of result.records) member.onLogEntry(bytes)
        },
        requestSnapshot: () => member.onSnapshot(sequencer.snapshot('room')),
        requestLog: () => {},
        onEpoch: () => {
          epochs += 1
          throw new Error('listener')
        },
        onState: () => {
          throw new Error('listener')
        },
        onAlarm: ({ code }) => {
          alarms.push(code)
          throw new Error('listener')
        },
        onFailed: () => {},
      } satisfies MemberEvents,
    } satisfies MemberOptions)
    member.start()
    do await member.idle()
    while (clock.step(5000))
    expect(member.dump()).toMatchObject({ state: 'member', epoch: 0, members: ['ann'] })
    expect(epochs).toBe(1)
    expect(alarms).toEqual(['internal', 'internal', 'internal'])
  })

  it('ends with leaving; what comes later is ignored', async () => {
    const room = newRoom()
    const ann = room.join('ann')
    await room.run(1000)
    ann.member.leave()
    ann.member.onSnapshot(new Uint8Array(0))
    ann.member.setPresent('bob', false)
    await room.run(60_000)
    expect(ann.states).toEqual(['creating', 'member', 'left'])
    expect(ann.epochs).toHaveLength(1)
  })
})

describe('SerialQueue', () => {
  it('runs work in order, past failures', async () => {
    const seen: unknown[] = []
    const queue = new SerialQueue((error) => void seen.push(error))
    queue.run(async () => {
      await Promise.resolve()
      seen.push(1)
      queue.run(() => void seen.push(4))
    })
    queue.run(() => {
      throw 2
    })
    queue.run(async () => void seen.push(3))
    await queue.idle()
    expect(seen).toEqual([1, 2, 3, 4])
  })
})
