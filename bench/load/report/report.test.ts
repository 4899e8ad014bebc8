import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { describeMachine } from '../../report/machine.ts'
import { LOAD_SCHEMA_VERSION, type LoadReport } from './figures.ts'
import { loadHtml } from './html.ts'
import { runReport } from './run-report.ts'
import { loadReportSchema, SCHEMA_FILE, schemaText } from './schema.ts'
import { compareBytes } from './shortfall.ts'
import { runText } from './show.ts'
import { recordOf } from './test-record.ts'
import { loadFigures } from './totals.ts'

const figuresOf = (...watchers: Parameters<typeof recordOf>[0]) => loadFigures([recordOf(watchers)])

describe('what should have arrived', () => {
  it('is what was sent after the first object came, for each watcher', () => {
    const { objects, classes } = figuresOf(
      { firstAt: -500, audio: 10, video: 10 },
      { firstAt: 450, audio: 5, video: 4 },
    )
    expect(objects).toMatchObject({ sent: 20, expected: 30, received: 29, lost: 1, withheld: 0 })
    expect(classes.audio).toMatchObject({ sent: 10, expected: 15, received: 15, lost: 0 })
    expect(classes['video-t2']).toMatchObject({ expected: 15, received: 14, lost: 1 })
  })

  it('is all of it for a watcher to whom nothing came', () => {
    expect(figuresOf({ firstAt: null, audio: 0 }).objects).toMatchObject({ expected: 20, lost: 20 })
  })

  it('is less for one who leaves', () => {
    const { objects } = figuresOf({ firstAt: -500, leftAt: 1000, audio: 5, video: 5 })
    expect(objects).toMatchObject({ expected: 10, lost: 0 })
  })

  it('may be withheld from one who lets the relay choose, but for sound', () => {
    const { classes } = figuresOf({ managed: true, firstAt: -500, audio: 9, video: 3 })
    expect(classes.audio).toMatchObject({ lost: 1, withheld: 0 })
    expect(classes['video-t2']).toMatchObject({ lost: 0, withheld: 7 })
  })

  it('is compared byte by byte where that is asked for', () => {
    const record = recordOf([{ firstAt: 0, audio: 2, checksums: [1, 0, 1000, 1, 1, 7] }])
    expect(compareBytes(record)).toEqual({ compared: 2, different: 1 })
    const silent = { ...record, plan: { ...record.plan, compareBytes: false } }
    expect(compareBytes(silent)).toBeNull()
  })
})

describe('the figures of a run', () => {
  it('have the relay by object and by bit', () => {
    const { relay, packetsPerSecond, megabitsPerSecond } = figuresOf({
      firstAt: -500,
      audio: 10,
      video: 10,
    })
    expect(relay).toMatchObject({
      cpuSeconds: 0.5,
      cpuCores: 0.5,
      rssBytes: 80e6,
      rssBytesPerParticipant: 15e6,
      eventLoopLagMsP99: 1.5,
      cpuSecondsPerMillionObjects: 25_000,
      forwarded: 30,
      dropped: { overflow: 4, deadline: 0 },
    })
    expect(relay!.cpuSecondsPerGigabit).toBeCloseTo(0.5 / (5500 * 8e-9), 0)
    expect(packetsPerSecond).toBe(400)
    expect(megabitsPerSecond).toBe(0.044)
  })

  it('add up over runs', () => {
    const record = recordOf([{ firstAt: -500, audio: 10, video: 10 }])
    expect(loadFigures([record, record])).toMatchObject({
      durationS: 2,
      objects: { sent: 40, received: 40 },
      objectsPerSecond: 20,
      relay: { cpuSeconds: 1, cpuCores: 0.5 },
      participants: { planned: 4, joined: 4 },
    })
  })
})

function reportOf(): LoadReport {
  const record = recordOf([{ firstAt: -500, audio: 9, video: 10 }])
  const goal = { name: 'audio lost', value: '1', wanted: '0', met: false }
  const run = runReport(record, () => [goal])
  return {
    schemaVersion: LOAD_SCHEMA_VERSION,
    scenario: 'fanout',
    target: 'moqt://a<b/',
    machine: describeMachine(),
    startedAt: '2026-01-01T00:00:00.000Z',
    valid: run.valid,
    invalidBecause: run.invalidBecause,
    ...loadFigures([record]),
    settings: {
      publishers: 1,
      subscribers: 1,
      rooms: 1,
      profile: 'audio',
      renditions: 1,
      durationMs: 1000,
      managed: false,
      followsFeedback: false,
      mls: null,
      impair: null,
      workers: 1,
      relayWorkers: 1,
      seed: 1,
    },
    runs: [run],
    conclusions: [{ name: 'largest load', value: '<3' }],
  }
}

describe('the schema of the JSON', () => {
  it('has every field of a report and no other', () => {
    const report = reportOf()
    expect(loadReportSchema.parse(report)).toEqual(report)
    const { runs, ...headless } = report
    expect(loadReportSchema.safeParse(headless).success).toBe(false)
    expect(loadReportSchema.safeParse({ ...report, more: 1 }).success).toBe(false)
    const [run] = runs
    const lost = { ...run!, labels: [{ ...run!.labels[0]!, phases: [{}] }] }
    expect(loadReportSchema.safeParse({ ...report, runs: [lost] }).success).toBe(false)
  })

  it('is what its file says: else run node bench/load/report/schema.ts', () => {
    expect(JSON.parse(readFileSync(SCHEMA_FILE, 'utf8'))).toEqual(JSON.parse(schemaText()))
  })
})

describe('the report', () => {
  it('survives JSON as it is: no figure is NaN, infinite or left out', () => {
    const report = reportOf()
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  })

  it('is not valid of a run in which nobody got in', () => {
    const record = recordOf([])
    const [worker] = record.workers
    const participants = worker!.participants.map((each) => ({ ...each, joinedAt: null }))
    const nobody = { ...record, workers: [{ ...worker!, participants }] }
    const { valid, invalidBecause } = runReport(nobody, () => [])
    expect({ valid, invalidBecause }).toEqual({
      valid: false,
      invalidBecause: ['nobody got a session'],
    })
  })

  it('puts each goal beside what was measured', () => {
    const text = runText(reportOf().runs[0]!)
    expect(text).toMatch(/audio lost +1 +0 +missed/)
    expect(text).toMatch(/audio +10 +10 +9 +1 +0 +0 +0 +5\.0/)
  })

  it('opens as HTML without a network: nothing in it is fetched, and nothing runs', () => {
    const html = loadHtml(reportOf())
    expect(html).toContain('<svg')
    expect(html).toContain('moqt://a&lt;b/')
    expect(html).toContain('by hand &lt;1&gt;')
    expect(html).toContain('&lt;3')
    expect(html).not.toMatch(/<(script|link|img|iframe|object|embed)|\bsrc=|\bhref=|url\(|@import/i)
    expect(html).not.toMatch(/NaN|Infinity|undefined/)
    const addresses = [...html.matchAll(/https?:\/\/[^"'\s<]+/g)].map(([address]) => address)
    expect(new Set(addresses)).toEqual(new Set(['http://www.w3.org/2000/svg']))
  })
})
