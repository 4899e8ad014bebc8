/**
 * From glass to glass: a camera that paints the time, and the age of that time in the picture on another
 * page. Both pages are of one browser, so that they have one clock.
 */

import type { Page } from 'playwright-core'
import type { TrackInfo } from '../../client-lib/index.ts'
import { linkConditions } from '../load/options.ts'
import { table } from '../report/table.ts'
import { positiveNumber, type Scenario } from '../scenario.ts'
import { type Reading, readPicture, replaceCamera } from './glass-scripts.ts'
import { goalsBelow, measureOnStage, type PageReport } from './measurement.ts'
import { type Percentiles, percentilesOf } from './spread.ts'
import { openSender, type Stage, snapshotOf, until } from './stage.ts'
import { makeTimecode } from './timecode.ts'

const DEFAULT_S = 20
const ROOM = 'bench'
/** The largest picture is there, and sound is held as long as it has to be. */
const SETTLE_MS = 8000
const LOOK_MS = 500
/** Fewer pictures say little. */
const LEAST_PICTURES = 200
/** Without a network between, ms. */
const WANTED = { p50: 150 } as const

export interface GlassFigures {
  /** From painting a picture at the sender to when a repaint of the receiver's page has it, ms. */
  readonly glassMs: Percentiles
  /** Different pictures seen a second. */
  readonly picturesPerSecond: number
  /** How long the jitter buffer holds sound, ms. */
  readonly soundHeldMs: Percentiles
  /** By how much later than its sound a picture is shown, ms; negative: earlier. */
  readonly skewMs: Percentiles
  /** Width of the picture that was received last, pixels. */
  readonly width: number | null
}

export interface GlassReport extends PageReport, GlassFigures {}

export const glass: Scenario = {
  name: 'glass',
  summary:
    'In Chromium: from the camera of one page to the picture on another, by a time in the picture.',
  usage: `[--duration <s, default ${DEFAULT_S}>] [--impair <delay=25,…: each way>]`,
  options: { duration: { type: 'string' }, impair: { type: 'string' } },

  async run(values, print): Promise<GlassReport> {
    const seconds = positiveNumber(values, 'duration', DEFAULT_S)
    const impair = values.impair === undefined ? null : linkConditions(String(values.impair))
    return measureOnStage('glass', impair, print, async (stage) => {
      const figures = await measure(stage, seconds)
      const { count } = figures.glassMs
      return {
        figures,
        shown: glassTable(figures),
        goals: impair ? [] : goalsBelow('glass to glass', figures.glassMs, WANTED),
        faults: count < LEAST_PICTURES ? [`only ${count} pictures were seen`] : [],
      }
    })
  },
}

async function measure(stage: Stage, seconds: number): Promise<GlassFigures> {
  const timecode = `globalThis.timecode = (${makeTimecode})()`
  await openSender(stage, ROOM, timecode, replaceCamera)
  const page = await stage.open({ room: ROOM, name: 'Looks', autojoin: '1' }, timecode, readPicture)
  await until(page, 'a picture with a time', ({ joinMs }) => joinMs.firstPicture !== null)
  await page.waitForTimeout(SETTLE_MS)
  await page.evaluate(() => globalThis.readings?.splice(0))
  const tracks: TrackInfo[][] = []
  const started = performance.now()
  while (performance.now() - started < seconds * 1000) {
    tracks.push(await receivedTracks(page))
    await page.waitForTimeout(LOOK_MS)
  }
  const readings: readonly Reading[] = await page.evaluate(() => globalThis.readings ?? [])
  const { ageOf } = makeTimecode()
  const measured = (figure: (track: TrackInfo) => number | null | undefined) =>
    percentilesOf(tracks.flat().flatMap((track) => figure(track) ?? []))
  const picture = tracks.at(-1)?.find(({ kind }) => kind === 'video')
  return {
    glassMs: percentilesOf(readings.map(({ time, at }) => ageOf(time, at))),
    picturesPerSecond: (readings.length * 1000) / (performance.now() - started),
    soundHeldMs: measured(({ jitterBufferMs }) => jitterBufferMs),
    skewMs: measured(({ avSkewMs }) => avSkewMs),
    width: picture?.size?.width ?? null,
  }
}

async function receivedTracks(page: Page): Promise<TrackInfo[]> {
  const snapshot = await snapshotOf(page)
  const others = snapshot?.participants.filter(({ local }) => !local) ?? []
  return others.flatMap(({ tracks }) => tracks)
}

function glassTable({
  glassMs,
  soundHeldMs,
  skewMs,
  picturesPerSecond,
  width,
}: GlassFigures): string {
  const row = (name: string, { count, p50, p95, max }: Percentiles) => {
    return [name, ...[count, p50, p95, max].map((value) => value?.toFixed(0) ?? 'none')]
  }
  const rows = [
    row('glass to glass', glassMs),
    row('sound held by the jitter buffer', soundHeldMs),
    row('picture behind its sound', skewMs),
  ]
  const about = `${picturesPerSecond.toFixed(1)} pictures a second, ${width ?? 'no'} pixels wide\n`
  return table(['ms', 'readings', 'p50', 'p95', 'max'], rows) + about
}
