/**
 * Real parts: the published client as plain files on a web server of their own, Chromium with its fake
 * camera and microphone, and the relay. No bundler has seen the page.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildPackage } from '../scripts/build.ts'
import { Caller, others, received } from './support/call-page.ts'
import { launchChromium } from './support/chromium.ts'
import { type RelayProcess, startRelay } from './support/relay-process.ts'

const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '': 'text/html' }

/** @param config of the relay, as it tells its own page */
function page(config: string): string {
  return `<!doctype html><script type="module">
    import { joinCall } from './client-lib/index.js'
    const { relay, certificateHashes } = ${config}
    const name = new URLSearchParams(location.search).get('name')
    const call = joinCall({ url: relay, room: 'package', name, certificateHashes })
    globalThis.sotto = { call, snapshot: () => call.snapshot() }
    const shown = new Set()
    call.on('participants', (participants) => {
      for (const { id } of participants) {
        if (shown.has(id)) continue
        shown.add(id)
        const tile = document.body.appendChild(document.createElement('div'))
        tile.dataset.participant = id
        call.attachVideo(id, tile.appendChild(document.createElement('canvas')))
      }
    })
  </script><body></body>`
}

let folder: string
let relay: RelayProcess
let web: Server
let origin: string
let browser: Browser

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-package-'))
  await buildPackage({ outDir: folder, quiet: true })
  relay = await startRelay()
  const config = await (await fetch(`${relay.urls.web}/config.json`)).text()
  web = createServer(async (request, response) => {
    const { pathname } = new URL(request.url!, 'http://page')
    const file =
      pathname === '/' ? page(config) : await readFile(join(folder, pathname)).catch(() => null)
    if (file === null) response.writeHead(404).end()
    else response.setHeader('Content-Type', TYPES[extname(pathname)] ?? 'text/plain').end(file)
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

describe('the published client', () => {
  it('calls from plain files, worker and worklet included', async () => {
    const ada = await Caller.open(browser, origin, { name: 'Ada' })
    const ben = await Caller.open(browser, origin, { name: 'Ben' })
    for (const caller of [ada, ben]) {
      const snapshot = await caller.until(
        'sees and hears the other',
        (now) =>
          now.state === 'connected' &&
          now.joinMs.firstPicture !== null &&
          now.joinMs.firstSound !== null &&
          others(now).length === 1 &&
          others(now)[0]!.name !== '',
      )
      expect(snapshot.error).toBeNull()
      expect(received(snapshot).reduce((sum, track) => sum + track.decryptFailures, 0)).toBe(0)
      const picture = await caller.picture(others(snapshot)[0]!.id)
      expect(picture.width).toBeGreaterThan(100)
      // Whatever asked for the icon got a 404; nothing else failed.
      expect(caller.errors.filter((error) => !error.includes('404'))).toEqual([])
    }
    expect((await ada.snapshot()).verificationCode).toBe((await ben.snapshot()).verificationCode)
    await Promise.all([ada.leave(), ben.leave()])
  })
})
