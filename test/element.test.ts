/**
 * Real parts: `<sotto-call>` as it is published, in pages whose policy allows nothing inline; Chromium
 * with its fake camera and microphone; and the relay.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SottoCallElement } from '../client-lib/element/index.ts'
import { buildClient } from '../scripts/build-client.ts'
import { launchChromium } from './support/chromium.ts'
import { type RelayProcess, startRelay } from './support/relay-process.ts'

declare global {
  /** Types of the events that came up to the document. */
  var events: string[]
}

const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.css': 'text/css' }
const PAGE: Readonly<Record<string, string>> = {
  '/page.js': `globalThis.events = []
    for (const type of ['joined', 'left', 'error']) {
      document.addEventListener(type, () => { globalThis.events.push(type) })
    }
    import './lib/element.js'`,
  '/page.css': 'sotto-call { --sotto-gap: 3px } sotto-call::part(tile) { border: 5px solid red }',
}

let folder: string
let relay: RelayProcess
let web: Server
let origin: string
let browser: Browser
const errors: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-element-'))
  await buildClient(fileURLToPath(new URL('../client-lib', import.meta.url)), folder)
  relay = await startRelay()
  const config = await (await fetch(`${relay.urls.web}/config.json`)).text()
  const { relay: url } = JSON.parse(config) as { relay: string }
  const policy = `default-src 'none'; script-src 'self'; style-src 'self'; worker-src 'self'; connect-src 'self' ${new URL(url).origin}`
  web = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://page')
    response.setHeader('Content-Security-Policy', policy)
    response.setHeader('Content-Type', TYPES[extname(pathname)] ?? 'text/html')
    if (pathname === '/') response.end(page(searchParams))
    else if (pathname === '/config.json') response.end(config)
    else if (pathname in PAGE) response.end(PAGE[pathname])
    else if (pathname.startsWith('/lib/'))
      response.end(await readFile(join(folder, pathname.slice(5))))
    else response.writeHead(204).end()
  })
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(web.address() as AddressInfo).port}`
  browser = await launchChromium(['--autoplay-policy=no-user-gesture-required'])
})

afterAll(async () => {
  await browser?.close()
  web?.close()
  await relay?.stop()
  await rm(folder, { recursive: true, force: true })
})

function page(query: URLSearchParams): string {
  const attributes = [...query].map(([name, value]) => `${name}="${value}"`).join(' ')
  return `<!doctype html><title>x</title><link rel="stylesheet" href="/page.css">
    <script type="module" src="/page.js"></script><main><sotto-call ${attributes}></sotto-call></main>`
}

async function open(attributes: Record<string, string>): Promise<Page> {
  const opened = await (await browser.newContext()).newPage()
  opened.on('pageerror', (error) => errors.push(error.message))
  opened.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  await opened.goto(`${origin}/?${new URLSearchParams(attributes)}`)
  return opened
}

/** The picture of the other one has come and has a size. */
const picture = (of: Page, name: string) =>
  of
    .getByRole('listitem')
    .filter({ hasText: name })
    .locator('canvas:visible')
    .evaluate((canvas) => (canvas as HTMLCanvasElement).width)

const element = <Result>(of: Page, read: (element: SottoCallElement) => Result) =>
  of.locator('sotto-call').evaluate(read as (element: unknown) => Result)

describe('<sotto-call>', () => {
  it('calls under a strict policy, is styled from outside, and tells by events that bubble', async () => {
    const ada = await open({ room: 'element', name: 'Ada', autojoin: '' })
    const ben = await open({ room: 'element', name: 'Ben' })
    expect(await ben.getByRole('button').allTextContents()).toContain('Join')
    expect(await element(ben, ({ call }) => call)).toBeNull()
    await ben.getByRole('button', { name: 'Join' }).click()

    for (const [caller, other] of [[ada, 'Ben'] as const, [ben, 'Ada'] as const]) {
      await expect.poll(() => picture(caller, other), { timeout: 20_000 }).toBeGreaterThan(100)
      expect(await caller.evaluate(() => globalThis.events)).toEqual(['joined'])
      await caller.getByText('Everybody has this code').waitFor()
    }
    const code = ({ call }: SottoCallElement) => call?.verificationCode
    expect(await element(ada, code)).toBe(await element(ben, code))
    const tile = ada.getByRole('listitem').first()
    const border = await tile.evaluate((node) => getComputedStyle(node).borderTopWidth)
    const gap = await element(ada, (node) => getComputedStyle(node).rowGap)
    expect([border, gap]).toEqual(['5px', '3px'])

    await ben.getByRole('button', { name: 'Microphone' }).click()
    await ada.getByText('Ben, muted').waitFor()
    await ben.getByRole('button', { name: 'Camera' }).click()
    const bens = ada.getByRole('listitem').filter({ hasText: 'Ben' })
    await bens.locator('canvas').waitFor({ state: 'hidden' })

    // By keyboard alone, and the screen is a tile of its own for the other.
    const share = ben.getByRole('button', { name: 'Share screen' })
    await share.focus()
    await ben.keyboard.press('Enter')
    await ada.getByText('Ben, screen').waitFor()
    await expect.poll(() => share.getAttribute('aria-pressed')).toBe('true')
    await ben.keyboard.press('Space')
    await ada.getByText('Ben, screen').waitFor({ state: 'detached' })
    await ben.keyboard.press('Tab')
    const focused = () =>
      ben.evaluate(() => document.querySelector('sotto-call')!.shadowRoot!.activeElement?.className)
    expect(await focused()).toBe('leave')
    await element(ben, (node) => {
      const own = document.createElement('button')
      own.slot = 'controls'
      own.textContent = 'Raise hand'
      node.append(own)
    })
    const [own, leave] = ['Raise hand', 'Leave'].map((name) => ben.getByRole('button', { name }))
    expect((await own!.boundingBox())!.y).toBeCloseTo((await leave!.boundingBox())!.y, -1)
    await leave!.focus()
    await ben.keyboard.press('Enter')
    await ben.getByRole('button', { name: 'Join' }).waitFor()
    expect(await ben.evaluate(() => globalThis.events)).toEqual(['joined', 'left'])
    await bens.waitFor({ state: 'detached' })

    // Moved it stays in the call; taken out of the page it leaves.
    await element(ada, (node) => document.body.prepend(node))
    expect(await element(ada, ({ call }) => call?.state)).toBe('connected')
    await element(ada, (node) => {
      node.addEventListener('left', () => globalThis.events.push('left, outside of the page'))
      node.remove()
    })
    await expect
      .poll(() => ada.evaluate(() => globalThis.events))
      .toEqual(['joined', 'left, outside of the page'])
    expect(errors).toEqual([])
  })

  it('says what is wrong with its attributes, to the person and by an event', async () => {
    const nobody = await open({ room: 'element' })
    await nobody.getByRole('button', { name: 'Join' }).click()
    await nobody.getByText('A name is needed').waitFor()
    expect(await nobody.evaluate(() => globalThis.events)).toEqual(['error', 'left'])
    await nobody.getByRole('button', { name: 'Join' }).waitFor()
  })
})
