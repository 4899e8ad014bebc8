import { describe, expect, it } from 'vitest'
import { namespaceOf, trackOf } from '../../../moq/wire/names.ts'
import { encodeHeader } from '../../../sframe/header.ts'
import { mlsKid } from '../../../sframe/mls.ts'
import { WINDOW } from './counter-window.ts'
import { CLAIM_IDLE_MS } from './leaf-claims.ts'
import { RoomKeys } from './room-keys.ts'
import { OVERLAP_MS, REFUSED, RESTART_MS, type TrackKeys } from './track-keys.ts'

interface Sent {
  readonly epoch: number
  readonly leaf?: number
  readonly context?: number
  readonly counter: number
  readonly at?: number
}

function read(keys: TrackKeys, { epoch, leaf = 3, context = 2, counter, at = 0 }: Sent): number {
  const header = encodeHeader(mlsKid({ epoch, leaf, context }), counter)
  const body = new Uint8Array(4 + header.length + 20)
  body.set(header, 4)
  return keys.read(body, 4, at)
}

function open(rooms: RoomKeys, participant: string, track: string, room = 'r') {
  const handle = rooms.open(trackOf(namespaceOf('sotto', room, participant), track))
  if (!handle) throw new Error('not tracked')
  return handle
}

function oneTrack(track = 'video/0') {
  const rooms = new RoomKeys()
  return { rooms, keys: open(rooms, 'ann', track).keys }
}

describe('the key tracker of a track', () => {
  it('marks all objects of a KID with one generation, in any order within the window', () => {
    const { keys } = oneTrack()
    const order = [10, 12, 11, 14, 9, 13]
    expect(order.map((counter) => read(keys, { epoch: 7, counter }))).toEqual([1, 1, 1, 1, 1, 1])
    expect(keys.dump().phases).toEqual([
      { epoch: 7, leaf: 3, context: 2, highestCounter: 14, objects: 6 },
    ])
  })

  it('begins a generation with a new epoch, while objects of the old one still flow', () => {
    const { keys } = oneTrack()
    read(keys, { epoch: 7, counter: 40 })
    expect(read(keys, { epoch: 8, counter: 0, at: 100 })).toBe(2)
    expect(read(keys, { epoch: 7, counter: 41, at: 120 })).toBe(1)
    expect(read(keys, { epoch: 8, counter: 1, at: 130 })).toBe(2)
    read(keys, { epoch: 8, counter: 2, at: 99 + OVERLAP_MS })
    expect(read(keys, { epoch: 7, counter: 42, at: 100 + OVERLAP_MS })).toBe(1)
    expect(read(keys, { epoch: 7, counter: 43, at: 101 + OVERLAP_MS })).toBe(REFUSED)
    expect(keys.troubles.stale).toBe(1)
    expect(keys.generation).toBe(2)
  })

  it('follows epochs over their wrap at 256', () => {
    const { keys } = oneTrack()
    const generations = []
    for (let epoch = 250; epoch < 520; epoch++) {
      generations.push(read(keys, { epoch, counter: epoch, at: epoch * 1000 }))
    }
    expect(generations).toEqual(Array.from({ length: 270 }, (_, i) => i + 1))
    expect(keys.dump().phases).toHaveLength(3)
  })

  it('lets a late object of an epoch pass that was never seen, as older than all', () => {
    const { keys } = oneTrack()
    read(keys, { epoch: 8, counter: 0 })
    expect(read(keys, { epoch: 7, counter: 90, at: 10 })).toBe(0)
    expect(keys.generation).toBe(1)
  })

  it('goes back to lower epochs when nothing comes of the current one: another group began', () => {
    const { keys } = oneTrack()
    read(keys, { epoch: 9, counter: 5 })
    const at = RESTART_MS + 1
    expect(read(keys, { epoch: 1, counter: 0, at })).toBe(2)
    expect(read(keys, { epoch: 1, counter: 1, at: at + 1 })).toBe(2)
    expect(keys.dump().phases[0]?.epoch).toBe(1)
  })

  it('comes back from an old KID as soon as the newer one is used', () => {
    const { keys } = oneTrack()
    read(keys, { epoch: 7, counter: 5 })
    read(keys, { epoch: 8, counter: 0 })
    const at = RESTART_MS + 1
    expect(read(keys, { epoch: 7, counter: 6, at })).toBe(3)
    expect(read(keys, { epoch: 8, counter: 1, at: at + 1 })).toBe(4)
  })

  it('refuses a counter that came before, and ends the generation', () => {
    const { keys } = oneTrack()
    read(keys, { epoch: 7, counter: 5 })
    expect(read(keys, { epoch: 7, counter: 5 })).toBe(REFUSED)
    expect(read(keys, { epoch: 7, counter: 6 })).toBe(2)
    expect(keys.troubles.replayed).toBe(1)
  })

  it('refuses a sender whose counter starts again under the same KID, until it passes the old one', () => {
    const { keys } = oneTrack()
    for (let counter = 0; counter < 5000; counter++) read(keys, { epoch: 7, counter })
    for (let counter = 0; counter < 100; counter++) {
      expect(read(keys, { epoch: 7, counter })).toBe(REFUSED)
    }
    expect(keys.troubles.regressed).toBe(100)
    expect(read(keys, { epoch: 7, counter: 5000 })).toBe(101)
  })

  it('takes reordering up to the window for none', () => {
    const { keys } = oneTrack()
    read(keys, { epoch: 7, counter: 0 })
    read(keys, { epoch: 7, counter: WINDOW })
    expect(read(keys, { epoch: 7, counter: 1 })).toBe(1)
    expect(keys.generation).toBe(1)
  })

  it('refuses a jump, ends the generation, and goes on where the sender does', () => {
    const { keys } = oneTrack()
    read(keys, { epoch: 7, counter: 0 })
    expect(read(keys, { epoch: 7, counter: 1_000_000 })).toBe(REFUSED)
    expect(read(keys, { epoch: 7, counter: 1_000_001 })).toBe(2)
    expect(keys.troubles.jumped).toBe(1)
  })

  it('leaves the generation alone for trouble in an old epoch', () => {
    const { keys } = oneTrack()
    read(keys, { epoch: 7, counter: 5 })
    read(keys, { epoch: 8, counter: 0 })
    expect(read(keys, { epoch: 7, counter: 5 })).toBe(REFUSED)
    expect(read(keys, { epoch: 8, counter: 1 })).toBe(2)
    expect(keys.generation).toBe(2)
  })

  it('refuses what has no header, and goes on', () => {
    const { keys, rooms } = oneTrack()
    expect(keys.read(new Uint8Array(0), 0, 0)).toBe(REFUSED)
    expect(keys.read(Uint8Array.of(0xff, 1), 0, 0)).toBe(REFUSED)
    expect(keys.read(Uint8Array.of(0x80, 0x00), 0, 0)).toBe(REFUSED)
    expect(keys.troubles.unreadable).toBe(3)
    expect(rooms.troubles.unreadable).toBe(3)
    expect(read(keys, { epoch: 7, counter: 0 })).toBe(1)
  })

  it('reads KIDs and counters of 64 bits', () => {
    const { keys } = oneTrack()
    const kid = mlsKid({ epoch: 7, leaf: 3, context: 2 ** 44 - 1 })
    const at = (counter: bigint) => {
      const header = encodeHeader(kid, counter)
      return keys.read(header, 0, 0)
    }
    expect(at(2n ** 64n - 3n)).toBe(1)
    expect(at(2n ** 64n - 1n)).toBe(1)
    expect(at(2n ** 64n - 2n)).toBe(1)
    expect(at(2n ** 64n - 2n)).toBe(REFUSED)
    expect(keys.dump().phases[0]?.context).toBe(2 ** 44 - 1)
  })

  it('remembers a bounded number of KIDs, whatever a publisher sends', () => {
    const { keys } = oneTrack()
    for (let context = 0; context < 1000; context++) {
      read(keys, { epoch: 7, context, counter: 0 })
      read(keys, { epoch: 7 + context, context, counter: 1 })
    }
    expect(keys.dump().phases.length).toBeLessThanOrEqual(3)
  })
})

describe('the keys of a room', () => {
  it('fix the leaf of a participant for all of its tracks', () => {
    const rooms = new RoomKeys()
    const audio = open(rooms, 'ann', 'audio').keys
    const video = open(rooms, 'ann', 'video/0').keys
    expect(read(audio, { epoch: 7, leaf: 3, context: 2, counter: 0 })).toBe(1)
    expect(read(video, { epoch: 7, leaf: 4, context: 3, counter: 0 })).toBe(REFUSED)
    expect(video.troubles['foreign-leaf']).toBe(1)
    expect(read(video, { epoch: 7, leaf: 3, context: 3, counter: 0 })).toBe(1)
    expect(read(video, { epoch: 8, leaf: 4, context: 3, counter: 0 })).toBe(2)
    expect(read(audio, { epoch: 8, leaf: 3, context: 2, counter: 0 })).toBe(REFUSED)
  })

  it('refuse the leaf of another participant, and of no other room', () => {
    const rooms = new RoomKeys()
    const ann = open(rooms, 'ann', 'audio').keys
    const bob = open(rooms, 'bob', 'audio').keys
    const other = open(rooms, 'bob', 'audio', 'another').keys
    read(ann, { epoch: 7, leaf: 3, counter: 0 })
    expect(read(bob, { epoch: 7, leaf: 3, counter: 0 })).toBe(REFUSED)
    expect(bob.troubles['leaf-conflict']).toBe(1)
    expect(read(bob, { epoch: 7, leaf: 4, counter: 0 })).toBe(1)
    expect(read(other, { epoch: 7, leaf: 3, counter: 0 })).toBe(1)
  })

  it('keep a leaf for as long as it is used', () => {
    const rooms = new RoomKeys()
    const ann = open(rooms, 'ann', 'audio').keys
    const bob = open(rooms, 'bob', 'audio').keys
    const at = CLAIM_IDLE_MS
    read(ann, { epoch: 7, leaf: 3, counter: 0 })
    read(ann, { epoch: 7, leaf: 3, counter: 1, at })
    expect(read(bob, { epoch: 7, leaf: 3, counter: 0, at: 2 * at })).toBe(REFUSED)
    expect(read(bob, { epoch: 7, leaf: 3, counter: 0, at: 2 * at + 1 })).toBe(1)
  })

  it('stop a thief in the middle of its KID when the owner of the leaf comes', () => {
    const rooms = new RoomKeys()
    const ann = open(rooms, 'ann', 'audio').keys
    const mallory = open(rooms, 'mallory', 'audio').keys
    read(ann, { epoch: 7, leaf: 3, counter: 0 })
    read(mallory, { epoch: 7, leaf: 5, counter: 0 })
    expect(read(mallory, { epoch: 8, leaf: 3, counter: 1 })).toBe(2)
    expect(read(ann, { epoch: 8, leaf: 3, counter: 1 })).toBe(2)
    expect(read(mallory, { epoch: 8, leaf: 3, counter: 2 })).toBe(REFUSED)
    expect(read(ann, { epoch: 8, leaf: 3, counter: 2 })).toBe(2)
    // It may have the leaf when nobody uses it any more.
    const at = CLAIM_IDLE_MS + 1
    expect(read(mallory, { epoch: 8, leaf: 3, counter: 3, at })).not.toBe(REFUSED)
  })

  it('follow tracks of a call that carry SFrame and no others', () => {
    const rooms = new RoomKeys()
    const participant = namespaceOf('sotto', 'r', 'ann')
    for (const name of [
      'catalog',
      'audio',
      'video/0',
      'video/3',
      'screen',
      'screen-audio',
      'chat',
    ]) {
      expect(rooms.open(trackOf(participant, name)), name).not.toBeNull()
    }
    expect(rooms.open(trackOf(participant, 'mls'))).toBeNull()
    expect(rooms.open(trackOf(participant, 'something'))).toBeNull()
    expect(rooms.open(trackOf(namespaceOf('sotto', 'r', '.mls'), 'log'))).toBeNull()
    expect(rooms.open(trackOf(namespaceOf('elsewhere', 'r', 'ann'), 'audio'))).toBeNull()
  })

  it('forget a participant with its last track, and a room with its last participant', () => {
    const rooms = new RoomKeys()
    const audio = open(rooms, 'ann', 'audio')
    const video = open(rooms, 'ann', 'video/0')
    read(audio.keys, { epoch: 7, counter: 0 })
    audio.close()
    audio.close()
    expect(rooms.size).toBe(1)
    expect(read(open(rooms, 'bob', 'audio').keys, { epoch: 7, counter: 0 })).toBe(REFUSED)
    video.close()
    expect(read(open(rooms, 'bob', 'audio').keys, { epoch: 7, counter: 0 })).toBe(1)
    const lonely = open(rooms, 'eve', 'audio', 'elsewhere')
    expect(rooms.size).toBe(2)
    lonely.close()
    expect(rooms.size).toBe(1)
  })
})

describe('the epochs of a room', () => {
  it('are counted, with how long each participant takes to follow', () => {
    const rooms = new RoomKeys()
    const [ann, bob, cid] = ['ann', 'bob', 'cid'].map((name) => open(rooms, name, 'audio').keys)
    const annVideo = open(rooms, 'ann', 'video/0').keys
    read(ann!, { epoch: 7, leaf: 1, counter: 0, at: 0 })
    read(bob!, { epoch: 7, leaf: 2, counter: 0, at: 5 })
    expect([rooms.epochs.changes, rooms.epochs.lag.count]).toEqual([0, 0])
    read(ann!, { epoch: 8, leaf: 1, counter: 0, at: 1000 })
    read(annVideo, { epoch: 8, leaf: 1, context: 3, counter: 0, at: 1020 })
    read(bob!, { epoch: 8, leaf: 2, counter: 0, at: 1150 })
    read(cid!, { epoch: 8, leaf: 3, counter: 0, at: 1500 })
    expect(rooms.epochs.changes).toBe(1)
    expect([rooms.epochs.lag.count, rooms.epochs.lag.sum]).toEqual([1, 150])
  })

  it('are those of one room each, and old ones do not count', () => {
    const rooms = new RoomKeys()
    const here = open(rooms, 'ann', 'audio', 'r').keys
    const there = open(rooms, 'ann', 'audio', 's').keys
    read(here, { epoch: 255, counter: 0 })
    read(there, { epoch: 3, counter: 0, at: 10 })
    expect(rooms.epochs.changes).toBe(0)
    read(here, { epoch: 0, counter: 0, at: 20 })
    read(here, { epoch: 254, counter: 0, at: 30 })
    expect(rooms.epochs.changes).toBe(1)
  })
})
