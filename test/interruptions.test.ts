/**
 * What interrupts a call while its relay stays where it is: a network that lets nothing through for some
 * seconds, a machine that sleeps, and a page that is left and come back to. Real Chromium
 * and relay; the network is the shaper between them. Times are printed; the machine is shared, so the
 * bounds are loose.
 */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Shaper } from '../bench/net/shaper.ts'
import { buildApp } from '../scripts/build-app.ts'
import { Caller, flows, others, tileCounts, watchTiles } from './support/call-page.ts'
import { launchChromium } from './support/chromium.ts'
import { type RelayProcess, startRelay } from './support/relay-process.ts'

const SLEEP_MS = 5000

let relay: RelayProcess
let shaper: Shaper
let browser: Browser
let annsMachine: Browser
let ann: Caller
let bob: Caller

beforeAll(async () => {
  await buildApp({ quiet: true })
  relay = await startRelay(['--engine', 'quiche'])
  const port = Number(new URL(relay.urls.relay).port)
  shaper = await Shaper.start({ to: { host: '127.0.0.1', port } })
  browser = await launchChromium([], { keepsPages: true })
  annsMachine = await launchChromium()
  const query = { room: 'away', suite: 'classical', autojoin: '1' }
  ann = await Caller.behind(annsMachine, relay.urls.web, shaper.port, { ...query, name: 'Ann' })
  await ann.until('in the call', ({ state }) => state === 'connected')
  bob = await Caller.open(browser, relay.urls.web, { ...query, name: 'Bob' })
  for (const caller of [ann, bob]) await caller.until('sound and picture', flows)
  for (const caller of [ann, bob]) await watchTiles(caller)
})

afterAll(async () => {
  await browser?.close()
  await annsMachine?.close()
  await shaper?.close()
  await relay?.stop()
})

/** @returns ms until each has sound and picture of the other again */
async function untilBack(what: string): Promise<number> {
  const from = performance.now()
  await Promise.all([ann, bob].map((caller) => caller.until(`media ${what}`, flows, 30_000)))
  const ms = Math.round(performance.now() - from)
  process.stdout.write(`media back ${ms} ms ${what}\n`)
  return ms
}

describe('a call that is interrupted', () => {
  it.each([
    ['two seconds', 2000],
    ['eight seconds', 8000],
  ])('goes on with the same people after %s without a network', async (_, ms) => {
    const before = await ann.snapshot()
    shaper.change({ up: { loss: 1 }, down: { loss: 1 } })
    await ann.page.waitForTimeout(ms)
    if (ms > 4000) {
      expect((await ann.snapshot()).state).toBe('reconnecting')
      expect(await ann.page.innerText('#banner')).toContain('Reconnecting')
    }
    shaper.change({ up: { loss: 0 }, down: { loss: 0 } })
    expect(await untilBack(`after ${ms} ms without a network`)).toBeLessThan(6000)
    expect((await ann.snapshot()).roster.map(({ id }) => id)).toEqual(
      before.roster.map(({ id }) => id),
    )
    for (const caller of [ann, bob]) expect(await tileCounts(caller)).toEqual([2])
  })

  it('goes on after the machine was asleep', async () => {
    const before = await ann.snapshot()
    const developer = await annsMachine.newBrowserCDPSession()
    const { processInfo } = await developer.send('SystemInfo.getProcessInfo')
    const signal = (name: NodeJS.Signals) => {
      for (const { id } of processInfo) process.kill(id, name)
    }
    signal('SIGSTOP')
    await bob.page.waitForTimeout(SLEEP_MS)
    signal('SIGCONT')
    expect(await untilBack('after the machine woke up')).toBeLessThan(6000)
    expect((await ann.snapshot()).self).toBe(before.self)
    for (const caller of [ann, bob]) expect(await tileCounts(caller)).toEqual([2])
  })

  it('is joined again as the same member when the person comes back to a page with devices', async () => {
    const before = await ann.snapshot()
    await ann.page.goto(`${relay.urls.web}/certificate.sha256`)
    await bob.page.waitForTimeout(1000)
    await ann.page.goBack()
    await untilBack('after the person came back to the page')
    expect((await ann.snapshot()).self).toBe(before.self)
    expect(others(await bob.snapshot()).map(({ name }) => name)).toEqual(['Ann'])
  })

  it.each([
    ['joined again as the same member', { autojoin: '1' }],
    ['asked again before it is joined', {}],
  ])('is %s when the browser had kept the page', async (_, query) => {
    const page = { room: 'kept', name: 'Cy', suite: 'classical', audio: '0', video: '0', ...query }
    const cy = await Caller.open(browser, relay.urls.web, page)
    if (!('autojoin' in query)) await cy.page.click('#join')
    const { self } = await cy.until('in the call', ({ state }) => state === 'connected')
    await cy.page.evaluate(() => Object.assign(globalThis, { kept: true }))
    // Until the keys are kept.
    await cy.page.waitForTimeout(1500)
    await cy.page.goto(`${relay.urls.web}/certificate.sha256`)
    // No load is told of when a kept page is shown.
    await cy.page.goBack({ waitUntil: 'commit' })
    expect(await cy.page.evaluate(() => Reflect.get(globalThis, 'kept'))).toBe(true)
    if ('autojoin' in query) {
      const again = await cy.until('in the call again', ({ state }) => state === 'connected')
      expect(again.self).toBe(self)
    } else {
      await cy.page.waitForSelector('#join', { state: 'visible' })
      expect(await cy.page.inputValue('#room')).toBe('kept')
      await cy.page.click('#join')
      await cy.until('in the call again', ({ state }) => state === 'connected')
    }
    expect(cy.errors).toEqual([])
    await cy.close()
  })
})

describe('a person alone in a room', () => {
  it.each([
    ['its state', false],
    ['no state', true],
  ])('is in it again at once after reloads, with %s, and others can come', async (what, forgets) => {
    const room = `alone-${forgets}`
    const page = { room, name: 'Dee', suite: 'classical', audio: '0', video: '0', autojoin: '1' }
    const dee = await Caller.open(browser, relay.urls.web, page)
    const { self } = await dee.until('in the call', ({ state }) => state === 'connected')
    for (let i = 0; i < 3; i++) {
      if (forgets) await dee.page.evaluate(deleteDatabase, 'sotto-keys')
      await dee.page.reload()
      const again = await dee.until('again', ({ state }) => state === 'connected', 10_000)
      expect(again.self).toBe(self)
      expect(again.participants.flatMap(({ alarms }) => alarms)).toEqual([])
      expect(await dee.page.isHidden('#alarms')).toBe(true)
    }
    const eli = await Caller.open(browser, relay.urls.web, { ...page, name: 'Eli' })
    const both = [dee, eli]
    for (const caller of both) {
      await caller.until('not alone', (snapshot) => others(snapshot).length === 1)
      const { alarms } = others(await caller.snapshot())[0]!
      expect([what, alarms, caller.errors]).toEqual([what, [], []])
    }
    for (const caller of both) await caller.close()
  })
})

/** In the page: as if it had kept nothing. */
function deleteDatabase(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name)
    request.onsuccess = () => resolve()
    request.onerror = () => reject(request.error)
  })
}
