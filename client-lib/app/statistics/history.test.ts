import { describe, expect, it } from 'vitest'
import type { Snapshot, TrackInfo } from '../../index.ts'
import { History, POINTS } from './history.ts'

function snapshotOf(track: Partial<TrackInfo>, rttMs: number | null = 20): Snapshot {
  const camera = { name: 'video/1', kind: 'video', direction: 'receive', objects: 0, bytes: 0 }
  const figures = { framesDecoded: 0, framesDropped: 0, decryptFailures: 0, rendition: 1 }
  return {
    path: { rttMs, queueMs: 3 },
    roster: [{ id: 'bob', since: { epoch: 4 } }],
    participants: [
      { id: 'bob', name: 'Bob', local: false, tracks: [{ ...camera, ...figures, ...track }] },
    ],
  } as unknown as Snapshot
}

describe('figures of a call', () => {
  it('are rates of the last second', () => {
    const history = new History()
    const at = (second: number) =>
      history.note(
        snapshotOf({
          objects: second * 100,
          bytes: second * 50_000,
          framesDecoded: second * 25,
          lost: second * 5,
          decryptFailures: second,
          queueMs: 10 * second,
          epoch: 7,
        }),
        second * 1000,
      )
    expect(at(0)).toBe(true)
    expect(history.people[0]!.tracks[0]).toMatchObject({ bitrate: 0, loss: null })
    at(1)
    expect(history.people[0]).toMatchObject({
      sinceEpoch: 4,
      keyEpoch: 7,
      frames: [0, 25],
      losses: [0, 0.05],
      queues: [0, 10],
    })
    expect(history.people[0]!.tracks[0]).toMatchObject({
      bitrate: 400_000,
      framesPerSecond: 25,
      loss: 0.05,
      decryptFailures: 1,
      queueMs: 10,
      epoch: 7,
    })
  })

  it('of losses are those of all tracks together, and of what nothing is known there are none', () => {
    const history = new History()
    const at = (second: number) => {
      const snapshot = snapshotOf({ objects: second * 100, lost: second * 10 })
      const [bob] = snapshot.participants
      const sound = { ...bob!.tracks[0]!, name: 'audio', kind: 'audio' as const, lost: 0 }
      const chat = { ...sound, name: 'screen-audio', kind: 'screen-audio' as const }
      delete (chat as { lost?: number }).lost
      const tracks = [...bob!.tracks, { ...sound, objects: second * 300 }, chat]
      history.note({ ...snapshot, participants: [{ ...bob!, tracks }] }, second * 1000)
    }
    at(0)
    at(1)
    const [bob] = history.people
    expect(bob!.losses).toEqual([0, 0.025])
    expect(bob!.tracks.map(({ loss }) => loss)).toEqual([0.1, 0, null])
    expect(bob!.keyEpoch).toBeNull()
  })

  it('go on over a change of the rendition, which is another name of one picture', () => {
    const history = new History()
    history.note(snapshotOf({ bytes: 1000 }), 0)
    history.note(snapshotOf({ name: 'video/2', rendition: 2, bytes: 2000 }), 1000)
    expect(history.people[0]!.bitrates).toEqual([0, 8000])
  })

  it('of what we send are those of the encoder', () => {
    const history = new History()
    const encoding = {
      active: false,
      width: 640,
      height: 360,
      framesPerSecond: 12,
      targetBitrate: 0,
      targetFramerate: 30,
    }
    history.note(snapshotOf({ direction: 'send', encoding }), 0)
    expect(history.people[0]!.tracks[0]).toMatchObject({
      active: false,
      size: { width: 640, height: 360 },
      framesPerSecond: 12,
    })
  })

  it('are a point a second, and a bounded number of them', () => {
    const history = new History()
    expect(history.note(snapshotOf({}), 0)).toBe(true)
    expect(history.note(snapshotOf({}), 900)).toBe(false)
    for (let second = 1; second < 100; second++) history.note(snapshotOf({}, second), second * 1000)
    expect(history.rtt).toHaveLength(POINTS)
    expect(history.rtt.at(-1)).toBe(99)
    expect(history.people[0]!.bitrates).toHaveLength(POINTS)
  })

  it('forget who left', () => {
    const history = new History()
    history.note(snapshotOf({ bytes: 1000 }), 0)
    history.note({ ...snapshotOf({}), participants: [] }, 1000)
    history.note(snapshotOf({ bytes: 9000 }), 2000)
    expect(history.people[0]!.bitrates).toEqual([0])
  })
})
