/** Over a real relay with its real service for speakers. */

import { describe, expect, it } from 'vitest'
import {
  parseParticipantNamespace,
  parseRelayNamespace,
  participantNamespace,
  roomNamespace,
} from '../../../moq/media/index.ts'
import { FeedbackEndpoint } from '../../../sfu/feedback/index.ts'
import { RelayWorld } from '../../../sfu/relay/test-world.ts'
import type { Participant, TrackInfo } from '../types.ts'
import { ActiveSpeakers } from './active-speakers.ts'

const ROOM = 'demo'
/** RFC 6464: the voice bit, and how far below the loudest, dB. */
const VOICE = 0x80
const LOUD = 20
const QUIET = 90

function participant(id: string, audioLevel: number, muted = false): Participant {
  const track = { kind: 'audio', muted, audioLevel } as TrackInfo
  return {
    id,
    name: id,
    local: false,
    alarms: [],
    alarmNames: [],
    safetyNumber: '',
    speaking: false,
    tracks: [track],
  }
}

const quiet = [participant('ann', 0), participant('bob', 0)]

function world() {
  const relay = new RelayWorld()
  const session = relay.client({})
  let changes = 0
  const speakers = new ActiveSpeakers({
    session,
    room: ROOM,
    clock: relay.clock,
    onChange: () => changes++,
  })
  return { relay, session, speakers, changes: () => changes }
}

describe('who speaks, where the relay tells', () => {
  it('is followed as soon as the relay publishes for the room, which is no participant', async () => {
    const { relay, session, speakers, changes } = world()
    const seen: string[] = []
    const endpoint = new FeedbackEndpoint({
      transport: relay.connect(true),
      clock: relay.clock,
      wallClock: () => relay.clock.now(),
      meters: relay.relay.meters,
      speakers: relay.relay.speakers,
    })
    session.publishNamespace(participantNamespace(ROOM, 'ann'), {})
    session.subscribeNamespace(roomNamespace(ROOM), {
      onNamespace: (namespace) => {
        if (parseRelayNamespace(namespace) === ROOM) speakers.setRelayPresent(true)
        seen.push(parseParticipantNamespace(namespace)?.participant ?? '-')
      },
      onNamespaceDone: () => {},
    })
    await relay.settle()
    expect(changes()).toBe(1)
    expect(seen.sort()).toEqual(['-', 'ann'])
    // The levels that we hear do not count: the relay says that nobody speaks.
    expect(speakers.among([participant('ann', 0.5)])).toEqual([])

    const voice = relay.relay.speakers.voice(ROOM, 'ann')!
    for (let ms = 0; ms < 2000; ms += 20) {
      voice.heard(ms < 500 ? QUIET : VOICE | LOUD, relay.clock.now())
      relay.clock.advance(20)
      await relay.settle()
    }
    expect(speakers.among(quiet)).toEqual([{ id: 'ann', speaking: true }])
    expect(speakers.among([participant('bob', 0)])).toEqual([])
    endpoint.close()
    speakers.close()
  })
})

describe('who speaks, where the relay tells nothing', () => {
  it('is told by the levels of what is heard, the newest first', () => {
    const { speakers } = world()
    const ids = (...loud: string[]) =>
      speakers
        .among(['ann', 'bob', 'eve'].map((id) => participant(id, loud.includes(id) ? 0.1 : 0)))
        .map(({ id, speaking }) => (speaking ? `${id}!` : id))
    expect(ids()).toEqual([])
    expect(ids('ann')).toEqual(['ann!'])
    expect(ids('ann', 'bob')).toEqual(['bob!', 'ann!'])
    expect(ids('bob')).toEqual(['bob!', 'ann'])
    expect(ids()).toEqual(['bob', 'ann'])
  })

  it('does not count who is muted or gone', () => {
    const { speakers } = world()
    expect(speakers.among([participant('ann', 0.5, true)])).toEqual([])
    speakers.among([participant('bob', 0.5)])
    expect(speakers.among([participant('ann', 0)])).toEqual([])
  })
})
