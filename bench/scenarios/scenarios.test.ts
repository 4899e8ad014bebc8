import { describe, expect, it } from 'vitest'
import { type LoadDefaults, loadOptions } from '../load/options.ts'
import { measuredMs } from '../load/plan.ts'
import type { RelayTimeline, RunReport } from '../load/report/figures.ts'
import { runReport } from '../load/report/run-report.ts'
import { recordOf } from '../load/report/test-record.ts'
import { churnPlan } from './churn.ts'
import { comparison } from './compare.ts'
import { idlePlan } from './idle.ts'
import { holds, objectiveGoals } from './objective.ts'
import { climb } from './ramp.ts'
import { growthAnHour } from './soak.ts'

const DEFAULTS: LoadDefaults = {
  publishers: 1,
  subscribers: 10,
  rooms: 1,
  profile: 'video',
  renditions: 1,
  managed: false,
  durationS: 20,
}
const options = loadOptions({}, DEFAULTS)

/** A run in which nothing was lost. */
function run(fields: Partial<RunReport> = {}): RunReport {
  const record = recordOf([{ firstAt: -500, audio: 10, video: 10 }])
  return { ...runReport(record, () => []), ...fields }
}

const goal = (met: boolean) => [{ name: 'objective', value: '', wanted: '', met }]

/** The loads that a ramp tries, against a relay that bears so many subscribers. */
function loads(bears: number, most: number, isValid = (_load: number) => true): number[] {
  const steps = climb(options, most)
  const tried: number[] = []
  for (let next = steps.next(); !next.done; ) {
    const load = Number.parseInt(next.value.plan.name, 10)
    tried.push(load)
    next = steps.next(run({ goals: goal(load <= bears), valid: isValid(load) }))
  }
  return tried
}

describe('a ramp', () => {
  it('doubles until the objective breaks, then halves the distance', () => {
    expect(loads(100, 1000)).toEqual([10, 20, 40, 80, 160, 120, 100])
  })

  it('ends with the most that it may try', () => {
    expect(loads(10_000, 50)).toEqual([10, 20, 40, 50])
  })

  it('does not go on where the generator is saturated: that says nothing of the relay', () => {
    expect(loads(10_000, 1000, (load) => load < 40)).toEqual([10, 20, 40, 30, 35])
  })

  it('stops at a relay that does not bear the least', () => {
    expect(loads(0, 1000)).toEqual([10, 5, 2])
  })
})

describe('the service objective', () => {
  it('holds for a run in which nothing is lost, late or frozen', () => {
    expect(holds({ goals: objectiveGoals(run(), 1) })).toBe(true)
  })

  it.each([
    ['somebody did not get in', { participants: { planned: 3, joined: 2 } }],
    ['sound is late', { latencyMs: { audio: { p50: 1, p95: 101, p99: 1, max: 1 } } }],
    ['pictures freeze', { freezes: { count: 1, totalMs: 600, longestMs: 600 } }],
    ['nothing came', { classes: {}, latencyMs: {} }],
  ])('breaks when %s', (_why, fields) => {
    expect(holds({ goals: objectiveGoals(run(fields), 1) })).toBe(false)
  })
})

describe('idle', () => {
  it('has people who are there and neither send nor watch', () => {
    const { participants } = idlePlan(loadOptions({ subscribers: '3' }, DEFAULTS))
    expect(participants).toHaveLength(3)
    for (const { publishes, watches } of participants)
      expect([publishes, watches]).toEqual([[], []])
  })
})

describe('churn', () => {
  const plan = churnPlan(options, 4000)
  const ends = plan.warmupMs + measuredMs(plan)

  it('has publishers and half of the subscribers stay, and others come again and again', () => {
    const stay = plan.participants.filter(({ leaveAtMs }) => leaveAtMs === null)
    expect(stay).toHaveLength(1 + 5)
    const visits = plan.participants.filter(({ id }) => id.startsWith('s1-'))
    expect(visits.length).toBeGreaterThan(4)
    for (const [index, visit] of visits.entries()) {
      const before = visits[index - 1]
      expect(visit.joinAtMs).toBeGreaterThan(before?.leaveAtMs ?? -1)
      expect(visit.joinAtMs).toBeLessThan(ends)
    }
  })

  it('gives each visit an id and a leaf of its own', () => {
    const of = (value: (each: (typeof plan.participants)[number]) => unknown) =>
      new Set(plan.participants.map(value)).size
    expect(of(({ id }) => id)).toBe(plan.participants.length)
    expect(of(({ leaf }) => leaf)).toBe(plan.participants.length)
  })

  const crowd = churnPlan(loadOptions({ publishers: '3', rooms: '2' }, DEFAULTS), 4000)

  it('has publishers come and go too, and each subscriber watch those who are there with it', () => {
    const gone = crowd.participants.filter(({ id }) => id.startsWith('p1-'))
    expect(gone.length).toBeGreaterThan(4)
    expect(
      gone.every(({ publishes, watches }) => publishes.length > 0 && watches.length === 0),
    ).toBe(true)
    const stays = crowd.participants.find(({ id }) => id === 's0')!
    const inItsRoom = gone.filter(({ room }) => room === stays.room)
    expect(stays.watches.map(({ participant }) => participant)).toEqual([
      'p0',
      ...inItsRoom.map(({ id }) => id),
      'p2',
    ])
    const visit = crowd.participants.filter(({ id }) => id.startsWith('s3-'))[2]!
    for (const { participant, fromMs, untilMs = ends } of visit.watches) {
      expect(fromMs, participant).toBeLessThan(visit.leaveAtMs!)
      expect(untilMs, participant).toBeGreaterThan(visit.joinAtMs)
    }
    expect(visit.watches.length).toBeLessThan(5)
  })

  it('is refused where a room had more visits than leaves', () => {
    const long = loadOptions({ duration: '600' }, DEFAULTS)
    expect(() => churnPlan(long, 10)).toThrow('more than 4096 visits')
  })
})

describe('soak', () => {
  const timeline = (rssBytes: readonly (number | null)[]): RelayTimeline => {
    const nulls = rssBytes.map(() => null)
    return {
      seconds: rssBytes.map((_, second) => second),
      rssBytes,
      cpuCores: nulls,
      eventLoopLagMs: nulls,
      droppedPerSecond: nulls,
      waitingBytes: nulls,
    }
  }

  it('finds the slope of the memory in the second half alone', () => {
    const grows = Array.from({ length: 101 }, (_, second) =>
      second < 50 ? second * 99 : 1000 + second,
    )
    expect(growthAnHour(timeline(grows))).toBeCloseTo(3600)
    expect(growthAnHour(timeline(new Array(60).fill(7)))).toBe(0)
  })

  it('finds none where the relay does not tell', () => {
    expect(growthAnHour(timeline([null, null, null]))).toBeNull()
    expect(growthAnHour(timeline([]))).toBeNull()
  })
})

it('compare puts the medians of both relays beside each other', () => {
  const runs = [
    run({ name: 'ours 1', objectsPerSecond: 100 }),
    run({ name: 'peer 1', objectsPerSecond: 90, relay: null }),
    run({ name: 'ours 2', objectsPerSecond: 300 }),
    run({ name: 'peer 2', objectsPerSecond: 80, relay: null }),
  ]
  expect(comparison(runs)).toContainEqual({
    name: 'received',
    value: 'ours 200 objects/s, peer 85 objects/s (2.35 times)',
  })
  expect(comparison(runs)).toContainEqual({
    name: 'CPU',
    value: 'ours 25000 s a million objects, peer unknown',
  })
})
