/** Real parts: Chromium with its IndexedDB, Web Locks and WebCrypto, and the bundle that vite makes. */

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { launchChromium } from '../../test/support/chromium.ts'
import type { StateSlot } from '../keys/index.ts'
import type {} from './store-page/main.ts'

declare global {
  var slot: StateSlot | null
}

let out: string
let web: Server
let origin: string
let browser: Browser
let context: BrowserContext
let page: Page

beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'sotto-store-'))
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      outDir: out,
      emptyOutDir: true,
      target: 'esnext',
      rollupOptions: {
        input: { main: join(import.meta.dirname, 'store-page/main.ts') },
        output: { entryFileNames: '[name].js' },
      },
    },
  })
  web = createServer(async (request, response) => {
    if (request.url === '/main.js') {
      response
        .setHeader('Content-Type', 'text/javascript')
        .end(await readFile(join(out, 'main.js')))
      return
    }
    const html = '<!doctype html><title>test</title><script type="module" src="/main.js"></script>'
    response.setHeader('Content-Type', 'text/html').end(html)
  })
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  const address = web.address()
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  browser = await launchChromium([])
})

afterAll(async () => {
  await browser?.close()
  web?.close()
  if (out !== undefined) await rm(out, { recursive: true, force: true })
})

beforeEach(async () => {
  await context?.close()
  context = await browser.newContext()
  page = await openPage()
})

async function openPage(): Promise<Page> {
  const opened = await context.newPage()
  await opened.goto(origin)
  await opened.waitForFunction(() => globalThis.StateStore !== undefined)
  return opened
}

/** Whether the lease was to be had. */
function open(where: Page, name: string, now?: number): Promise<boolean> {
  return where.evaluate(
    async ({ name, now }) => {
      const wallClock = now === undefined ? undefined : () => now
      globalThis.slot = await new globalThis.StateStore('states', wallClock).open(name)
      return globalThis.slot !== null
    },
    { name, now },
  )
}

const save = (where: Page, bytes: number[]) =>
  where.evaluate((bytes) => globalThis.slot!.save(Uint8Array.from(bytes)), bytes)
const take = (where: Page) =>
  where.evaluate(async () => {
    const bytes = await globalThis.slot!.take()
    return bytes && [...bytes]
  })
const close = (where: Page) => where.evaluate(() => globalThis.slot!.close())

/** All that lies in a store of the database, as it lies there. */
const lying = (store: string) =>
  page.evaluate(async (store) => {
    const opening = indexedDB.open('states')
    await new Promise((resolve) => opening.addEventListener('success', resolve))
    const all = opening.result.transaction(store).objectStore(store).getAll()
    await new Promise((resolve) => all.addEventListener('success', resolve))
    opening.result.close()
    return all.result.map((value) => {
      if (value instanceof CryptoKey) {
        return { extractable: value.extractable, algorithm: value.algorithm, usages: value.usages }
      }
      return [...new Uint8Array(value.ciphertext)]
    })
  }, store)

describe('the state store of a browser', () => {
  it('gives a state back after a reload, and once only', async () => {
    expect(await open(page, 'demo/ann')).toBe(true)
    await save(page, [1, 2, 3])
    await page.reload()
    await page.waitForFunction(() => globalThis.StateStore !== undefined)
    await expect.poll(() => open(page, 'demo/ann')).toBe(true)
    expect(await take(page)).toEqual([1, 2, 3])
    expect(await take(page)).toBeNull()
    await page.reload()
    await page.waitForFunction(() => globalThis.StateStore !== undefined)
    await expect.poll(() => open(page, 'demo/ann')).toBe(true)
    expect(await take(page)).toBeNull()
  })

  it('keeps slots apart, and what was written last', async () => {
    await open(page, 'demo/ann')
    await save(page, [1])
    await save(page, [2])
    await close(page)
    await open(page, 'demo/bob')
    expect(await take(page)).toBeNull()
    await open(page, 'demo/ann')
    expect(await take(page)).toEqual([2])
  })

  it('leases a slot to one page at a time, until that closes it or goes', async () => {
    const other = await openPage()
    expect(await open(page, 'demo/ann')).toBe(true)
    expect(await open(other, 'demo/ann')).toBe(false)
    expect(await open(other, 'demo/bob')).toBe(true)
    await save(page, [7])
    await close(page)
    await expect.poll(() => open(other, 'demo/ann')).toBe(true)
    expect(await take(other)).toEqual([7])
    await save(other, [8])
    await other.close()
    await expect.poll(() => open(page, 'demo/ann')).toBe(true)
    expect(await take(page)).toEqual([8])
  })

  it('encrypts under a key that no code can take out', async () => {
    await open(page, 'demo/ann')
    const secret = Array.from({ length: 64 }, (_, i) => i)
    await save(page, secret)
    const [key, ...others] = await lying('keys')
    expect(others).toEqual([])
    expect(key).toEqual({
      extractable: false,
      algorithm: { name: 'AES-GCM', length: 256 },
      usages: ['encrypt', 'decrypt'],
    })
    const [state] = await lying('states')
    // Ciphertext and a tag of 16 bytes.
    expect(state).toHaveLength(80)
    expect(JSON.stringify(state)).not.toContain(secret.slice(0, 4).join())
  })

  it('does not take a state that was moved to another slot', async () => {
    await open(page, 'demo/ann')
    await save(page, [1])
    await page.evaluate(async () => {
      const opening = indexedDB.open('states')
      await new Promise((resolve) => opening.addEventListener('success', resolve))
      const states = opening.result.transaction('states', 'readwrite').objectStore('states')
      const got = states.get('demo/ann')
      await new Promise((resolve) => got.addEventListener('success', resolve))
      const put = states.put(got.result, 'demo/bob')
      await new Promise((resolve) => put.addEventListener('success', resolve))
      opening.result.close()
    })
    await open(page, 'demo/bob')
    expect(await take(page)).toBeNull()
  })

  it('forgets what nobody came back for within an hour', async () => {
    await open(page, 'demo/ann', 0)
    await save(page, [1])
    await close(page)
    await open(page, 'demo/bob', 3_600_000)
    expect(await lying('states')).toHaveLength(1)
    await close(page)
    await open(page, 'demo/bob', 3_600_001)
    expect(await lying('states')).toEqual([])
  })

  it('deletes all of it, the key too', async () => {
    await open(page, 'demo/ann')
    await save(page, [1])
    await page.evaluate(() => new globalThis.StateStore('states').deleteAll())
    const names = await page.evaluate(async () => {
      return (await indexedDB.databases()).map(({ name }) => name)
    })
    expect(names).toEqual([])
  })
})
