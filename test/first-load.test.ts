/** Real parts: the relay with its call page, and Chromium. What the page loads, and when. */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildApp } from '../scripts/build-app.ts'
import { Caller } from './support/call-page.ts'
import { launchChromium } from './support/chromium.ts'
import { type RelayProcess, startRelay } from './support/relay-process.ts'

let relay: RelayProcess
let browser: Browser

beforeAll(async () => {
  await buildApp({ quiet: true })
  relay = await startRelay()
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await relay?.stop()
})

it('loads the worker with MLS while the form is shown, and joins with that one', async () => {
  const context = await browser.newContext()
  const workers: string[] = []
  context.on('request', (request) => {
    const { pathname } = new URL(request.url())
    if (/^\/assets\/main-.*\.js$/.test(pathname)) workers.push(pathname)
  })
  const caller = await Caller.in(context, relay.urls.web, { room: 'size', name: 'one' })
  await expect.poll(() => workers.length).toBe(1)
  expect(await caller.page.evaluate(() => globalThis.sotto?.call ?? null)).toBeNull()
  await caller.page.getByRole('button', { name: 'Join' }).click()
  await caller.until('in the call', ({ state }) => state === 'connected')
  expect(workers).toHaveLength(1)
  expect(caller.errors).toEqual([])
  await context.close()
})
