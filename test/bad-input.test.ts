/**
 * What goes wrong outside: flags, certificates, ports, noise, peers that speak another protocol, and
 * addresses that a person mistyped. Each ends in one clear line or a silent drop, and the relay serves
 * on. Real: the relay's process, its ports, QUIC clients, and Chromium for the page.
 */

import { createSocket } from 'node:dgram'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Session } from '../moq/session/index.ts'
import { connectQuic, connectWebTransport } from '../moq/transport/quiche/client.ts'
import type { TransportSession } from '../moq/transport/transport.ts'
import { buildApp } from '../scripts/build-app.ts'
import { Caller } from './support/call-page.ts'
import { launchChromium } from './support/chromium.ts'
import { type RelayProcess, runRelay, startRelay } from './support/relay-process.ts'

const FREE = ['--port', '0', '--http-port', '0', '--ops-port', '0']

/** One line for a person, on stderr, and exit code 1. */
async function expectRefusal(args: readonly string[], line: RegExp): Promise<void> {
  const { code, stderr, stdout } = await runRelay(args)
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(line) })
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(stdout).not.toContain('"msg":"ready"')
}

describe('a start that cannot succeed', () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sotto-'))
  })

  afterAll(async () => {
    await rm(folder, { recursive: true })
  })

  it('says which flag is wrong', async () => {
    await expectRefusal(['--prot', '1'], /unknown option '--prot'.*--port/)
    await expectRefusal(['--port', '70000'], /--port.*whole number from 0 to 65535/)
    await expectRefusal(['--engine', 'steam'], /--engine.*auto, fails, quiche/)
  })

  it('says that a certificate file is none', async () => {
    const cert = join(folder, 'cert.pem')
    await writeFile(cert, 'this is no certificate\n')
    await expectRefusal([...FREE, '--tls-cert', cert, '--tls-key', cert], /cert\.pem.*certificate/)
    const missing = join(folder, 'missing.pem')
    await expectRefusal([...FREE, '--tls-cert', missing, '--tls-key', missing], /missing\.pem/)
    await expectRefusal([...FREE, '--tls-cert', cert], /tls-key/)
  })

  it('says that a port is in use', async () => {
    const tcp = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => tcp.once('listening', resolve))
    const { port } = tcp.address() as { port: number }
    const taken = new RegExp(`${port}`)
    await expectRefusal(['--port', '0', '--ops-port', '0', '--http-port', String(port)], taken)
    await expectRefusal(['--port', '0', '--http-port', '0', '--ops-port', String(port)], taken)
    await expectRefusal(['--http-port', '0', '--ops-port', '0', '--port', String(port)], taken)
    tcp.close()
    const udp = createSocket('udp4')
    await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve))
    const args = ['--http-port', '0', '--ops-port', '0', '--port', String(udp.address().port)]
    await expectRefusal(args, new RegExp(`${udp.address().port}`))
    udp.close()
  })

  it('says that there are no keys to check tokens with rather than let everybody in', async () => {
    const jwks = join(folder, 'keys.json')
    await writeFile(jwks, '{"keys":[]}')
    await expectRefusal([...FREE, '--auth', jwks], /keys\.json holds no public key/)
    await expectRefusal(['check-config', '--auth', jwks], /keys\.json holds no public key/)
    const nowhere = 'http://127.0.0.1:9/jwks'
    await expectRefusal([...FREE, '--auth', nowhere], /cannot fetch http:\/\/127\.0\.0\.1:9\/jwks/)
  })

  it('is found by check-config, which passes a good one', async () => {
    const bad = await runRelay(['check-config', '--port', 'x'])
    expect(bad.code).toBe(1)
    const good = await runRelay(['check-config', ...FREE])
    expect(good).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('a relay among strangers', () => {
  let relay: RelayProcess
  let port: number

  beforeAll(async () => {
    relay = await startRelay(['--engine', 'quiche', '--handshake-timeout', '2s'])
    port = Number(new URL(relay.urls.relay).port)
  })

  afterAll(async () => {
    expect(await relay.stop()).toBe(0)
  })

  /** A client that behaves is served. */
  async function expectServing(): Promise<void> {
    const transport = await connectQuic({
      host: '127.0.0.1',
      port,
      protocols: ['moqt-18'],
      trust: { kind: 'none' },
    })
    await new Promise<void>((resolve, reject) => {
      const session = new Session(transport, {
        role: 'client',
        handler: {
          onReady: () => {
            session.close(0, 'seen')
            resolve()
          },
          onClosed: ({ reason }) => reject(new Error(reason)),
        },
      })
    })
  }

  it('drops UDP noise in silence', async () => {
    const socket = createSocket('udp4')
    for (let i = 0; i < 500; i++) {
      const noise = Buffer.from(
        Array.from({ length: i * 3 }, (_, n) => (n * 7919 + i * 104729) % 256),
      )
      // Long headers, short headers, version 1, and nothing at all.
      if (noise.length > 5)
        noise.set(
          [
            [0xc0, 0, 0, 0, 1],
            [0x40, 1, 2, 3, 4],
          ][i % 2]!,
        )
      await new Promise((resolve) => socket.send(noise, port, '127.0.0.1', resolve))
    }
    socket.close()
    await expectServing()
    expect(relay.output()).not.toMatch(/error/)
  })

  it('drops TCP noise on the WebSocket port, the page and the ops port', async () => {
    for (const target of [relay.urls.relay, relay.urls.web, relay.urls.ops]) {
      await new Promise<void>((resolve) => {
        const socket = connect(Number(new URL(target).port), '127.0.0.1', () => {
          socket.write(Buffer.from(Array.from({ length: 4000 }, (_, n) => (n * 7919) % 256)))
          socket.end()
        })
        socket.on('error', () => {})
        socket.on('close', () => resolve())
        socket.resume()
      })
    }
    await expectServing()
  })

  it('refuses a client that offers no protocol it speaks, with the reason', async () => {
    const url = `https://127.0.0.1:${port}/`
    const trust = { kind: 'none' } as const
    await expect(connectWebTransport(url, { protocols: ['moqt-99'], trust })).rejects.toThrow()
    await expect(
      connectQuic({ host: '127.0.0.1', port, protocols: ['moqt-99'], trust }),
    ).rejects.toThrow()
    await expect.poll(() => relay.output()).toMatch(/moqt-18.*session refused/)
    await expectServing()
  })

  it('ends a session that breaks the protocol, with code and reason, and no other', async () => {
    const open = () =>
      connectQuic({ host: '127.0.0.1', port, protocols: ['moqt-18'], trust: { kind: 'none' } })
    const closed = (transport: TransportSession) =>
      new Promise<{ code: number; reason: string }>((resolve) => {
        transport.handler = {
          onUni: (stream) => {
            stream.handler = { onBytes: () => {}, onReset: () => {} }
          },
          onBidi: () => {},
          onDatagram: () => {},
          onStreamCredit: () => {},
          onRoom: () => {},
          onClosed: resolve,
        }
      })
    const stranger = await open()
    const end = closed(stranger)
    stranger.openUni(0)!.write(Uint8Array.of(0x02, 1, 2, 3))
    expect(await end).toMatchObject({ code: 0x3, reason: expect.stringContaining('stream type') })

    const silent = await open()
    expect(await closed(silent)).toMatchObject({ code: 0x11 })
    await expectServing()
  })
})

describe('a page with a bad address', () => {
  let relay: RelayProcess
  let browser: Browser

  beforeAll(async () => {
    await buildApp({ quiet: true })
    relay = await startRelay(['--engine', 'quiche'])
    browser = await launchChromium()
  })

  afterAll(async () => {
    await browser?.close()
    await relay?.stop()
  })

  it.each([
    ['a missing name', { room: 'demo', autojoin: '1' }, /name/i],
    ['a missing room', { name: 'one', autojoin: '1' }, /room/i],
    ['a room that starts with a dot', { room: '.mls', name: 'one', autojoin: '1' }, /room/i],
    ['a room above 128 bytes', { room: 'é'.repeat(65), name: 'one', autojoin: '1' }, /room/i],
    ['an unknown suite', { room: 'demo', name: 'one', suite: 'rot13', autojoin: '1' }, /suite/i],
    [
      'an unknown transport',
      { room: 'demo', name: 'one', transport: 'pigeon', autojoin: '1' },
      /transport/i,
    ],
  ] as const)('says so at the field: %s', async (_what, query, sentence) => {
    const caller = await Caller.open(browser, relay.urls.web, query)
    await caller.page.waitForSelector('#join', { state: 'visible' })
    const shown = await caller.page.evaluate(() => document.body.innerText)
    expect(shown).toMatch(sentence)
    const problems = await caller.page.evaluate(() =>
      [...document.querySelectorAll('[role="alert"], [aria-invalid="true"], .problem')].map(
        (element) => element.textContent || element.getAttribute('aria-invalid'),
      ),
    )
    expect(problems.join('')).not.toBe('')
    expect(await caller.page.evaluate(() => globalThis.sotto?.snapshot() ?? null)).toBeNull()
    expect(caller.errors).toEqual([])
    await caller.close()
  })

  it('says so when the relay cannot be reached, and offers to try again', async () => {
    const context = await browser.newContext()
    // The page asks while its form is shown.
    await context.route(/\/config\.json/, (route) =>
      route.fulfill({
        json: { relay: 'https://127.0.0.1:9/', certificateHashes: ['00'.repeat(32)], auth: 'none' },
      }),
    )
    const caller = await Caller.in(context, relay.urls.web, { room: 'demo', name: 'one' })
    await caller.page.click('#join')
    const snapshot = await caller.until('failed', ({ state }) => state === 'failed', 30_000)
    expect(snapshot.error).toMatchObject({ code: 'relay-unreachable' })
    await caller.page.waitForSelector('text=Try again')
    await caller.close()
  })
})
