import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TRAFFIC, type Traffic } from '../traffic.ts'
import { Allowance, UNLIMITED } from './allowance.ts'
import { makePoliceCounters } from './counters.ts'
import { Cut, type CutPoint, SessionPolice, type TrackPolice } from './police.ts'
import { type Bounds, DEFAULT_POLICE, type PoliceSettings } from './settings.ts'

const classOf = (traffic: Traffic) => TRAFFIC.indexOf(traffic)
const BASE = classOf('base')
const ENHANCEMENT = classOf('enhancement')
const AUDIO = classOf('audio')
const OTHER = classOf('other')

const NONE: Bounds = { bytes: UNLIMITED, objects: UNLIMITED }

function settings(session: Partial<Bounds>, base: Partial<Bounds> = {}): PoliceSettings {
  const every = Object.fromEntries(TRAFFIC.map((traffic) => [traffic, NONE]))
  return {
    ...DEFAULT_POLICE,
    session: { ...NONE, ...session },
    track: { ...(every as Record<Traffic, Bounds>), base: { ...NONE, ...base } },
  }
}

interface Object {
  readonly at: number
  readonly traffic: number
  readonly size: number
  readonly cut: CutPoint
}

/** A camera of 30 frames a second in three temporal layers, with a key frame each `keyMs`. */
function* camera(durationMs: number, bytesPerFrame: number, keyMs = 1000): Generator<Object> {
  for (let frame = 0; (frame * 1000) / 30 < durationMs; frame++) {
    const at = (frame * 1000) / 30
    const key = Math.floor(at / keyMs) !== Math.floor((at - 1000 / 30) / keyMs)
    if (frame % 4 === 0 || key) {
      yield {
        at,
        traffic: BASE,
        size: key ? bytesPerFrame * 4 : bytesPerFrame,
        cut: key ? Cut.KEY_FRAME : Cut.FRAME,
      }
      continue
    }
    for (let left = bytesPerFrame; left > 0; left -= 1100) {
      const cut = left === bytesPerFrame ? Cut.FRAME : Cut.MIDDLE
      yield { at, traffic: ENHANCEMENT, size: Math.min(left, 1100), cut }
    }
  }
}

function* sound(durationMs: number): Generator<Object> {
  for (let at = 0; at < durationMs; at += 20) {
    yield { at, traffic: AUDIO, size: 80, cut: Cut.FRAME }
  }
}

interface Run {
  readonly passed: number[]
  readonly offered: number[]
  /** Base objects that passed behind one that did not, before the next key frame. */
  holes: number
}

function run(picture: TrackPolice, audio: TrackPolice, objects: Iterable<Object>[]): Run {
  const all = objects.flatMap((list) => [...list]).sort((a, b) => a.at - b.at)
  const result: Run = { passed: TRAFFIC.map(() => 0), offered: TRAFFIC.map(() => 0), holes: 0 }
  let broken = false
  for (const { at, traffic, size, cut } of all) {
    const track = traffic === AUDIO ? audio : picture
    const drop = track.police(at, traffic, size, cut)
    result.offered[traffic]!++
    if (drop === null) result.passed[traffic]!++
    if (traffic !== BASE) continue
    if (cut === Cut.KEY_FRAME) broken = false
    if (drop === null && broken) result.holes++
    if (drop !== null) broken = true
  }
  return result
}

describe('an allowance', () => {
  it('lets the burst through at once and then the rate', () => {
    const allowance = new Allowance({ perSecond: 1000, burst: 500 }, 0)
    expect(allowance.allows(0, 500, 0)).toBe(true)
    allowance.take(500)
    expect(allowance.allows(99, 100, 0)).toBe(false)
    expect(allowance.allows(100, 100, 0)).toBe(true)
  })

  it('leaves a floor to others, and makes no debt that they would have to pay', () => {
    const allowance = new Allowance({ perSecond: 1000, burst: 500 }, 0)
    expect(allowance.allows(0, 251, 0.5)).toBe(false)
    expect(allowance.allows(0, 250, 0.5)).toBe(true)
    expect(allowance.allows(10_000, 501, 0)).toBe(false)
  })

  it('does not run backwards with the clock', () => {
    const allowance = new Allowance({ perSecond: 1000, burst: 10 }, 1000)
    allowance.take(10)
    expect(allowance.allows(0, 1, 0)).toBe(false)
    expect(allowance.allows(1001, 1, 0)).toBe(true)
  })

  it('without a bound never ends', () => {
    const allowance = new Allowance(UNLIMITED, 0)
    allowance.take(1e15)
    expect(allowance.allows(0, 1e15, 0.9)).toBe(true)
  })
})

describe('policing a publisher', () => {
  it('lets a call of three renditions, a screen and sound through the default bounds', () => {
    const session = new SessionPolice(DEFAULT_POLICE, 0)
    const renditions = [2_500_000, 600_000, 150_000].map((bitrate) => ({
      track: session.track(BASE, 0),
      objects: camera(20_000, bitrate / 8 / 30),
    }))
    const audio = { track: session.track(AUDIO, 0), objects: sound(20_000) }
    const screen = { track: session.track(BASE, 0), objects: camera(20_000, 9000, 10_000) }
    const all = [...renditions, audio, screen]
      .flatMap(({ track, objects }) => [...objects].map((object) => ({ track, ...object })))
      .sort((a, b) => a.at - b.at)
    const drops = all.map(({ track, at, traffic, size, cut }) =>
      track.police(at, traffic, size, cut),
    )
    expect(drops.filter((drop) => drop !== null)).toEqual([])
  })

  it('drops enhancement only, while the base layer fits the session', () => {
    // 2 Mbit/s of picture, a quarter of it base, into 1 Mbit/s.
    const session = new SessionPolice(
      settings({ bytes: { perSecond: 125_000, burst: 125_000 } }),
      0,
    )
    const result = run(session.track(BASE, 0), session.track(AUDIO, 0), [
      camera(20_000, 8000, 10_000),
      sound(20_000),
    ])
    expect(result.passed[AUDIO]).toBe(result.offered[AUDIO])
    expect(result.passed[BASE]).toBe(result.offered[BASE])
    expect(result.passed[ENHANCEMENT]).toBeLessThan(result.offered[ENHANCEMENT]! * 0.5)
    expect(result.passed[ENHANCEMENT]).toBeGreaterThan(result.offered[ENHANCEMENT]! * 0.1)
    expect(session.counters['session-bytes']).toBeGreaterThan(0)
    expect(session.counters['no-base']).toBe(0)
  })

  it('drops a base layer from an object on until a key frame, and no sound, under a flood', () => {
    const session = new SessionPolice(settings({ bytes: { perSecond: 62_500, burst: 62_500 } }), 0)
    const result = run(session.track(BASE, 0), session.track(AUDIO, 0), [
      camera(30_000, 10_000),
      sound(30_000),
    ])
    expect(result.holes).toBe(0)
    expect(result.passed[AUDIO]).toBe(result.offered[AUDIO])
    expect(result.passed[BASE]).toBeGreaterThan(0)
    expect(result.passed[BASE]).toBeLessThan(result.offered[BASE]! / 2)
    expect(session.counters['cut-group']).toBeGreaterThan(0)
    expect(session.counters['no-base']).toBeGreaterThan(0)
  })

  it('keeps a flood of one track to its own bound, so that the others do not feel it', () => {
    const session = new SessionPolice(
      settings(
        { bytes: { perSecond: 1_000_000, burst: 1_000_000 } },
        { bytes: { perSecond: 100_000, burst: 100_000 } },
      ),
      0,
    )
    const flood = session.track(BASE, 0)
    const other = session.track(BASE, 0)
    let dropped = 0
    for (const object of camera(10_000, 100_000)) {
      flood.police(object.at, object.traffic, object.size, object.cut)
      if (object.cut === Cut.MIDDLE) continue
      if (other.police(object.at, BASE, 1000, object.cut) !== null) dropped++
    }
    expect(dropped).toBe(0)
    expect(session.counters['track-bytes']).toBeGreaterThan(0)
    expect(session.counters['session-bytes']).toBe(0)
  })

  it('counts objects as well as bytes', () => {
    const session = new SessionPolice(settings({ objects: { perSecond: 100, burst: 100 } }), 0)
    const track = session.track(AUDIO, 0)
    let passed = 0
    for (let i = 0; i < 1000; i++) if (!track.police(i, AUDIO, 1, Cut.FRAME)) passed++
    expect(passed).toBeGreaterThan(150)
    expect(passed).toBeLessThan(210)
    expect(session.counters['session-objects']).toBe(1000 - passed)
  })

  it('holds a plain track to the bound of the session only', () => {
    const session = new SessionPolice(
      { ...DEFAULT_POLICE, session: { bytes: { perSecond: 1e9, burst: 1e9 }, objects: UNLIMITED } },
      0,
    )
    const track = session.track(OTHER, 0)
    for (let i = 0; i < 2000; i++) {
      expect(track.police(i / 10, OTHER, 20_000, Cut.MIDDLE)).toBeNull()
    }
  })

  it('drops the rest of an enhancement frame with its first part', () => {
    const session = new SessionPolice(
      settings({}, { bytes: { perSecond: 1000, burst: 10_000 } }),
      0,
    )
    const track = session.track(BASE, 0)
    expect(track.police(0, ENHANCEMENT, 7000, Cut.FRAME)).toBeNull()
    expect(track.police(0, ENHANCEMENT, 1000, Cut.FRAME)).toBe('track-bytes')
    expect(track.police(5000, ENHANCEMENT, 1, Cut.MIDDLE)).toBe('cut-frame')
    expect(track.police(5000, ENHANCEMENT, 1, Cut.FRAME)).toBeNull()
  })

  it('lets enhancement pass again only when there is more than the least', () => {
    const session = new SessionPolice(
      settings({}, { bytes: { perSecond: 1000, burst: 10_000 } }),
      0,
    )
    const track = session.track(BASE, 0)
    track.police(0, ENHANCEMENT, 7000, Cut.FRAME)
    expect(track.police(0, ENHANCEMENT, 1, Cut.FRAME)).toBe('track-bytes')
    // 30 % and one byte are there, but 10 % more are asked for.
    expect(track.police(500, ENHANCEMENT, 1, Cut.FRAME)).toBe('track-bytes')
    expect(track.police(1100, ENHANCEMENT, 1, Cut.FRAME)).toBeNull()
    expect(track.police(1100, ENHANCEMENT, 1, Cut.FRAME)).toBeNull()
  })

  it('says when a key frame would pass again', () => {
    const session = new SessionPolice(settings({ bytes: { perSecond: 1000, burst: 1000 } }), 0)
    const track = session.track(BASE, 0)
    track.police(0, BASE, 700, Cut.KEY_FRAME)
    expect(track.police(10, BASE, 700, Cut.FRAME)).toBe('session-bytes')
    expect(track.keyFrameWanted).toBe(false)
    expect(track.police(20, BASE, 100, Cut.FRAME)).toBe('cut-group')
    expect(track.keyFrameWanted).toBe(false)
    expect(track.police(900, BASE, 100, Cut.FRAME)).toBe('cut-group')
    expect(track.keyFrameWanted).toBe(true)
    expect(track.police(910, BASE, 700, Cut.KEY_FRAME)).toBeNull()
    expect(track.keyFrameWanted).toBe(false)
  })

  it('shares counters between sessions that are given the same', () => {
    const counters = makePoliceCounters()
    const bounds = settings({ objects: { perSecond: 1, burst: 1 } })
    for (let i = 0; i < 3; i++) {
      const track = new SessionPolice(bounds, 0, counters).track(AUDIO, 0)
      track.police(0, AUDIO, 1, Cut.FRAME)
      track.police(0, AUDIO, 1, Cut.FRAME)
    }
    expect(counters['session-objects']).toBe(3)
  })

  it('keeps its promises whatever is sent', () => {
    const object = fc.record({
      after: fc.integer({ min: 0, max: 100 }),
      traffic: fc.constantFrom(AUDIO, BASE, ENHANCEMENT),
      size: fc.integer({ min: 0, max: 5000 }),
      cut: fc.constantFrom<CutPoint>(Cut.MIDDLE, Cut.FRAME, Cut.KEY_FRAME),
    })
    const rate = { perSecond: 20_000, burst: 20_000 }
    fc.assert(
      fc.property(fc.array(object, { maxLength: 400 }), (objects) => {
        const session = new SessionPolice(settings({ bytes: rate }), 0)
        const picture = session.track(BASE, 0)
        const audio = session.track(AUDIO, 0)
        let now = 0
        let bytes = 0
        let broken = false
        let audioDroppedAt = -1
        for (const { after, traffic, size, cut } of objects) {
          now += after
          const passes =
            (traffic === AUDIO ? audio : picture).police(now, traffic, size, cut) === null
          if (passes) bytes += size
          if (traffic === AUDIO && !passes) audioDroppedAt = now
          // Sound is never dropped while anything else passes.
          if (traffic !== AUDIO && passes) expect(audioDroppedAt).not.toBe(now)
          if (traffic === AUDIO) continue
          if (traffic === BASE && cut === Cut.KEY_FRAME) broken = false
          if (broken) expect(passes).toBe(false)
          if (traffic === BASE && !passes) broken = true
        }
        expect(bytes).toBeLessThanOrEqual(rate.burst + (now * rate.perSecond) / 1000)
      }),
    )
  })
})
