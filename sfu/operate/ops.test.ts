import { request } from 'node:http'
import { pino } from 'pino'
import { Gauge, Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DebugSource, debugData, debugPage } from './debug.ts'
import type { Listening } from './http.ts'
import { startOpsServer } from './ops.ts'
import type { Revoke } from './revoke.ts'

let server: Listening
let reasons: string[] = []
let drains = 0
let fail = false
let revocations: unknown[] = []
let full = false

const revoke: Revoke = (revoked, expires) => {
  revocations.push([revoked, expires])
  return { revoked: !full, until: expires, ended: 2 }
}

beforeEach(async () => {
  reasons = []
  drains = 0
  fail = false
  full = false
  revocations = []
  server = await start(revoke)
})

const debug: DebugSource = {
  rooms: () => [{ room: 'demo', participants: 2 }],
  room: () => null,
}

function start(revoking: Revoke | null, host = '127.0.0.1'): Promise<Listening> {
  const registry = new Registry()
  new Gauge({ name: 'sotto_test', help: 'A test.', registers: [registry] }).set(7)
  return startOpsServer({
    host,
    port: 0,
    metrics: registry,
    notReady: () => reasons,
    rooms: (room) => {
      if (fail) throw new Error('rooms are on fire')
      return [{ room: room ?? 'demo', participants: 2 }]
    },
    debug: {
      page: (query) => debugPage(debug, query),
      data: (query) => debugData(debug, query),
    },
    drain: () => {
      drains++
    },
    revoke: revoking,
    log: pino({ level: 'silent' }),
  })
}

afterEach(() => server.close())

/** Like fetch, but sends every header as it is. */
function ask(
  path: string,
  method = 'GET',
  headers: Record<string, string> = {},
  content = '',
  { port } = server,
): Promise<{ status: number; body: string; allow: string | undefined }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `http://127.0.0.1:${port}${path}`,
      { method, headers, agent: false },
      (response) => {
        let body = ''
        response.on('data', (data: Buffer) => {
          body += data.toString()
        })
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body, allow: response.headers.allow })
        })
      },
    )
    sent.on('error', reject)
    sent.end(content)
  })
}

describe('the ops server', () => {
  it('tells that it lives and whether it is ready', async () => {
    expect((await ask('/livez')).status).toBe(200)
    expect(await ask('/readyz')).toMatchObject({ status: 200, body: '{"ready":true}\n' })
    reasons = ['draining', 'the engine has not started']
    const not = await ask('/readyz')
    expect(not.status).toBe(503)
    expect(JSON.parse(not.body)).toEqual({ ready: false, reasons })
    expect((await ask('/livez')).status).toBe(200)
  })

  it('gives metrics and rooms', async () => {
    const metrics = await fetch(`${server.url}/metrics`)
    expect(metrics.headers.get('content-type')).toContain('text/plain; version=0.0.4')
    expect(await metrics.text()).toContain('sotto_test 7')
    expect(JSON.parse((await ask('/rooms')).body)).toEqual([{ room: 'demo', participants: 2 }])
    const one = await ask('/rooms?room=a%20%26%20b#x')
    expect(JSON.parse(one.body)).toEqual([{ room: 'a & b', participants: 2 }])
    expect((await ask('/')).body).toContain('/metrics')
    expect(await ask('/metrics', 'HEAD')).toMatchObject({ status: 200, body: '' })
  })

  it('drains on POST only', async () => {
    expect(await ask('/drain')).toMatchObject({ status: 405, allow: 'POST' })
    expect(drains).toBe(0)
    expect(await ask('/drain', 'POST')).toMatchObject({ status: 202 })
    expect(drains).toBe(1)
  })

  it('refuses other paths and methods', async () => {
    expect((await ask('/nothing')).status).toBe(404)
    expect((await ask('/metrics/')).status).toBe(404)
    expect((await ask('/constructor')).status).toBe(404)
    expect(await ask('/metrics', 'POST')).toMatchObject({ status: 405, allow: 'GET' })
    expect((await ask('/rooms', 'DELETE')).status).toBe(405)
  })

  it('refuses what a web page makes a browser ask', async () => {
    const pages: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ]
    for (const headers of pages) {
      expect((await ask('/drain', 'POST', headers)).status).toBe(403)
      expect((await ask('/rooms', 'GET', headers)).status).toBe(403)
    }
    for (const host of ['evil.example', 'evil.example:9464', 'localhost.evil.example', 'a b']) {
      expect([host, (await ask('/drain', 'POST', { host })).status]).toEqual([host, 421])
    }
    expect(drains).toBe(0)
    for (const host of ['localhost', 'localhost:1', '127.0.0.1:9464', '[::1]:9464']) {
      expect((await ask('/livez', 'GET', { host })).status, host).toBe(200)
    }
    expect((await ask('/livez', 'GET', { 'sec-fetch-site': 'none' })).status).toBe(200)
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
    const shown = { ...link, 'sec-fetch-dest': 'document' }
    expect((await ask('/rooms', 'GET', shown)).status).toBe(200)
    expect((await ask('/drain', 'POST', shown)).status).toBe(403)
    expect((await ask('/rooms', 'GET', { ...link, 'sec-fetch-dest': 'iframe' })).status).toBe(403)
    expect(drains).toBe(0)
  })

  it('lets its own page follow its links, by a name that nobody else can take', async () => {
    const own = { 'sec-fetch-site': 'same-origin' }
    expect((await ask('/debug?room=nobody', 'GET', own)).status).toBe(404)
    expect((await ask('/debug', 'GET', { ...own, host: '127.0.0.1:1' })).status).toBe(200)
    const open = await start(revoke, '0.0.0.0')
    try {
      const link = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
      const host = 'evil.example'
      for (const headers of [
        own,
        { ...own, ...link },
        { 'sec-fetch-site': 'cross-site', ...link },
      ]) {
        expect((await ask('/debug', 'GET', { ...headers, host }, '', open)).status).toBe(403)
      }
    } finally {
      await open.close()
    }
  })

  const post = (body: unknown, type = 'application/json') => {
    const content = typeof body === 'string' ? body : JSON.stringify(body)
    return ask('/revoke', 'POST', { 'content-type': type }, content)
  }

  it('revokes a token or a participant', async () => {
    const first = await post({ jti: 'abc' })
    expect(first.status).toBe(200)
    expect(JSON.parse(first.body)).toEqual({ revoked: true, until: null, sessionsEnded: 2 })
    const second = await post({ room: 'demo', sub: 'ada', exp: 1_900_000_000 })
    expect(JSON.parse(second.body)).toMatchObject({ until: '2030-03-17T17:46:40.000Z' })
    expect(revocations).toEqual([
      [{ kind: 'token', tokenId: 'abc' }, null],
      [{ kind: 'participant', room: 'demo', participant: 'ada' }, 1_900_000_000_000],
    ])
  })

  it('says what a revocation must look like, and does nothing', async () => {
    const wrong: unknown[] = [
      '',
      'null',
      '{"jti"',
      {},
      { jti: '' },
      { jti: 7 },
      { sub: 'ada' },
      { jti: 'a', room: 'demo', sub: 'ada' },
      { jti: 'a', exp: 'tomorrow' },
      { jti: 'a', exp: -1 },
      { jti: 'a', exp: 1e300 },
      { jti: 'a', expires: 1 },
      { jti: 'x'.repeat(257) },
    ]
    for (const body of wrong) {
      const answer = await post(body)
      expect([body, answer.status]).toEqual([body, 400])
      expect(answer.body).toContain('{"room": "…", "sub": "…"}')
    }
    for (const length of [5000, 5_000_000]) {
      expect((await post({ jti: 'x'.repeat(length) })).status).toBe(413)
    }
    expect((await post({ jti: 'a' }, 'text/plain')).status).toBe(415)
    expect((await ask('/revoke')).status).toBe(405)
    expect(revocations).toEqual([])
  })

  it('says that the list of revocations is full', async () => {
    full = true
    const answer = await post({ jti: 'a' })
    expect(answer.status).toBe(507)
    expect(answer.body).toContain('remove the signing key')
  })

  it('has nothing to revoke where nobody needs a token', async () => {
    await server.close()
    server = await start(null)
    expect((await post({ jti: 'a' })).status).toBe(409)
  })

  it('lives on when a view of it fails', async () => {
    fail = true
    const failed = await ask('/rooms')
    expect(failed.status).toBe(500)
    expect(failed.body).not.toContain('fire')
    expect((await ask('/livez')).status).toBe(200)
  })
})
