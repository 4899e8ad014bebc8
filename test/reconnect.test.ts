/**
 * Calls that lose their relay: killed and started again with its state and without, draining with another
 * one to go to, and a network that lets nothing through for a while. Real relays in processes of their
 * own, real Chromium, real QUIC on UDP. The times are printed; the machine is shared, so they are loose.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Snapshot } from '../client-lib/index.ts'
import { buildApp } from '../scripts/build-app.ts'
import { makeSelfSigned } from '../sfu/certificate/index.ts'
import { Caller, flows, tileCounts, watchTiles } from './support/call-page.ts'
import { launchChromium } from './support/chromium.ts'
import { type RelayProcess, startRelay } from './support/relay-process.ts'

const portOf = (url: string) => new URL(url).port

/** The flags of a relay that takes the place of another one. */
function samePlace({ urls }: RelayProcess): string[] {
  return [
    ...['--port', portOf(urls.relay)],
    ...['--http-port', portOf(urls.web)],
    ...['--ops-port', portOf(urls.ops)],
  ]
}

function ids(snapshot: Snapshot): string[] {
  return snapshot.roster.map(({ id }) => id)
}

let browser: Browser
let relay: RelayProcess
let callers: Caller[] = []

beforeAll(async () => {
  await buildApp({ quiet: true })
  browser = await launchChromium()
})

afterAll(() => browser?.close())

afterEach(async () => {
  for (const caller of callers) await caller.close()
  callers = []
  await relay?.stop()
})

/** Two callers who see and hear each other. */
async function call(web: string): Promise<[Caller, Caller]> {
  const open = (name: string) =>
    Caller.open(browser, web, { room: 'demo', name, autojoin: '1', suite: 'classical' })
  const one = await open('one')
  await one.until('connected', ({ state }) => state === 'connected', 40_000)
  const two = await open('two')
  callers = [one, two]
  for (const caller of callers) await caller.until('sound and picture', flows, 40_000)
  for (const caller of callers) await watchTiles(caller)
  return [one, two]
}

/** @returns ms until each has sound and picture of the other again */
async function untilBack(what: string, reconnects: number): Promise<number> {
  const from = Date.now()
  const back = (snapshot: Snapshot) =>
    flows(snapshot) && snapshot.connection.reconnects >= reconnects
  const snapshots = await Promise.all(
    callers.map((caller) => caller.until(`sound and picture ${what}`, back, 30_000)),
  )
  const ms = Date.now() - from
  const lost = snapshots.map(({ connection }) => connection.lastLostMs)
  process.stdout.write(`${what}: media back after ${ms} ms; without a connection ${lost} ms\n`)
  return ms
}

describe('a relay that drains', { timeout: 150_000 }, () => {
  it('sends its callers to another one, which they use before they leave it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sotto-drain-'))
    const { cert, key } = await makeSelfSigned([], Date.now())
    await writeFile(join(folder, 'key.pem'), key)
    await writeFile(join(folder, 'cert.pem'), cert)
    const files = ['--tls-cert', join(folder, 'cert.pem'), '--tls-key', join(folder, 'key.pem')]
    const other = await startRelay(['--engine', 'quiche', ...files])
    try {
      const to = ['--drain-to', other.urls.relay, '--drain-timeout', '30s']
      relay = await startRelay(['--engine', 'quiche', ...files, ...to])
      const [one, two] = await call(relay.urls.web)
      const ids = await Promise.all(callers.map(async (caller) => (await caller.snapshot()).self))
      await one.watchGaps(ids[1]!)
      await two.watchGaps(ids[0]!)
      relay.signal('SIGTERM')
      await untilBack('a drain to another relay', 1)
      // The old one ends when the last caller has left it, well before its time is up.
      expect(await relay.exited).toBe(0)
      for (const caller of callers) {
        await caller.until('sound and picture at the other relay', flows, 30_000)
        const { connection } = await caller.snapshot()
        expect(connection).toMatchObject({ lostMs: null, lastLostMs: 0 })
        const gaps = Object.entries(await caller.gaps()).map(([track, ms]) => `${track} ${ms} ms`)
        process.stdout.write(`longest gaps over the drain: ${gaps.join(', ')}\n`)
        expect(await tileCounts(caller)).toEqual([2])
      }
    } finally {
      await other.stop()
      await rm(folder, { recursive: true, force: true })
    }
  })
})

describe('a relay that is killed and started again', { timeout: 150_000 }, () => {
  it('with its group on disk, has the same members at once', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'sotto-reconnect-'))
    try {
      relay = await startRelay(['--engine', 'quiche', '--data-dir', dir])
      const [one] = await call(relay.urls.web)
      const before = await one.snapshot()
      const place = samePlace(relay)
      relay.signal('SIGKILL')
      await relay.exited
      await one.until('it is lost', ({ state }) => state === 'reconnecting')
      relay = await startRelay(['--engine', 'quiche', '--data-dir', dir, ...place])
      expect(await untilBack('a restart with its state', 1)).toBeLessThan(8000)
      const after = await one.snapshot()
      expect(ids(after)).toEqual(ids(before))
      expect(after.roster.map(({ leaf }) => leaf)).toEqual(before.roster.map(({ leaf }) => leaf))
      expect(after.verificationCode).not.toBe('')
      for (const caller of callers) expect(await tileCounts(caller)).toEqual([2])
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  })

  it('without it, makes the group anew, and the call goes on', async () => {
    relay = await startRelay(['--engine', 'quiche'])
    const [one] = await call(relay.urls.web)
    const before = await one.snapshot()
    const place = samePlace(relay)
    relay.signal('SIGKILL')
    await relay.exited
    relay = await startRelay(['--engine', 'quiche', ...place])
    expect(await untilBack('a restart without its state', 1)).toBeLessThan(12_000)
    const codes = new Set<string>()
    for (const caller of callers) codes.add((await caller.snapshot()).verificationCode)
    expect(codes.size).toBe(1)
    expect(ids(await one.snapshot()).sort()).toEqual(ids(before).sort())
    for (const caller of callers) {
      expect(await tileCounts(caller)).toEqual([2])
      const { page } = caller
      // No alarm, as the others have their keys of before; but nobody is left in the dark either.
      await page.locator('#padlock', { hasText: 'Compare the code' }).waitFor()
      await page.click('#padlock')
      const news = page.locator('#change-list li.check')
      expect(await news.innerText()).toMatch(/no record of this group[\s\S]*Compare the code again/)
      await page.locator('#change-list', { hasText: 'with the same key as before' }).waitFor()
      await page.keyboard.press('Escape')
      await page.locator('#padlock', { hasText: 'Encrypted' }).waitFor()
    }
  })
})
