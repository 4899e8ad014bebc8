/**
 * The contract for outside tools: the ready line, what the web and ops ports answer, SIGTERM. Real: the
 * relay's process.
 */

import { createHash, X509Certificate } from 'node:crypto'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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
    expect(metrics).toMatch(/^sotto_sessions\{transport="memory"\} 1$/m)
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
