/** The real thing on one machine: a relay, a network before it, and the built call page in Chromium. */

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Browser, Page } from 'playwright-core'
import type { Call, Snapshot } from '../../client-lib/index.ts'
import type { LinkConditions } from '../../sfu/simulation/net/link.ts'
import { LinkProcess } from '../load/target/link-process.ts'
import { RelayProcess } from '../load/target/relay-process.ts'

declare global {
  var sotto: { readonly call: Call | null; snapshot(): Snapshot | null } | undefined
}

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
]
const VIEWPORT = { width: 960, height: 640 }
const PATIENCE_MS = 20_000
const LOOK_MS = 20
const SETTLE_MS = 2000

/** Runs in a page before the page's own scripts; a function may use nothing from outside of itself. */
export type InitScript = string | (() => void)

export interface Stage {
  readonly browser: Browser
  readonly relay: RelayProcess
  /** Opens the call page in a browser context of its own, which is closed with the page's. */
  open(query: Readonly<Record<string, string>>, ...scripts: readonly InitScript[]): Promise<Page>
  close(): Promise<void>
}

/** @param impair the network between every page and the relay, each way; null: none but this machine's */
export async function setStage(impair: Partial<LinkConditions> | null): Promise<Stage> {
  // Here, because they are slow to load and other scenarios do without.
  const { chromium } = await import('playwright-core')
  const { findChromium } = await import('../../scripts/chromium.ts')
  const { buildApp } = await import('../../scripts/build-app.ts')
  await buildApp({ quiet: true })
  const { relay, link } = await startRelay(impair)
  try {
    const browser = await chromium.launch({ executablePath: findChromium(), args: FLAGS })
    return {
      browser,
      relay,
      async open(query, ...scripts) {
        const context = await browser.newContext({ viewport: VIEWPORT })
        for (const script of scripts) {
          await context.addInitScript(typeof script === 'string' ? { content: script } : script)
        }
        const page = await context.newPage()
        await page.goto(`${relay.web}/?${new URLSearchParams(query)}`)
        return page
      },
      async close() {
        await browser.close()
        link?.stop()
        await relay.stop()
      },
    }
  } catch (error) {
    link?.stop()
    await relay.stop()
    throw error
  }
}

/** The page is told the address of the network's near end, where there is one. */
async function startRelay(impair: Partial<LinkConditions> | null) {
  if (!impair) return { relay: await RelayProcess.start(), link: null }
  const port = await freePort()
  const { rate, queueBytes, ...rest } = impair
  const narrow = {
    ...(rate !== undefined && { rate }),
    ...(queueBytes !== undefined && { queueBytes }),
  }
  const link = await LinkProcess.start(
    { host: '127.0.0.1', port },
    { down: { ...rest, ...narrow }, up: rest },
    1,
  )
  try {
    const url = `https://127.0.0.1:${link.port}/`
    const relay = await RelayProcess.start(['--port', String(port), '--public-url', url])
    return { relay, link }
  } catch (error) {
    link.stop()
    throw error
  }
}

/** Free a moment ago. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}

/** Somebody who is in the room with camera and microphone, and has been for a while. */
export async function openSender(
  stage: Stage,
  room: string,
  ...scripts: readonly InitScript[]
): Promise<Page> {
  const page = await stage.open({ room, name: 'There', autojoin: '1' }, ...scripts)
  await until(page, 'the first caller sends', ({ state, participants }) => {
    const own = participants.find(({ local }) => local)
    return state === 'connected' && (own?.tracks.length ?? 0) > 1
  })
  await page.waitForTimeout(SETTLE_MS)
  return page
}

export function snapshotOf(page: Page): Promise<Snapshot | null> {
  return page.evaluate(() => globalThis.sotto?.snapshot() ?? null)
}

/** Waits until a page's call is as wanted. @throws Error with what it was instead */
export async function until(
  page: Page,
  what: string,
  condition: (snapshot: Snapshot) => boolean,
  ms = PATIENCE_MS,
): Promise<Snapshot> {
  const end = performance.now() + ms
  for (;;) {
    const snapshot = await snapshotOf(page)
    if (snapshot && condition(snapshot)) return snapshot
    if (performance.now() > end) {
      throw new Error(`not within ${ms} ms: ${what}\n${JSON.stringify(snapshot, null, 1)}`)
    }
    await page.waitForTimeout(LOOK_MS)
  }
}
