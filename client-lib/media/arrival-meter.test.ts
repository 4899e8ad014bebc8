import { describe, expect, it } from 'vitest'
import { ArrivalMeter, DelayTrack } from './arrival-meter.ts'

/** A track whose objects take so long, ms, on a clock that is somewhere else. */
function note(track: DelayTrack, sentAt: number, delay: number): void {
  track.note((sentAt + 1e12) * 1000, sentAt + delay)
}

describe('the delay of a track', () => {
  it('is how much later objects come than the fastest of the last half minute', () => {
    const track = new DelayTrack()
    for (const [at, delay] of [
      [0, 30],
      [20, 45],
    ] as const)
      note(track, at, delay)
    expect(track.take()).toBe(0)
    note(track, 200, 80)
    note(track, 220, 95)
    expect(track.take()).toBeCloseTo(50)
    expect(track.take()).toBeNull()
  })

  it('of the newest object can be looked at without taking it', () => {
    const track = new DelayTrack()
    expect(track.latestMs).toBeNull()
    note(track, 0, 30)
    note(track, 200, 80)
    note(track, 220, 70)
    expect(track.latestMs).toBeCloseTo(40)
    expect(track.latestMs).toBeCloseTo(40)
    expect(track.take()).toBe(0)
    expect(track.latestMs).toBeCloseTo(40)
  })

  it('forgets the fastest after half a minute: the path may be another one', () => {
    const track = new DelayTrack()
    note(track, 0, 30)
    for (let at = 1000; at <= 40_000; at += 1000) note(track, at, 80)
    track.take()
    note(track, 41_000, 90)
    expect(track.take()).toBeCloseTo(10)
  })
})

describe('a meter of arrivals', () => {
  it('counts since the last report, and takes the queue that all tracks have in common', () => {
    const meter = new ArrivalMeter()
    const [audio, video] = [new DelayTrack(), new DelayTrack()]
    note(audio, 0, 20)
    note(video, 0, 40)
    const first = [
      { received: 10, lost: 0, delay: audio },
      { received: 5, lost: 1, delay: video },
    ]
    expect(meter.take(first)).toEqual({ received: 15, lost: 1, queueMs: 0 })
    note(audio, 200, 50)
    note(video, 200, 140)
    const second = [
      { received: 20, lost: 0, delay: audio },
      { received: 9, lost: 3, delay: video },
    ]
    const figures = meter.take(second)
    expect(figures).toMatchObject({ received: 14, lost: 2 })
    expect(figures.queueMs).toBeCloseTo(30)
    // Nothing came: nothing new is known of the queue.
    expect(meter.take(second)).toEqual({ ...figures, received: 0, lost: 0 })
  })

  it('does not count a track that ended', () => {
    const meter = new ArrivalMeter()
    const delay = new DelayTrack()
    meter.take([{ received: 10, lost: 2, delay }])
    expect(meter.take([])).toEqual({ received: 0, lost: 0, queueMs: 0 })
  })
})
