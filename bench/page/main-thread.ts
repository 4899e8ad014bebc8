/**
 * What a call costs the main thread of a page: call pages in Chromium, with its fake camera and microphone,
 * in one call. CPU time, not time, so that little depends on what else the machine does.
 */

import { writeFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import type { Snapshot } from '../../client-lib/index.ts'
import { count } from '../load/options.ts'
import { table } from '../report/table.ts'
import { type OptionValues, positiveNumber, type Scenario } from '../scenario.ts'
import { measureOnStage, type PageGoal, type PageReport } from './measurement.ts'
import { type Stage, snapshotOf } from './stage.ts'
import { shareOf, ThreadMeter, type ThreadShare } from './thread-meter.ts'

export interface PageCost {
  readonly name: string
  /** Of one core, 0..1. */
  readonly mainThread: ThreadShare
  /** Pictures decoded a second, of all others together. */
  readonly picturesPerSecond: number
}

export interface MainThreadFigures {
  readonly callers: number
  /** Those of them that watch. */
  readonly pages: readonly PageCost[]
}

export interface MainThreadReport extends PageReport, MainThreadFigures {}

const DEFAULT_CALLERS = 4
const MOST_CALLERS = 16
const DEFAULT_S = 10
const JOIN_MS = 60_000
/** Until what the join set going has come to rest. */
const SETTLE_MS = 5000
/** Fewer pictures a second of each other caller: that is no call. */
const LEAST_PICTURES = 10
/** Of one core. */
const WANTED = 0.05

export const mainThread: Scenario = {
  name: 'main-thread',
  summary: 'In Chromium: CPU time of the main thread of a page in a call.',
  usage:
    `[--callers <n, default ${DEFAULT_CALLERS}>] [--watching <n of them, default 1>] ` +
    `[--duration <s, default ${DEFAULT_S}>] ` +
    '[--profile <file.cpuprofile, of the first page>] [--screenshot <file.png, of it>]',
  options: {
    callers: { type: 'string' },
    watching: { type: 'string' },
    duration: { type: 'string' },
    profile: { type: 'string' },
    screenshot: { type: 'string' },
  },

  async run(values, print): Promise<MainThreadReport> {
    const callers = count(values, 'callers', DEFAULT_CALLERS, 2, MOST_CALLERS)
    const watching = count(values, 'watching', 1, 1, callers)
    const seconds = positiveNumber(values, 'duration', DEFAULT_S)
    return measureOnStage('main-thread', null, print, async (stage) => {
      const watchers = await openCallers(stage, callers, watching)
      const pages = await measure(watchers, seconds)
      await keep(watchers[0]!, seconds, values)
      return {
        figures: { callers, pages },
        shown: tableOf(pages, callers),
        goals: pages.map(goalOf),
        faults: pages.flatMap((page) => faultsOf(page, callers)),
      }
    })
  },
}

/**
 * Opens all one after the other and waits until those who watch get sound and picture of all others. The
 * rest hear everybody and ask for no picture: so many encoders and decoders in software are too much for a
 * small machine.
 */
async function openCallers(stage: Stage, callers: number, watching: number): Promise<Page[]> {
  const pages: Page[] = []
  for (let others = 0; others < callers; others++) {
    pages.push(await stage.open({ room: 'bench', name: `Caller ${others + 1}`, autojoin: '1' }))
    for (const [at, page] of pages.entries()) {
      const isReady = at < watching ? getsAll : looksAway
      await page.waitForFunction(isReady, others, { timeout: JOIN_MS })
    }
  }
  return pages.slice(0, watching)
}

/** Runs in a page. */
function getsAll(others: number): boolean {
  const participants = globalThis.sotto?.snapshot()?.participants ?? []
  const tracks = participants.filter(({ local }) => !local).flatMap(({ tracks }) => tracks)
  return tracks.length === 2 * others && tracks.every(({ framesDecoded }) => framesDecoded > 0)
}

/** Runs in a page. */
function looksAway(others: number): boolean {
  const call = globalThis.sotto?.call
  const ids = call?.participants.filter(({ local }) => !local).map(({ id }) => id) ?? []
  for (const id of ids) call?.setView(id, { width: 0, height: 0, hidden: true })
  return ids.length === others
}

async function measure(pages: readonly Page[], seconds: number): Promise<PageCost[]> {
  const meters = await Promise.all(pages.map((page) => ThreadMeter.of(page)))
  const look = () =>
    Promise.all(
      pages.map(async (page, at) => ({
        pictures: picturesOf(await snapshotOf(page)),
        sample: await meters[at]!.sample(),
      })),
    )
  await wait(SETTLE_MS)
  const before = await look()
  await wait(seconds * 1000)
  const after = await look()
  return before.map((first, at) => {
    const last = after[at]!
    const passedS = (last.sample.atMs - first.sample.atMs) / 1000
    return {
      name: `Caller ${at + 1}`,
      mainThread: shareOf(first.sample, last.sample),
      picturesPerSecond: (last.pictures - first.pictures) / passedS,
    }
  })
}

/** After the figures: both cost time themselves. */
async function keep(page: Page, seconds: number, values: OptionValues): Promise<void> {
  const { profile, screenshot } = values
  if (typeof screenshot === 'string') await page.screenshot({ path: screenshot })
  if (typeof profile !== 'string') return
  const meter = await ThreadMeter.of(page)
  await meter.beginProfile()
  await wait(seconds * 1000)
  await writeFile(profile, JSON.stringify(await meter.endProfile()))
}

function picturesOf(snapshot: Snapshot | null): number {
  const others = snapshot?.participants.filter(({ local }) => !local) ?? []
  return others
    .flatMap(({ tracks }) => tracks)
    .reduce((sum, { kind, framesDecoded }) => sum + (kind === 'video' ? framesDecoded : 0), 0)
}

function tableOf(pages: readonly PageCost[], callers: number): string {
  return table(
    [`${callers} callers`, 'main thread', 'of it script', 'pictures/s'],
    pages.map(({ name, mainThread: { task, script }, picturesPerSecond }) => [
      name,
      percent(task),
      percent(script),
      picturesPerSecond.toFixed(0),
    ]),
  )
}

function goalOf({ name, mainThread: { task } }: PageCost): PageGoal {
  return {
    name: `main thread, ${name}: ${percent(task)} of a core, wanted under ${percent(WANTED)}`,
    met: task < WANTED,
  }
}

function faultsOf({ name, picturesPerSecond }: PageCost, callers: number): string[] {
  if (picturesPerSecond >= LEAST_PICTURES * (callers - 1)) return []
  return [`${name} got only ${picturesPerSecond.toFixed(0)} pictures a second`]
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
