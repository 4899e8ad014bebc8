/**
 * How long a person who presses Join waits for picture and sound of somebody who is there: in Chromium,
 * on the built page, with the pre-join screen open as long as a person would look at it.
 */

import type { Page } from 'playwright-core'
import type { JoinTimes } from '../../client-lib/index.ts'
import { count, linkConditions } from '../load/options.ts'
import type { Scenario } from '../scenario.ts'
import { type JoinFigures, type JoinRecord, joinFigures, joinTable } from './join-figures.ts'
import { watchJoin } from './join-watch.ts'
import { goalsBelow, measureOnStage, type PageGoal, type PageReport } from './measurement.ts'
import { openSender, type Stage, snapshotOf, until } from './stage.ts'

const DEFAULT_JOINS = 20
const MOST_JOINS = 1000
const ROOM = 'bench'
/** A person looks at the preview, and then moves the pointer to Join. */
const PREVIEW_MS = 700
const POINT_MS = 300
/** Between two who join. */
const PAUSE_MS = 1000
/** A join that takes longer has failed. */
const PATIENCE_MS = 15_000
const LOOK_MS = 50
/** Without a network between, ms. */
const WANTED = { p50: 350, p95: 700 } as const

export interface JoinReport extends PageReport, JoinFigures {
  readonly records: readonly JoinRecord[]
}

export const join: Scenario = {
  name: 'join',
  summary:
    'In Chromium: from pressing Join to the first picture and sound of somebody who is there.',
  usage: `[--joins <n, default ${DEFAULT_JOINS}>] [--impair <delay=25,…: each way>]`,
  options: { joins: { type: 'string' }, impair: { type: 'string' } },

  async run(values, print): Promise<JoinReport> {
    const joins = count(values, 'joins', DEFAULT_JOINS, 1, MOST_JOINS)
    const impair = values.impair === undefined ? null : linkConditions(String(values.impair))
    return measureOnStage('join', impair, print, async (stage) => {
      const there = await openSender(stage, ROOM)
      const records: JoinRecord[] = []
      for (let i = 0; i < joins; i++) records.push(await joinOnce(stage, there, i))
      const figures = joinFigures(records)
      const { failed } = figures
      return {
        figures: { ...figures, records },
        shown: joinTable(figures),
        goals: impair ? [] : goalsOf(figures),
        faults: failed === 0 ? [] : [`${failed} of ${joins} joins brought no picture or no sound`],
      }
    })
  },
}

async function joinOnce(stage: Stage, there: Page, number: number): Promise<JoinRecord> {
  const page = await stage.open({ room: ROOM, name: `Joins ${number}` }, watchJoin)
  try {
    await page.click('#preview')
    await page.waitForFunction(() => {
      const preview = document.querySelector('video')
      return preview !== null && preview.videoWidth > 0
    })
    await page.waitForTimeout(PREVIEW_MS)
    await page.hover('#join')
    await page.waitForTimeout(POINT_MS)
    await page.click('#join')
    const record = await readJoin(page)
    await page.evaluate(() => globalThis.sotto?.call?.leave())
    return record
  } finally {
    await page.context().close()
    await until(there, 'the first caller is alone again', ({ participants, roster }) => {
      return participants.length === 1 && roster.length === 1
    })
    await there.waitForTimeout(PAUSE_MS)
  }
}

async function readJoin(page: Page): Promise<JoinRecord> {
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const record = await lookAtJoin(page)
    const isThere = record.seen !== null && record.steps.firstHeard !== null
    if (isThere || performance.now() > end) return record
    await page.waitForTimeout(LOOK_MS)
  }
}

async function lookAtJoin(page: Page): Promise<JoinRecord> {
  const snapshot = await snapshotOf(page)
  const { seen, marks } = await page.evaluate(() => ({
    seen: globalThis.seenJoin ?? {},
    marks: performance.getEntriesByType('mark').map(({ name, startTime }) => ({ name, startTime })),
  }))
  const { clicked } = seen
  const since = (at: number | undefined) =>
    at === undefined || clicked === undefined ? null : at - clicked
  const mark = (step: string) =>
    since(marks.find(({ name }) => name === `sotto:${step}`)?.startTime)
  const steps = Object.keys(snapshot?.joinMs ?? {}).map((step) => [step, mark(step)])
  return {
    called: mark('join'),
    steps: { ...NOTHING, ...Object.fromEntries(steps) },
    seen: since(seen.seen),
  }
}

const NOTHING: JoinTimes = {
  transport: null,
  connected: null,
  groupInfo: null,
  keys: null,
  subscribed: null,
  firstObject: null,
  firstDecoded: null,
  firstPicture: null,
  firstSound: null,
  firstHeard: null,
}

function goalsOf({ firstPictureMs, firstSoundMs }: JoinFigures): PageGoal[] {
  return [
    ...goalsBelow('first picture', firstPictureMs, WANTED),
    ...goalsBelow('first sound', firstSoundMs, WANTED),
  ]
}
