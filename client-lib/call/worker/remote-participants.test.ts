/** Everybody else in a call, over sessions in memory: real catalogs, encrypted by real tracks. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type CatalogTrack,
  encodeCatalog,
  encodeMediaProperties,
  MAX_WISHES,
  participantNamespace,
} from '../../../moq/media/index.ts'
import { TestLink } from '../../../moq/session/test-pair.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import { textOf, trackOf } from '../../../moq/wire/names.ts'
import { nobleProvider } from '../../../sframe/index.ts'
import { stubCodecs } from '../../media/fake-codecs.ts'
import { ANY_SIZE, completeView } from '../participant-view.ts'
import type { ChatLink } from './chat-link.ts'
import { EncryptedTrack } from './encrypted-track.ts'
import { JoinSteps } from './join-steps.ts'
import { MediaKeys } from './media-keys.ts'
import { RemoteParticipant } from './remote-participant.ts'
import { RemoteParticipants } from './remote-participants.ts'
import type { VerifiedGroup } from './verified-group.ts'
import { firstEpoch } from './video-world.ts'

beforeEach(stubCodecs)
afterEach(() => vi.unstubAllGlobals())

const NAMESPACE = participantNamespace('room', 'ann')
const AUDIO: CatalogTrack = { name: 'audio', role: 'audio', codec: 'opus', live: true }
const SCREEN: CatalogTrack = { name: 'screen', role: 'video', codec: 'vp8', live: true }
const rendition = (id: number): CatalogTrack => ({
  name: `video/${id}`,
  role: 'video',
  codec: 'vp8',
  width: 320 * 2 ** id,
  height: 180 * 2 ** id,
  live: true,
})

/** Bob, and Ann whose catalog a test writes. */
async function world() {
  const link = new TestLink()
  const events = { onInstalled: () => {}, onRevoked: () => {}, onSwitch: () => {} }
  const [annsKeys, bobsKeys] = [0, 1].map(() => new MediaKeys(link.clock, events, nobleProvider))
  const subscribed: string[] = []
  const catalog = new EncryptedTrack({
    track: trackOf(NAMESPACE, 'catalog'),
    number: 1,
    priority: 8,
    keys: annsKeys!,
    onError: (error) => {
      throw error
    },
  })
  link.session('server', {
    onSubscribe: (request) => {
      const name = textOf(request.track.name) ?? ''
      const isAnns = textOf(request.track.namespace[2]!) === 'ann'
      if (isAnns && name === 'catalog') catalog.accept(request)
      else {
        const wanted = request.parameters.forward === false ? ' (not now)' : ''
        subscribed.push(`${name}${wanted}`)
        request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
      }
    },
  })
  const session = link.session('client', {})
  await link.settle()
  const baseKey = Uint8Array.from({ length: 32 }, () => Math.random() * 256)
  await annsKeys!.install(firstEpoch(baseKey, 0))
  await bobsKeys!.install(firstEpoch(baseKey, 1))
  await catalog.renewKey()
  let changes = 0
  const faults: string[] = []
  const security = { alarms: [], alarmNames: [], safetyNumber: '' }
  const remotes = new RemoteParticipants({
    session,
    room: 'room',
    keys: bobsKeys!,
    clock: link.clock,
    rttMs: () => 20,
    steps: new JoinSteps(() => {}),
    group: { securityOf: () => security, noteTraffic: () => {} } as unknown as VerifiedGroup,
    chat: { setPresent: () => {} } as unknown as ChatLink,
    onChange: () => changes++,
    onError: () => {},
    onPicture: () => {},
    onSamples: () => {},
    onSoundEnded: () => {},
    onFault: (id, error) => faults.push(`${id}: ${error}`),
  })
  let group = 0
  const publish = async (...tracks: CatalogTrack[]) => {
    catalog.send({
      ...encodeMediaProperties({}),
      group: group++,
      object: 0,
      delivery: 'stream',
      subgroup: 0,
      temporalLayer: 0,
      last: true,
      payload: encodeCatalog({ displayName: 'Ann', tracks }),
    })
    await settle()
  }
  const settle = async () => {
    for (let round = 0; round < 5; round++) {
      await link.settle()
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }
  const enter = async () => {
    remotes.keysChanged()
    remotes.setPresent('ann', true)
    await settle()
  }
  return { remotes, faults, subscribed, publish, enter, settle, changes: () => changes }
}

describe('somebody else in the call', () => {
  it('has one picture, whatever the number of renditions of the camera', async () => {
    const { remotes, publish, enter, changes } = await world()
    await enter()
    await publish(AUDIO, rendition(0), rendition(2), rendition(1))
    const [ann] = remotes.infos()
    expect(ann!.name).toBe('Ann')
    expect(ann!.tracks.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'audio audio',
      'video video/0',
    ])
    expect(changes()).toBeGreaterThan(0)
    await publish(AUDIO)
    expect(remotes.infos()[0]!.tracks.map(({ kind }) => kind)).toEqual(['audio'])
    remotes.close()
  })

  it('is asked for no more than the page shows, before the first object too', async () => {
    const { remotes, publish, enter, subscribed, settle } = await world()
    await enter()
    remotes.setView('ann', 'camera', completeView({ width: 600, height: 300 }))
    await publish(rendition(0), rendition(1), rendition(2))
    expect(subscribed).toEqual(['video/0', 'video/1', 'video/2 (not now)'])
    // A relay that chooses is asked for all.
    remotes.setManaged(true)
    subscribed.length = 0
    await publish(rendition(0), rendition(1), rendition(2))
    await settle()
    expect(subscribed).toEqual(['video/0', 'video/1', 'video/2'])
    remotes.close()
  })
})

describe('wishes for the relay', () => {
  it('name everybody, as the page shows them, and screens where there are any', async () => {
    const { remotes, publish, enter } = await world()
    remotes.setPresent('eve', true)
    const camera = { participant: 'ann', source: 'camera', ...ANY_SIZE }
    expect(remotes.wishes()).toEqual([{ ...camera, participant: 'eve' }])
    await enter()
    expect(remotes.wishes().map(({ participant }) => participant)).toEqual(['eve', 'ann'])
    remotes.setPresent('eve', false)
    await publish(SCREEN)
    const view = completeView({ width: 100, height: 50, pinned: true })
    remotes.setView('ann', 'camera', view)
    const large = completeView({ width: 1280, height: 768 })
    remotes.setView('ann', 'screen', large)
    expect(remotes.wishes()).toEqual([
      { ...camera, ...view },
      { ...camera, ...large, source: 'screen' },
    ])
    remotes.close()
  })

  it('are no more than a report takes, whoever is there and whatever a page says', async () => {
    const { remotes } = await world()
    for (let n = 0; n < MAX_WISHES + 50; n++) {
      remotes.setView(`somebody ${n}`, 'camera', ANY_SIZE)
      remotes.setPresent(`p${n}`, true)
    }
    expect(remotes.wishes()).toHaveLength(MAX_WISHES)
    remotes.close()
  })

  it('forget how somebody was shown who left', async () => {
    const { remotes, enter } = await world()
    await enter()
    remotes.setView('ann', 'camera', completeView({ width: 64, height: 64 }))
    remotes.setPresent('ann', false)
    remotes.setPresent('ann', true)
    expect(remotes.wishes()[0]).toMatchObject({ width: 0, height: 0 })
    remotes.close()
  })
})

describe('somebody of whom something fails', () => {
  it('stops nobody else, whatever is asked of all', async () => {
    const { remotes, faults, enter, settle } = await world()
    await enter()
    remotes.setPresent('eve', true)
    await settle()
    const asked: string[] = []
    for (const method of ['poll', 'info', 'arrivals', 'keysChanged', 'close'] as const) {
      vi.spyOn(RemoteParticipant.prototype, method).mockImplementation(function (
        this: RemoteParticipant,
      ): never {
        asked.push(`${method} ${this.id}`)
        throw new TypeError(method)
      })
    }
    try {
      remotes.poll()
      remotes.keysChanged()
      expect(remotes.arrivals()).toEqual([])
      expect(remotes.infos()).toMatchObject([
        { id: 'ann', name: '', tracks: [] },
        { id: 'eve', name: '', tracks: [] },
      ])
      remotes.close()
      expect(remotes.infos()).toEqual([])
      const methods = ['poll', 'keysChanged', 'arrivals', 'info', 'close']
      expect(asked).toEqual(methods.flatMap((method) => [`${method} ann`, `${method} eve`]))
      expect(faults).toHaveLength(10)
      expect(faults[0]).toBe('ann: TypeError: poll')
    } finally {
      vi.restoreAllMocks()
    }
  })
})
