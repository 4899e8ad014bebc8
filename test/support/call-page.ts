/** A caller: the call page in a browser context of its own, and what a test can see of it. */

import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Call, Participant, Snapshot, TrackInfo } from '../../client-lib/index.ts'

declare global {
  var sotto: { readonly call: Call | null; snapshot(): Snapshot | null } | undefined
}

/** Figures of a canvas: whether it shows anything, and whether that changes. */
export interface Picture {
  readonly width: number
  readonly height: number
  /** Mean of each colour, 0..255. */
  readonly mean: readonly [red: number, green: number, blue: number]
  readonly hash: number
}

const STEP_MS = 50

export class Caller {
  readonly name: string
  readonly page: Page
  /** Uncaught errors and error lines of the page. */
  readonly errors: string[] = []

  private constructor(name: string, page: Page) {
    this.name = name
    this.page = page
    page.on('pageerror', (error) => this.errors.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text())
    })
  }

  /** Opens the page; with `autojoin=1` in the query it joins by itself. */
  static async open(browser: Browser, web: string, query: Record<string, string>): Promise<Caller> {
    const context = await browser.newContext({ viewport: { width: 960, height: 640 } })
    return Caller.in(context, web, query)
  }

  /** The same in a context that was made ready. */
  static async in(
    context: BrowserContext,
    web: string,
    query: Record<string, string>,
  ): Promise<Caller> {
    const caller = new Caller(query.name ?? '', await context.newPage())
    await caller.page.goto(`${web}/?${new URLSearchParams(query)}`)
    return caller
  }

  /** The same for a page that is told that the relay is at another port, e.g. where a shaper listens. */
  static async behind(
    browser: Browser,
    web: string,
    port: number,
    query: Record<string, string>,
  ): Promise<Caller> {
    const context = await browser.newContext({ viewport: { width: 960, height: 640 } })
    await context.route(/\/config\.json/, async (route) => {
      const response = await route.fetch()
      const config = await response.json()
      const moved = new URL(config.relay)
      moved.port = String(port)
      await route.fulfill({ response, json: { ...config, relay: moved.href } })
    })
    return Caller.in(context, web, query)
  }

  async snapshot(): Promise<Snapshot> {
    const snapshot = await this.page.evaluate(() => globalThis.sotto?.snapshot() ?? null)
    if (!snapshot) throw new Error(`${this.name} has not joined`)
    return snapshot
  }

  /** Waits until the snapshot satisfies a condition; says what it was when it does not. */
  async until(what: string, condition: (snapshot: Snapshot) => boolean, ms = 20_000) {
    const end = Date.now() + ms
    for (;;) {
      const snapshot = await this.page.evaluate(() => globalThis.sotto?.snapshot() ?? null)
      if (snapshot && condition(snapshot)) return snapshot
      if (Date.now() > end) {
        const seen = JSON.stringify({ snapshot, errors: this.errors }, null, 1)
        throw new Error(`${this.name}: not within ${ms} ms: ${what}\n${seen}`)
      }
      await this.page.waitForTimeout(STEP_MS)
    }
  }

  async picture(participantId: string): Promise<Picture> {
    return this.page.evaluate((id) => {
      const tile = document.querySelector(`[data-participant="${CSS.escape(id)}"]`)
      const canvas = tile?.querySelector('canvas')
      if (!canvas || canvas.width === 0) {
        return { width: 0, height: 0, mean: [0, 0, 0] as const, hash: 0 }
      }
      const { width, height } = canvas
      // By a copy: what draws on the page's own canvas is elsewhere.
      const copy = new OffscreenCanvas(width, height).getContext('2d')!
      copy.drawImage(canvas, 0, 0)
      const pixels = copy.getImageData(0, 0, width, height).data
      const sum: [number, number, number] = [0, 0, 0]
      let hash = 0
      for (let i = 0; i < pixels.length; i += 4) {
        for (let c = 0; c < 3; c++) sum[c]! += pixels[i + c]!
        hash = (Math.imul(hash, 31) + pixels[i]! + 7 * pixels[i + 1]! + 13 * pixels[i + 2]!) | 0
      }
      const count = pixels.length / 4
      const mean = [sum[0] / count, sum[1] / count, sum[2] / count] as const
      return { width, height, mean, hash }
    }, participantId)
  }

  /** Begins to look, 20 times a second, how old the newest frame of each received track gets. */
  async watchGaps(participantId: string): Promise<void> {
    await this.page.evaluate((id) => {
      const oldest: Record<string, number> = {}
      const timer = setInterval(() => {
        const them = globalThis.sotto?.snapshot()?.participants.find((p) => p.id === id)
        for (const { name, lastFrameAgeMs } of them?.tracks ?? []) {
          oldest[name] = Math.max(oldest[name] ?? 0, lastFrameAgeMs ?? 0)
        }
      }, 50)
      Object.assign(globalThis, { gaps: { oldest, timer } })
    }, participantId)
  }

  /** The longest times, ms, for which nothing of each track came since `watchGaps`. */
  async gaps(): Promise<Record<string, number>> {
    return this.page.evaluate(() => {
      const { gaps } = globalThis as unknown as {
        gaps: { oldest: Record<string, number>; timer: ReturnType<typeof setInterval> }
      }
      clearInterval(gaps.timer)
      return gaps.oldest
    })
  }

  async leave(): Promise<void> {
    await this.page.evaluate(() => globalThis.sotto?.call?.leave())
  }

  async close(): Promise<void> {
    await this.page.context().close()
  }
}

export function others(snapshot: Snapshot): Participant[] {
  return snapshot.participants.filter((participant) => !participant.local)
}

export function track(participant: Participant | undefined, kind: TrackInfo['kind']) {
  return participant?.tracks.find((candidate) => candidate.kind === kind)
}

/** Every track that a caller receives from everybody else. */
export function received(snapshot: Snapshot): TrackInfo[] {
  return others(snapshot).flatMap((participant) => participant.tracks)
}

/** In a call of two: sound and picture of the other are decoded now. */
export function flows(snapshot: Snapshot): boolean {
  const tracks = received(snapshot)
  return (
    snapshot.state === 'connected' &&
    others(snapshot).length === 1 &&
    tracks.length === 2 &&
    tracks.every((t) => t.framesDecoded > 0 && (t.lastFrameAgeMs ?? Number.MAX_VALUE) < 1000)
  )
}

/** Begins to note how many tiles the page shows. */
export async function watchTiles(caller: Caller): Promise<void> {
  await caller.page.evaluate(() => {
    const counts = new Set<number>()
    setInterval(() => counts.add(document.querySelectorAll('[data-participant]').length), 20)
    Object.assign(globalThis, { tileCounts: counts })
  })
}

/** Every number of tiles that there was since `watchTiles`. */
export async function tileCounts(caller: Caller): Promise<number[]> {
  return caller.page.evaluate(() => [
    ...(globalThis as unknown as { tileCounts: Set<number> }).tileCounts,
  ])
}
