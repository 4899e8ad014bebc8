/** The roster that a call tells, over real members of a group on a simulated network. */

import { describe, expect, it } from 'vitest'
import { PlainService } from '../../keys/plain-service.ts'
import { type Participant as Simulated, SimulatedRoom } from '../../keys/simulated-room.ts'
import type { Participant } from '../types.ts'
import { groupRoster } from './group-roster.ts'

const START = Date.UTC(2030, 0, 1)

function shown(id: string, name: string): Participant {
  const security = { alarms: [], alarmNames: [], safetyNumber: '' }
  return { id, name, local: false, speaking: false, tracks: [], ...security }
}

describe('the roster of a call', () => {
  it('tells of each member its leaf, name, key and since when, as this page has seen it', async () => {
    const room = new SimulatedRoom(new PlainService(), 'classical', 3)
    const ann = room.join('ann')
    await room.run(2000)
    const bob = room.join('bob')
    await room.run(2000)
    const cyn = room.join('cyn')
    await room.run(2000)

    const participants = [shown('ann', 'Ann'), shown('bob', 'Bob')]
    const of = ({ last }: Simulated) => groupRoster(last, participants)
    const keyOf = (id: string) =>
      cyn.last.roster.find(({ participantId }) => participantId === id)!.fingerprint
    const times = of(bob).map(({ since }) => since.time - START)
    expect(of(bob)).toEqual([
      {
        leaf: 0,
        id: 'ann',
        name: 'Ann',
        local: false,
        fingerprint: keyOf('ann'),
        since: { epoch: 1, time: START + times[0]!, wasBefore: true },
      },
      {
        leaf: 1,
        id: 'bob',
        name: 'Bob',
        local: true,
        fingerprint: keyOf('bob'),
        since: { epoch: 1, time: START + times[1]!, wasBefore: false },
      },
      {
        leaf: 2,
        id: 'cyn',
        // Its catalog was not read yet.
        name: '',
        local: false,
        fingerprint: keyOf('cyn'),
        since: { epoch: 2, time: START + times[2]!, wasBefore: false },
      },
    ])
    expect(times[1]).toBeGreaterThan(2000)
    expect(times[2]).toBeGreaterThan(4000)
    expect(new Set(of(bob).map(({ fingerprint }) => fingerprint)).size).toBe(3)
    // The founder was before nobody; who came last found both others there.
    expect(of(ann).map(({ since }) => since.wasBefore)).toEqual([false, false, false])
    expect(of(cyn).map(({ since }) => since.wasBefore)).toEqual([true, true, false])
  })

  it('has no member any more that was removed', async () => {
    const room = new SimulatedRoom(new PlainService(), 'classical', 3)
    const ann = room.join('ann')
    await room.run(2000)
    const bob = room.join('bob')
    await room.run(2000)
    room.leave(bob)
    await room.run(2000)
    expect(groupRoster(ann.last, []).map(({ id }) => id)).toEqual(['ann'])
  })
})
