/** A track of ours over two sessions in memory, while the keys of the call change. */

import { describe, expect, it } from 'vitest'
import { ObjectMetadata } from '../../../moq/media/index.ts'
import { participantNamespace } from '../../../moq/media/names.ts'
import { TestLink } from '../../../moq/session/test-pair.ts'
import { trackOf } from '../../../moq/wire/names.ts'
import type { MoqObject } from '../../../moq/wire/object.ts'
import { decodeHeader, nobleProvider, parseMlsKid } from '../../../sframe/index.ts'
import type { EpochKeys } from '../../keys/index.ts'
import type { ObjectPlan } from '../../media/frames.ts'
import { EncryptedTrack } from './encrypted-track.ts'
import { MediaKeys } from './media-keys.ts'

const TRACK = trackOf(participantNamespace('room', 'ann'), 'audio')
const NONE = new Uint8Array(0)
const bob = { leaf: 1, participantId: 'bob', fingerprint: 'b' }

const epochOf = (epoch: number, removed: EpochKeys['removed'] = []): EpochKeys => ({
  groupId: Uint8Array.of(1),
  epoch,
  suite: 'classical',
  // Each test has its keys to itself: a KID of a base key is given out once.
  baseKey: Uint8Array.from({ length: 32 }, () => Math.random() * 256),
  epochAuthenticator: new Uint8Array(32),
  verificationCode: '',
  leaf: 0,
  roster: [{ leaf: 0, participantId: 'ann', fingerprint: 'a', since: { epoch: 0, time: 0 } }],
  removed,
  reason: 'updated',
})

const frame = (group: number, bytes = 1): ObjectPlan => ({
  group,
  object: 0,
  delivery: 'stream',
  subgroup: 0,
  temporalLayer: 0,
  last: true,
  properties: NONE,
  immutable: NONE,
  payload: new Uint8Array(bytes).fill(group),
})

/** A track that somebody subscribed to, with keys whose senders switch as a call's do. */
async function world() {
  const link = new TestLink()
  const bugs: unknown[] = []
  const switching: Promise<void>[] = []
  const keys: MediaKeys = new MediaKeys(
    link.clock,
    {
      onInstalled: () => {},
      onRevoked: () => track.revokeKey(),
      onSwitch: () => void switching.push(track.renewKey()),
    },
    nobleProvider,
  )
  const track = new EncryptedTrack({
    track: TRACK,
    number: 2,
    priority: 32,
    keys,
    onError: (error) => bugs.push(error),
  })
  link.session('server', { onSubscribe: (request) => track.accept(request) })
  const client = link.session('client', {})
  await link.settle()
  const objects: MoqObject[] = []
  client.subscribe(TRACK, {}, { onObject: (object) => objects.push(object) })
  await link.settle()
  const settle = async () => {
    await Promise.all(switching)
    await link.settle()
  }
  /** Somebody else of the room, who hears it all. */
  const ear = new MediaKeys(
    link.clock,
    { onInstalled: () => {}, onRevoked: () => {}, onSwitch: () => {} },
    nobleProvider,
  )
  const give = async (epoch: EpochKeys) => {
    const heard = ear.install({ ...epoch, baseKey: epoch.baseKey.slice(), leaf: 2 })
    await Promise.all([keys.install(epoch), heard])
  }
  const install = async (epoch: EpochKeys) => {
    await give(epoch)
    await settle()
  }
  const metadata = new ObjectMetadata(TRACK)
  /** What came since it was last asked, by the epoch of its key, as whoever has the keys reads it. */
  const received = async () => {
    await settle()
    return Promise.all(
      objects.splice(0).map(async ({ group, object, payload }) => {
        const { epoch } = parseMlsKid(decodeHeader(payload).kid)
        const plain = await ear.receiver.decrypt(payload, metadata.of(group, object, NONE), 'ann')
        return [group, epoch, plain[0]]
      }),
    )
  }
  return { track, bugs, give, install, received }
}

describe('a track of ours when somebody is removed', () => {
  it('sends nothing more under the old key, and loses no frame', async () => {
    const { track, bugs, give, install, received } = await world()
    await install(epochOf(1))
    track.send(frame(10))
    const installed = give(epochOf(2, [bob]))
    // The new key is not there yet; the frames of these moments wait for it.
    track.send(frame(11))
    track.switchKey()
    track.send(frame(12))
    expect(track.counters.objects).toBe(1)
    await installed
    expect(await received()).toEqual([
      [10, 1, 10],
      [11, 2, 11],
      [12, 2, 12],
    ])
    track.send(frame(13))
    expect(await received()).toEqual([[13, 2, 13]])
    expect(bugs).toEqual([])
  })

  it('does not take the key of an epoch before, which was being made', async () => {
    const { track, bugs, give, install, received } = await world()
    await install(epochOf(1))
    const removals = [give(epochOf(2)), give(epochOf(3, [bob]))]
    track.send(frame(10))
    await Promise.all(removals)
    expect(await received()).toEqual([[10, 3, 10]])
    expect(bugs).toEqual([])
  })

  it('holds so much and no more: what is newer is dropped and counted', async () => {
    const { track, give, install, received } = await world()
    await install(epochOf(1))
    const installed = give(epochOf(2, [bob]))
    for (let group = 10; group < 20; group++) track.send(frame(group, 64 * 1024))
    expect(track.counters.refused).toBe(6)
    await installed
    expect((await received()).map(([group]) => group)).toEqual([10, 11, 12, 13])
  })
})

describe('a track of ours before its first key', () => {
  it('drops what nobody could read', async () => {
    const { track, install, received } = await world()
    track.send(frame(10))
    expect(track.canSend).toBe(false)
    await install(epochOf(1))
    track.send(frame(11))
    expect(await received()).toEqual([[11, 1, 11]])
  })
})
