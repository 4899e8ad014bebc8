/**
 * Real parts: the package as npm packs it, installed for a program of the Node that runs npm; its client
 * as plain files on a web server of their own, which no bundler has seen; Chromium with its fake camera
 * and microphone; and the relay.
 */

import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildPackage } from '../scripts/build.ts'
import { Caller, others, received } from './support/call-page.ts'
import { launchChromium } from './support/chromium.ts'
import { type RelayProcess, startRelay } from './support/relay-process.ts'

const run = promisify(execFile)
const home = fileURLToPath(new URL('..', import.meta.url))
/** The machine's own Node where npm runs the tests; it may be older than the one that builds. */
const consumerNode = process.env.npm_node_execpath ?? process.execPath
const NODE_ONLY = /moq\/node\/|quiche/

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
let built: string
let relay: RelayProcess
let web: Server
let origin: string
/** Files that pages asked for. */
const asked: string[] = []
let browser: Browser

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sotto-package-'))
  built = join(folder, 'package/dist')
  await buildPackage({ outDir: built, quiet: true })
  relay = await startRelay(['--engine', 'quiche'])
  const config = await (await fetch(`${relay.urls.web}/config.json`)).text()
  web = createServer(async (request, response) => {
    const { pathname } = new URL(request.url!, 'http://page')
    asked.push(pathname)
    const file =
      pathname === '/' ? page(config) : await readFile(join(built, pathname)).catch(() => null)
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
    expect(asked).toContain('/client-lib/index.js')
    expect(asked.filter((path) => NODE_ONLY.test(path))).toEqual([])
  })

  it('reaches nothing of Node from the entries for browsers', async () => {
    const reached = new Map<string, string>()
    const walk = async (file: string): Promise<void> => {
      if (reached.has(file)) return
      const text = await readFile(file, 'utf8')
      reached.set(file, text)
      for (const [, path] of text.matchAll(/(?:from |import\(?)\s*['"](\.[^'"]+\.js)['"]/g)) {
        await walk(join(dirname(file), path!))
      }
    }
    for (const entry of ['client-lib', 'moq', 'sframe']) await walk(join(built, entry, 'index.js'))
    await walk(join(built, 'client-lib/call-worker.js'))
    expect(reached.size).toBeGreaterThan(50)
    expect([...reached.keys()].filter((file) => NODE_ONLY.test(file.slice(built.length)))).toEqual(
      [],
    )
    for (const [file, text] of reached) expect(text, file).not.toMatch(/['"]node:|@matrixai/)
  })
})

describe('the published client for Node', () => {
  it('reaches a relay over raw QUIC from a program that installed the package', async () => {
    const packing = join(folder, 'package')
    await copyFile(join(home, 'package.json'), join(packing, 'package.json'))
    const pack = ['pack', '--ignore-scripts', '--pack-destination', folder]
    const { stdout: archive } = await run('npm', pack, { cwd: packing })
    const modules = join(folder, 'program/node_modules')
    await mkdir(join(modules, 'sotto'), { recursive: true })
    const into = ['-C', join(modules, 'sotto'), '--strip-components=1']
    await run('tar', ['-xzf', join(folder, archive.trim()), ...into])
    await symlink(join(home, 'node_modules/@matrixai'), join(modules, '@matrixai'))

    const readme = await readFile(join(home, 'moq/README.md'), 'utf8')
    const [, example] = /```ts\n([^`]*'sotto\/moq\/node'[^`]*)```/.exec(readme)!
    await writeFile(join(folder, 'program/listen.mjs'), stripTypeScriptTypes(example!))
    await writeFile(
      join(folder, 'program/main.mjs'),
      `import { namespaceOf, TrackPublisher } from 'sotto/moq'
       import { connect } from 'sotto/moq/node'
       import { listen } from './listen.mjs'

       const [url, sha256] = process.argv.slice(2)
       let tell
       const heard = new Promise((resolve) => { tell = resolve })
       const listener = await listen(url, sha256, tell)

       const track = new TrackPublisher({ trackAlias: 1, priority: 10 })
       const payload = new TextEncoder().encode('hello from ' + listener.transport.kind)
       const speaker = await connect(url, {
         trust: { kind: 'hash', sha256 },
         handler: {
           onSubscribe: (request) => {
             track.accept(request)
             track.writeStream(0, { group: 0, object: 0, properties: new Uint8Array(0), payload })
           },
         },
       })
       speaker.publishNamespace(namespaceOf('sotto', 'demo'), {})
       console.log(await heard)
       for (const session of [listener, speaker]) session.close(0, 'done')`,
    )
    const hash = await (await fetch(`${relay.urls.web}/certificate.sha256`)).text()
    const url = relay.urls.relay.replace('https:', 'moqt:')
    const program = [join(folder, 'program/main.mjs'), url, hash.trim()]
    // It ends by itself: a closed session holds nothing open.
    const { stdout } = await run(consumerNode, program, { timeout: 20_000 })
    expect(stdout).toBe('hello from quic\n')
  })
})
