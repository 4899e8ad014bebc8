/**
 * The contract for outside tools: the ready line, what the web and ops ports answer, SIGTERM; what is
 * served to whom, over QUIC and WebTransport. Real: the relay's process, and the Node client.
 */

import { createHash, X509Certificate } from 'node:crypto'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../moq/node/index.ts'
import { SessionCode } from '../moq/wire/codes.ts'
import { buildApp } from '../scripts/build-app.ts'
import { type RelayProcess, startRelay } from './support/relay-process.ts'

describe('the relay process', () => {
  let relay: RelayProcess

  beforeAll(async () => {
    await buildApp({ quiet: true })
    relay = await startRelay(['--engine', 'quiche'])
  })

  afterAll(async () => {
    await relay?.stop()
  })

  const get = (base: string, path: string, init?: RequestInit) => fetch(`${base}${path}`, init)

  it('says ready in one line, with where it serves', () => {
    const lines = relay.output().trim().split('\n')
    const ready = lines
      .filter((line) => line.includes('"msg":"ready"'))
      .map((line) => JSON.parse(line))
    expect(ready).toHaveLength(1)
    expect(relay.output()).toContain('the relay is open')
    expect(ready[0]).toMatchObject({
      level: 'info',
      relay: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
      web: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      ops: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    })
  })

  it.each(['https', 'moqt'])('serves a client of moqt-19 alone, over %s', async (scheme) => {
    const { host } = new URL(relay.urls.relay)
    const session = await connect(`${scheme}://${host}/`, {
      handler: {},
      trust: { kind: 'none' },
      versions: ['moqt-19'],
    })
    expect(session.ready).toBe(true)
    expect(session.transport.protocol).toBe('moqt-19')
    session.close(0, 'seen')
  })

  it('makes an ECDSA certificate that browsers may pin, and tells its hash', async () => {
    const hash = (await (await get(relay.urls.web, '/certificate.sha256')).text()).trim()
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    const config = await (await get(relay.urls.web, '/config.json')).json()
    expect(config).toMatchObject({
      relay: relay.urls.relay,
      certificateHashes: [hash],
      auth: 'none',
    })
    // The same certificate serves the WebSocket fallback on the same port.
    const port = Number(new URL(relay.urls.relay).port)
    const der = await new Promise<Buffer>((resolve, reject) => {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().raw)
        socket.destroy()
      })
      socket.on('error', reject)
    })
    expect(createHash('sha256').update(der).digest('hex')).toBe(hash)
    const certificate = new X509Certificate(der)
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
    const days = (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / 86_400_000
    expect(days).toBeLessThanOrEqual(14)
  })

  it('serves the call page under a strict policy', async () => {
    const page = await get(relay.urls.web, '/')
    expect(page.status).toBe(200)
    expect(await page.text()).toContain('<title>')
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/unsafe-(inline|eval)/)
    expect((await get(relay.urls.web, '/nothing')).status).toBe(404)
    expect((await get(relay.urls.web, '/', { method: 'POST' })).status).toBe(405)
  })

  it('tells operators of its health, its figures and its rooms', async () => {
    expect((await get(relay.urls.ops, '/livez')).status).toBe(200)
    expect((await get(relay.urls.ops, '/readyz')).status).toBe(200)
    const metrics = await (await get(relay.urls.ops, '/metrics')).text()
    // The services of our own: delivery and feedback.
    expect(metrics).toMatch(/^sotto_sessions\{transport="memory"\} 2$/m)
    expect(metrics).toMatch(/^sotto_build_info\{.*version="\d+\.\d+\.\d+"/m)
    expect(await (await get(relay.urls.ops, '/rooms')).json()).toEqual({ rooms: [], groups: [] })
  })

  it('drains on POST /drain and exits 0, as on SIGTERM', async () => {
    const other = await startRelay()
    const began = await get(other.urls.ops, '/drain', { method: 'POST' })
    expect(began.status).toBeLessThan(300)
    expect(await other.exited).toBe(0)
    expect(await relay.stop()).toBe(0)
  })
})

describe('a relay that serves one path to two sessions', () => {
  let relay: RelayProcess
  let at: string

  beforeAll(async () => {
    const served = ['--paths', '/call', '--authorities', '127.0.0.1']
    relay = await startRelay(['--engine', 'quiche', ...served, '--max-sessions', '2'])
    at = new URL(relay.urls.relay).host
  })

  afterAll(async () => {
    await relay?.stop()
  })

  const trust = { kind: 'none' } as const

  /** SETUP of both sides crosses: a refusal may come before or after `connect` has answered. */
  function refusal(url: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const handler = { onClosed: ({ code }: { code: number }) => resolve(code) }
      connect(url, { trust, handler }).catch(reject)
    })
  }

  it('tells its page of that path', async () => {
    expect(relay.urls.relay).toBe(`https://${at}/call`)
    const config = await (await fetch(`${relay.urls.web}/config.json`)).json()
    expect(config).toMatchObject({ relay: relay.urls.relay, websocket: `wss://${at}/call` })
  })

  it('refuses another by INVALID_PATH over raw QUIC (section 10.3.1.2)', async () => {
    expect(await refusal(`moqt://${at}/other`)).toBe(SessionCode.INVALID_PATH)
  })

  it('refuses another by status 404 over WebTransport', async () => {
    const attempt = connect(`https://${at}/other`, { trust, handler: {} })
    await expect(attempt).rejects.toThrow(/status 404/)
  })

  it('refuses another authority by INVALID_AUTHORITY (section 10.3.1.1)', async () => {
    const named = `moqt://localhost:${new URL(relay.urls.relay).port}/call`
    expect(await refusal(named)).toBe(SessionCode.INVALID_AUTHORITY)
  })

  it('serves it by both, counts what its engine refuses, and tells what it holds', async () => {
    const sessions = await Promise.all(
      ['moqt', 'https'].map((scheme) => connect(`${scheme}://${at}/call`, { trust, handler: {} })),
    )
    await expect(connect(`https://${at}/call`, { trust, handler: {} })).rejects.toThrow(
      /status 503/,
    )
    const metrics = await (await fetch(`${relay.urls.ops}/metrics`)).text()
    expect(metrics).toMatch(/^sotto_limit_hits_total\{limit="sessions"\} 1$/m)
    expect(metrics).toMatch(/^sotto_sessions_refused_total\{reason="limit"\} 1$/m)
    expect(metrics).toMatch(/^sotto_transport_buffered_bytes \d+$/m)
    expect(metrics).toMatch(/^sotto_sessions\{transport="quic"\} 1$/m)
    for (const session of sessions) session.close(0, 'seen')
  })
})
