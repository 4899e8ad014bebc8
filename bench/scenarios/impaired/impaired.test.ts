import { describe, expect, it } from 'vitest'
import { type LoadDefaults, loadOptions } from '../../load/options.ts'
import { measuredMs } from '../../load/plan.ts'
import type { LabelReport, PhaseReport } from '../../load/report/figures.ts'
import { audioInTime, audioIntact, noFreeze, pictureGap, reachedAfter, settlesAt } from './goals.ts'
import { SCHEDULES } from './schedules.ts'

const DEFAULTS: LoadDefaults = {
  publishers: 1,
  subscribers: 1,
  rooms: 1,
  profile: 'video',
  renditions: 3,
  managed: true,
  durationS: 10,
}
const NO_STALLS = { count: 0, totalMs: 0, longestMs: 33 }

function phase(fields: Partial<PhaseReport> = {}): PhaseReport {
  return {
    phase: 'all',
    classes: {},
    latencyMs: {},
    audioGaps: NO_STALLS,
    freezes: NO_STALLS,
    framesPerSecond: 30,
    ...fields,
  }
}

/** A receiver whose choice is told for each half second: rendition and layer, or null. */
function receiver(choices: readonly (readonly [number, number] | null)[]): LabelReport {
  const zeros = choices.map(() => 0)
  return {
    label: 'receiver',
    phases: [],
    timeline: {
      stepMs: 500,
      objectsPerSecond: zeros,
      megabitsPerSecond: zeros,
      framesPerSecond: zeros,
      rendition: choices.map((choice) => choice?.[0] ?? null),
      temporalLayer: choices.map((choice) => choice?.[1] ?? null),
    },
  }
}

describe.each(Object.keys(SCHEDULES))('the schedule %s', (name) => {
  const { plan } = SCHEDULES[name]!(loadOptions({}, DEFAULTS))

  it('has a network for each receiver, and its changes while it is measured', () => {
    const receivers = plan.participants.filter(({ watches }) => watches.length > 0)
    expect(receivers.map(({ link }) => link)).toEqual(plan.links.map((_, index) => index))
    const changes = plan.links.flatMap((link) => link.changes.map(({ atMs }) => atMs))
    for (const atMs of [...changes, ...plan.epochChanges]) {
      expect(atMs).toBeGreaterThanOrEqual(0)
      expect(atMs).toBeLessThan(measuredMs(plan))
    }
  })

  it('watches what is published', () => {
    const published = new Map(plan.participants.map((each) => [each.id, each.publishes]))
    for (const { watches } of plan.participants) {
      for (const { participant, tracks } of watches) {
        expect(published.get(participant)).toEqual(tracks)
      }
    }
    expect(new Set(plan.participants.map(({ leaf }) => leaf)).size).toBe(plan.participants.length)
  })

  it('is as long as --duration says', () => {
    const longer = SCHEDULES[name]!(loadOptions({ duration: '20' }, DEFAULTS)).plan
    expect(measuredMs(longer)).toBeGreaterThan(measuredMs(plan))
  })
})

describe('a goal', () => {
  it('of sound is missed for one lost object, and unknown where none came', () => {
    const counts = {
      sent: 0,
      sentBytes: 0,
      expected: 100,
      received: 99,
      receivedBytes: 9900,
      lost: 1,
      withheld: 0,
      late: 0,
      duplicate: 0,
    }
    expect(audioIntact('x', phase({ classes: { audio: counts } }))).toMatchObject({
      value: '1 of 100',
      met: false,
    })
    const whole = { ...counts, received: 100, lost: 0 }
    expect(audioIntact('x', phase({ classes: { audio: whole } })).met).toBe(true)
    expect(audioIntact('x', phase()).met).toBeNull()
  })

  it('of its delay allows what the path takes', () => {
    const with95 = (p95: number) => phase({ latencyMs: { audio: { p50: 1, p95, p99: 1, max: 1 } } })
    expect(audioInTime('x', with95(169)).met).toBe(true)
    expect(audioInTime('x', with95(171)).met).toBe(false)
    expect(audioInTime('x', with95(300), 200).met).toBe(true)
  })

  it('of a picture is missed when there is none at all', () => {
    expect(noFreeze('x', phase()).met).toBe(true)
    expect(noFreeze('x', phase({ framesPerSecond: 0 })).met).toBe(false)
    expect(pictureGap('x', phase({ freezes: { ...NO_STALLS, longestMs: 250 } }), 240).met).toBe(
      false,
    )
    expect(pictureGap('x', phase(), 240).met).toBe(true)
  })

  it('of a choice counts a larger rendition as more than any layer', () => {
    const wanted = { rendition: 1, layer: 1 }
    const at = (choices: Parameters<typeof receiver>[0]) =>
      settlesAt('x', receiver(choices), 500, 2000, wanted)
    expect(at([null, [1, 1], [2, 0], [0, 2]])).toMatchObject({
      value: '67 % of the time; mostly rendition 1 T1',
      met: true,
    })
    expect(
      at([
        [2, 2],
        [1, 0],
        [1, 0],
        [1, 1],
      ]).met,
    ).toBe(false)
    expect(at([]).met).toBeNull()
  })

  it('of a recovery counts from the change to a choice that stays', () => {
    const wanted = { rendition: 2, layer: 2 }
    const low = [0, 0] as const
    const top = [2, 2] as const
    const at = (choices: Parameters<typeof receiver>[0]) =>
      reachedAfter('x', receiver(choices), 1000, wanted, 1500)
    expect(at([top, top, low, top, low, low, top, top]).met).toBe(false)
    expect(at([low, low, low, low, top, top])).toMatchObject({ value: '1 to 1.5 s', met: true })
    expect(at([low, low, low, low])).toMatchObject({ value: 'never', met: false })
  })
})
