/**
 * What an operator does to a relay in use: a new certificate, a drain, a look into the log. Real: the
 * relay's process, and the Node client.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { logTrack } from '../moq/delivery/index.ts'
import { participantNamespace, TrackName } from '../moq/media/index.ts'
import { connect } from '../moq/node/index.ts'
import { TrackPublisher } from '../moq/session/index.ts'
import { RequestCode } from '../moq/wire/codes.ts'
import { textOf } from '../moq/wire/names.ts'
import { makeSelfSigned } from '../sfu/certificate/index.ts'
import { type RelayProcess, startRelay } from './support/relay-process.ts'

const trust = { kind: 'none' } as const
const SEATS = 6

/** Asks for a session over WebSocket, and is gone while it is let in. */
function askAndLeave(port: number): Promise<void> {
  const request =
    'GET /call HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
    'Sec-WebSocket-Protocol: webtransport_kDraft2_moqt-18, webtransport_kDraft2\r\n\r\n'
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      socket.write(request, () => socket.destroy())
    })
    socket.once('error', reject)
    socket.once('close', () => resolve())
  })
}

describe('a relay in use', () => {
  let folder: string
  let relay: RelayProcess
  let at: string

  async function certify(): Promise<void> {
    const { cert, key } = await makeSelfSigned([], Date.now())
    // In this order, as a pair that does not match is not taken.
    await writeFile(join(folder, 'key.pem'), key)
    await writeFile(join(folder, 'cert.pem'), cert)
  }

  const ops = async (path: string, method = 'GET') => {
    const answer = await fetch(`${relay.urls.ops}${path}`, { method })
    return { status: answer.status, text: await answer.text() }
  }
  const lines = () =>
    relay
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line))

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sotto-operate-'))
    await certify()
    relay = await startRelay([
      ...['--engine', 'quiche', '--paths', '/call', '--drain-timeout', '20s'],
      // However late a busy machine makes it, it is the drain that makes it not ready.
      ...['--max-sessions-per-address', String(SEATS), '--ready-lag', '1m'],
      ...['--tls-cert', join(folder, 'cert.pem'), '--tls-key', join(folder, 'key.pem')],
    ])
    at = new URL(relay.urls.relay).host
  })

  afterAll(async () => {
    relay?.signal('SIGKILL')
    await rm(folder, { recursive: true })
  })

  it('explains each session that it refuses in one line, without what the query says', async () => {
    await expect(connect(`https://${at}/other?name=Ada`, { trust, handler: {} })).rejects.toThrow()
    const session = await connect(`moqt://${at}/elsewhere?name=Ada`, {
      trust,
      handler: {},
    }).catch(() => null)
    await expect.poll(() => lines().filter(({ msg }) => msg === 'session refused').length).toBe(2)
    session?.close(0, 'seen')
    const refused = lines().filter(({ msg }) => msg === 'session refused')
    for (const line of refused) {
      expect(line).toMatchObject({
        level: 'info',
        session: expect.any(Number),
        peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        reason: expect.stringContaining('nothing is served at this path'),
      })
    }
    expect(relay.output()).not.toContain('Ada')
    expect((await ops('/metrics')).text).toMatch(
      /^sotto_sessions_refused_total\{reason="target"\} 2$/m,
    )
  })

  it('gives away the seat of a client that left while it was let in', async () => {
    const port = Number(at.split(':')[1])
    for (let i = 0; i < 3 * SEATS; i++) await askAndLeave(port)
    const enter = () => connect(`moqt://${at}/call`, { trust, handler: {} })
    const session = await vi.waitFor(enter, { timeout: 5000, interval: 200 })
    session.close(0, 'seen')
  })

  it('names a session and a room in the log, and nobody who is there', async () => {
    const [room, person, token] = [
      'demo',
      'AdaLovelace',
      'eyJhbGciOiJub25lIn0.eyJzdWIiOiJBZGEifQ.c2ln',
    ]
    const submissions = new TrackPublisher({
      trackAlias: 0,
      priority: 0,
      onDemand: (wanted) => {
        if (wanted) submissions.writeSnapshot(0, new Uint8Array(0), new Uint8Array([1, 2, 3]))
      },
    })
    const session = await connect(`https://${at}/call?name=${person}&token=${token}`, {
      trust,
      handler: {
        onSubscribe: (request) => {
          if (textOf(request.track.name) === TrackName.MLS) submissions.accept(request)
          else request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
        },
      },
    })
    session.publishNamespace(participantNamespace(room, person), {})
    // The delivery service opens a room whose log somebody wants.
    session.subscribe(logTrack(room), { rendezvousTimeout: 5000 }, { onObject: () => {} })
    const refusals = () => lines().filter(({ msg }) => msg === 'handshake refused')
    await expect.poll(() => refusals().length).toBe(1)
    expect(refusals()[0]).toMatchObject({ level: 'info', room, reason: expect.any(String) })
    session.close(0, 'seen')
    expect(relay.output()).not.toMatch(/Ada|eyJ/)
  })

  it('takes a new certificate on SIGHUP while a session goes on', async () => {
    const hash = async () => (await fetch(`${relay.urls.web}/certificate.sha256`)).text()
    const session = await connect(`https://${at}/call`, { trust, handler: {} })
    const before = await hash()
    await certify()
    relay.signal('SIGHUP')
    await expect.poll(hash).not.toBe(before)
    const after = await hash()
    const pinned = { kind: 'hash', sha256: after.trim() } as const
    const other = await connect(`https://${at}/call`, { trust: pinned, handler: {} })
    expect([session.ready, other.ready]).toEqual([true, true])
    for (const one of [session, other]) one.close(0, 'seen')
  })

  it('drains: it is not ready, says GOAWAY, lets nobody in, and ends when the last has left', async () => {
    const told = Promise.withResolvers<void>()
    const session = await connect(`https://${at}/call`, {
      trust,
      handler: { onGoaway: () => told.resolve() },
    })
    expect((await ops('/readyz')).status).toBe(200)
    expect((await ops('/drain', 'POST')).status).toBe(202)
    await told.promise
    const ready = await ops('/readyz')
    expect([ready.status, JSON.parse(ready.text)]).toEqual([
      503,
      { ready: false, reasons: ['draining'] },
    ])
    expect((await ops('/livez')).status).toBe(200)
    const metrics = (await ops('/metrics')).text
    expect(metrics).toMatch(/^sotto_ready 0$/m)
    expect(metrics).toMatch(/^sotto_draining 1$/m)
    await expect(connect(`https://${at}/call`, { trust, handler: {} })).rejects.toThrow(/503/)
    session.close(0, 'moved')
    expect(await relay.exited).toBe(0)
  })
})
