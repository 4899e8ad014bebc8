import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DelayMeter } from './delay-meter.ts'
import { GapWindow } from './gap-window.ts'
import { LossMeter } from './loss-meter.ts'
import { FeedbackMeter } from './meter.ts'
import { FeedbackMeters } from './meters.ts'
import { UplinkEstimator } from './uplink-estimator.ts'

describe('a gap window', () => {
  it('counts what did not come below the horizon, and nothing twice', () => {
    const window = new GapWindow()
    window.begin(0, 0)
    for (const object of [0, 1, 4, 3, 6]) window.add(object)
    window.settle(5)
    expect([window.expected, window.lost]).toEqual([5, 1])
    window.add(2)
    window.settle(99)
    expect([window.expected, window.lost]).toEqual([7, 2])
  })

  it('takes a leap of ids for a new beginning, in constant memory', () => {
    const window = new GapWindow()
    window.begin(0, 0)
    window.add(0)
    window.add(Number.MAX_SAFE_INTEGER - 5)
    window.settle(Number.MAX_SAFE_INTEGER)
    expect([window.expected, window.lost]).toEqual([2, 0])
  })

  it('agrees with a set, whatever comes in whatever order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 300 }), (objects) => {
        const window = new GapWindow()
        window.begin(0, 0)
        for (const object of objects) window.add(object)
        window.settle(Number.MAX_SAFE_INTEGER)
        const end = Math.max(-1, ...objects) + 1
        expect([window.expected, window.lost]).toEqual([end, end - new Set(objects).size])
      }),
    )
  })
})

describe('the loss of a track', () => {
  it('is none for what comes late, within a reading', () => {
    const loss = new LossMeter()
    for (const object of [0, 1, 3, 4]) loss.add(7, object)
    expect(loss.read()).toBeNull()
    loss.add(7, 2)
    expect(loss.read()).toBe(0)
  })

  it('is what did not come, over the change of a group too', () => {
    const loss = new LossMeter()
    for (const object of [0, 1, 2, 4]) loss.add(7, object)
    loss.read()
    for (const object of [5, 6, 7, 8, 9]) loss.add(7, object)
    for (let object = 1; object < 10; object++) loss.add(8, object)
    // What came of either may still be late.
    expect(loss.read()).toBeNull()
    // Of group 7 object 3, of group 8 its beginning.
    expect(loss.read()).toBeCloseTo(2000 / 20)
    expect(loss.read()).toBeNull()
  })

  it('does not miss what was before the first object that came', () => {
    const loss = new LossMeter()
    loss.add(7, 500)
    loss.read()
    expect(loss.read()).toBe(0)
  })

  it('is what a lossy path lost', () => {
    const loss = new LossMeter()
    let lost = 0
    let sent = 0
    let told = 0
    for (let group = 0; group < 60; group++) {
      for (let object = 0; object < 100; object++) {
        sent++
        // A group's last object leaves no gap behind it.
        if ((sent * 7919) % 20 === 0 && object < 99) lost++
        else loss.add(group, object)
      }
      told += ((loss.read() ?? 0) * 100) / 1000
    }
    told += ((loss.read() ?? 0) * 100) / 1000 + ((loss.read() ?? 0) * 100) / 1000
    expect(told).toBeGreaterThan(lost * 0.9)
    expect(told).toBeLessThan(lost * 1.1)
  })
})

describe('the delay of a track', () => {
  it('has jitter as RFC 3550 has it, and none where everything takes the same time', () => {
    const delay = new DelayMeter()
    for (let i = 0; i < 50; i++) delay.add(i * 20 + 37, i * 20_000)
    expect(delay.jitter).toBe(0)
    for (let i = 50; i < 400; i++) delay.add(i * 20 + 37 + (i % 2) * 10, i * 20_000)
    expect(delay.jitter).toBeCloseTo(10, 1)
  })

  it('stands above the least, whatever the clocks say', () => {
    const delay = new DelayMeter()
    const origin = 1_700_000_000_000_000
    for (let i = 0; i < 50; i++) delay.add(i * 20, origin + i * 20_000)
    expect(delay.takeStanding()).toBeCloseTo(0)
    for (let i = 50; i < 60; i++) delay.add(i * 20 + 80 + (i % 3), origin + i * 20_000)
    expect(delay.takeStanding()).toBeCloseTo(80)
    expect(delay.takeStanding()).toBe(Number.POSITIVE_INFINITY)
  })

  it('forgets a base that is long gone: a longer route is no queue', () => {
    const delay = new DelayMeter()
    for (let i = 0; i < 100; i++) delay.add(i * 20, i * 20_000)
    for (let i = 100; i < 1000; i++) delay.add(i * 20 + 70, i * 20_000)
    delay.takeStanding()
    delay.add(1000 * 20 + 70, 1000 * 20_000)
    expect(delay.takeStanding()).toBeCloseTo(0)
  })
})

/** A publisher that sends what it is told to, over a link with a queue of at most 2 s. */
function uplink(capacity: (at: number) => number, wanted: number, durationMs: number) {
  const estimator = new UplinkEstimator()
  const seen: { at: number; estimate: number | null; queueMs: number }[] = []
  const step = 200
  const inFlight: number[] = [400_000, 400_000]
  let queued = 0
  for (let at = step; at <= durationMs; at += step) {
    // The estimate reaches the encoder one step later.
    inFlight.push(Math.min(wanted, (estimator.estimate ?? 400_000) * 0.95))
    const sent = (inFlight.shift()! * step) / 1000
    const before = queued
    const passed = Math.min(queued + sent, (capacity(at) * step) / 1000)
    queued = Math.min(queued + sent - passed, capacity(at) * 2)
    const standingMs = (Math.min(before, queued) * 1000) / capacity(at)
    estimator.update(at, { bitrate: (passed * 1000) / step, lossPermille: 0, standingMs })
    seen.push({ at, estimate: estimator.estimate, queueMs: standingMs })
  }
  return seen
}

describe('the uplink estimate', () => {
  it('finds the rate of a link and stays near it, with little queue', () => {
    const seen = uplink(() => 2_000_000, 5_000_000, 120_000).filter(({ at }) => at > 40_000)
    for (const { estimate, queueMs } of seen) {
      expect(estimate).toBeGreaterThan(1_400_000)
      expect(estimate).toBeLessThan(2_500_000)
      expect(queueMs).toBeLessThan(200)
    }
    const mean = seen.reduce((sum, { queueMs }) => sum + queueMs, 0) / seen.length
    expect(mean).toBeLessThan(60)
  })

  it('follows a link down within seconds, and up again more slowly', () => {
    const link = (at: number) => (at > 30_000 && at < 60_000 ? 500_000 : 3_000_000)
    const seen = uplink(link, 2_000_000, 120_000)
    const at = (time: number) => seen.find((entry) => entry.at === time)!
    expect(at(30_000).estimate).toBeGreaterThan(1_500_000)
    expect(at(36_000).estimate).toBeLessThan(520_000)
    expect(at(59_000).queueMs).toBeLessThan(200)
    expect(at(85_000).estimate).toBeGreaterThan(1_200_000)
  })

  it('is not known at first, nor from nothing', () => {
    const estimator = new UplinkEstimator()
    const free = { lossPermille: 0, standingMs: 0 }
    estimator.update(0, { bitrate: 0, ...free })
    estimator.update(5000, { bitrate: 0, ...free })
    estimator.update(5200, { bitrate: 100_000, ...free })
    expect(estimator.estimate).toBeNull()
    estimator.update(6300, { bitrate: 100_000, ...free })
    expect(estimator.estimate).toBe(2_500_000)
  })

  it('stands near what arrives once the uplink was full', () => {
    const estimator = new UplinkEstimator()
    const reading = { bitrate: 400_000, lossPermille: 0 }
    for (let at = 0; at < 2000; at += 200) estimator.update(at, { ...reading, standingMs: 300 })
    expect(estimator.estimate).toBe(340_000)
    for (let at = 2000; at < 60_000; at += 200) estimator.update(at, { ...reading, standingMs: 0 })
    expect(estimator.estimate).toBeGreaterThan(600_000)
    expect(estimator.estimate).toBeLessThanOrEqual(700_000)
  })

  it('is lowered by a share only for a small queue of a publisher that sends little', () => {
    const estimator = new UplinkEstimator()
    const reading = { bitrate: 100_000, lossPermille: 0 }
    for (let at = 0; at <= 1000; at += 200) estimator.update(at, { ...reading, standingMs: 0 })
    estimator.update(1200, { ...reading, standingMs: 90 })
    expect(estimator.estimate).toBe(1_750_000)
    estimator.update(2000, { ...reading, standingMs: 250 })
    expect(estimator.estimate).toBe(85_000)
  })

  it('neither grows nor collapses while little is sent', () => {
    const estimator = new UplinkEstimator()
    const free = { lossPermille: 0, standingMs: 0 }
    for (let at = 0; at < 10_000; at += 200) estimator.update(at, { bitrate: 1_000_000, ...free })
    const before = estimator.estimate!
    for (let at = 10_000; at < 60_000; at += 200) estimator.update(at, { bitrate: 30_000, ...free })
    expect(estimator.estimate).toBe(before)
  })

  it('takes a little loss for chance and much for congestion', () => {
    const estimateUnder = (lossPermille: number) => {
      const estimator = new UplinkEstimator()
      for (let at = 0; at < 8000; at += 200) {
        const loss = at < 4000 ? 0 : lossPermille
        estimator.update(at, { bitrate: 1_000_000, lossPermille: loss, standingMs: 0 })
      }
      return estimator.estimate!
    }
    expect(estimateUnder(30)).toBeGreaterThan(1_500_000)
    expect(estimateUnder(300)).toBeLessThan(900_000)
  })

  it('has a most', () => {
    const estimator = new UplinkEstimator({ most: 500_000 })
    for (let at = 0; at < 10_000; at += 200) {
      estimator.update(at, { bitrate: 1_000_000, lossPermille: 0, standingMs: 0 })
    }
    expect(estimator.estimate).toBe(500_000)
  })

  it('has a least', () => {
    const estimator = new UplinkEstimator()
    for (let at = 0; at < 60_000; at += 200) {
      estimator.update(at, { bitrate: 10, lossPermille: 900, standingMs: 2000 })
    }
    expect(estimator.estimate).toBe(50_000)
  })
})

describe('a feedback meter', () => {
  it('tells of each track what arrived, and what is wanted', () => {
    const meter = new FeedbackMeter(0)
    const video = meter.track('video/0', 0)!
    const audio = meter.track('audio', 0)!
    video.want(2)
    for (let round = 1; round <= 20; round++) {
      for (let i = 0; i < 10; i++) {
        const object = round * 10 + i
        if (i !== 5) video.received(0, object, 1000, i % 4 !== 0)
        audio.received(round, i, 80, false)
        audio.delay.add(round * 200 + i * 20, round * 200_000 + i * 20_000)
      }
      meter.compose(round * 200)
    }
    const { bitrate, estimate, tracks } = meter.compose(4050)
    expect(tracks.map(({ name }) => name)).toEqual(['video/0', 'audio'])
    expect(tracks[1]).toMatchObject({ lossPermille: 0, layers: 0 })
    expect(tracks[1]!.jitterMs).toBeCloseTo(0)
    expect(tracks[0]!.layers).toBe(2)
    expect(bitrate).toBeGreaterThan(100_000)
    expect(estimate).toBeGreaterThan(bitrate)
  })

  it('is due every 200 ms, and sooner when what is wanted changed', () => {
    const meter = new FeedbackMeter(0)
    const video = meter.track('video/0', 0)!
    expect([meter.due(199), meter.due(200)]).toEqual([false, true])
    video.want(0)
    expect(meter.due(150)).toBe(false)
    video.want(3)
    expect([meter.due(99), meter.due(100)]).toEqual([false, true])
    meter.compose(100)
    video.wantKeyFrame()
    expect(meter.due(200)).toBe(true)
    expect(meter.compose(200).tracks[0]!.keyFrameWanted).toBe(true)
    video.wantKeyFrame()
    expect(meter.due(300)).toBe(false)
    video.gotKeyFrame()
    expect(meter.compose(400).tracks[0]!.keyFrameWanted).toBe(false)
  })

  it('is not disturbed by whoever asks again and again', () => {
    const meter = new FeedbackMeter(0)
    const audio = meter.track('audio', 0)!
    audio.received(0, 0, 1000, false)
    const first = meter.compose(200)
    audio.received(0, 1, 1000, false)
    expect(meter.compose(201)).toBe(first)
    expect(meter.compose(400).bitrate).toBeCloseTo(30_000)
  })

  it('falls to nothing when nothing comes', () => {
    const meter = new FeedbackMeter(0)
    meter.track('audio', 0)!.received(0, 0, 1000, false)
    for (let at = 200; at < 10_000; at += 200) meter.compose(at)
    expect(meter.compose(10_000).bitrate).toBe(0)
  })

  it('tells of at most 64 tracks, and of no endless name', () => {
    const meter = new FeedbackMeter(0)
    for (let i = 0; i < 64; i++) expect(meter.track(`${i}`, 0)).not.toBeNull()
    expect(meter.track('64', 0)).toBeNull()
    expect(meter.track('3', 0)).not.toBeNull()
    expect(new FeedbackMeter(0).track('ü'.repeat(128), 0)).toBeNull()
  })
})

describe('the meters of participants', () => {
  it('go with the last track', () => {
    const meters = new FeedbackMeters()
    meters.of('r', 'a', 0).track('audio', 0)
    meters.of('r', 'a', 0).track('video/0', 0)
    meters.removeTrack('r', 'a', 'audio')
    expect(meters.get('r', 'a')!.size).toBe(1)
    meters.removeTrack('r', 'a', 'video/0')
    expect(meters.get('r', 'a')).toBeNull()
    meters.removeTrack('r', 'a', 'video/0')
  })
})
