import net from 'node:net'
import tls from 'node:tls'
import { afterAll, describe, expect, it } from 'vitest'
import { describeTransportContract } from '../../../moq/transport/contract-suite.ts'
import type { FailsSession } from '../../../moq/transport/fails-session.ts'
import type { CloseInfo, TransportSession } from '../../../moq/transport/transport.ts'
import {
  type Admission,
  type Engine,
  EngineError,
  type EngineLimitName,
  type EngineOptions,
  type Refusal,
  type SessionRequest,
} from '../engine.ts'
import { createWebSocketEngine } from './index.ts'
import {
  certificate,
  connectTls,
  dial,
  idle,
  nextFrame,
  options,
  readAll,
  selfSigned,
  upgraded,
} from './websocket-test-rig.ts'

describeTransportContract('the WebSocket engine', async (attach) => {
  let arrived: (session: TransportSession) => void
  const server = new Promise<TransportSession>((resolve) => {
    arrived = resolve
  })
  const engine = await createWebSocketEngine(
    options({
      limits: { uniStreams: 100, bidiStreams: 100 },
      onSession(session) {
        attach(session)
        arrived(session)
      },
    }),
  )
  const client = await dial(engine)
  attach(client)
  return {
    client,
    server: await server,
    dispose: () => engine.close(),
    features: { path: '/?room=demo', streamCredit: 100 },
  }
})

describe('createWebSocketEngine', () => {
  const engines: Engine[] = []
  const start = async (parts: Partial<EngineOptions> = {}) => {
    const engine = await createWebSocketEngine(options(parts))
    engines.push(engine)
    return engine
  }
  afterAll(async () => {
    for (const engine of engines) await engine.close()
  })

  it('says in one line that a port is in use', async () => {
    const taken = net.createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as net.AddressInfo
    const failure = await start({ port }).then(
      () => null,
      (error) => error,
    )
    taken.close()
    expect(failure).toBeInstanceOf(EngineError)
    expect(failure.code).toBe('EADDRINUSE')
    expect(failure.message).toBe(`cannot listen on 127.0.0.1:${port} (TCP): the port is in use`)
  })

  it('says that a certificate cannot be used', async () => {
    const bad = { certPem: 'not a certificate', keyPem: certificate.keyPem }
    await expect(start({ certificate: bad })).rejects.toThrow(EngineError)
    const engine = await start()
    expect(() => engine.setCertificate(bad)).toThrow(EngineError)
    engine.setCertificate(await selfSigned())
  })

  it('asks who may come in and tells whom it turned away', async () => {
    const requests: SessionRequest[] = []
    const refusals: Refusal[] = []
    const engine = await start({
      accept(request): Admission {
        requests.push(request)
        return { accept: false, status: 403, reason: 'no' }
      },
      onRefused: (refusal) => refusals.push(refusal),
    })
    await expect(dial(engine, '/call?room=1')).rejects.toThrow()
    expect(requests).toMatchObject([
      {
        kind: 'webtransport',
        path: '/call?room=1',
        authority: `127.0.0.1:${engine.address.port}`,
        offered: ['moqt-18'],
        protocol: 'moqt-18',
      },
    ])
    expect(refusals).toMatchObject([{ status: 403, reason: 'no', path: '/call?room=1' }])
    expect(engine.stats()).toMatchObject({ sessionsRefused: 1, sessionsAccepted: 0 })
  })

  it.each([
    [['moqt-20', 'moqt-19', 'moqt-18'], 'moqt-18'],
    [['moqt-19'], 'moqt-19'],
  ])('of %j chooses %s, in its own order of preference', async (offered, chosen) => {
    const engine = await start({ protocols: ['moqt-18', 'moqt-19'] })
    const session = await dial(engine, '/', offered)
    expect(session.protocol).toBe(chosen)
    session.close(0, '')
  })

  it('refuses a client that speaks no version of ours', async () => {
    const refusals: Refusal[] = []
    const engine = await start({ onRefused: (refusal) => refusals.push(refusal) })
    await expect(dial(engine, '/', ['moqt-99'])).rejects.toThrow()
    expect(refusals[0]).toMatchObject({ status: 400 })
    expect(refusals[0]?.reason).toContain('moqt-18')
  })

  it('takes no more sessions than it may', async () => {
    const hits: EngineLimitName[] = []
    const engine = await start({
      limits: { maxSessions: 1 },
      onLimit: (limit) => void hits.push(limit),
    })
    const first = await dial(engine)
    first.handler = idle()
    await expect(dial(engine)).rejects.toThrow()
    expect(engine.stats()).toMatchObject({ sessions: 1, sessionsRefused: 1 })
    expect(hits).toEqual(['sessions'])
  })

  it('tells of a client that makes no session in time', async () => {
    const hits: EngineLimitName[] = []
    const engine = await start({
      limits: { handshakeTimeoutMs: 50 },
      onLimit: (limit) => void hits.push(limit),
    })
    await readAll(await connectTls(engine.address.port))
    expect(hits).toEqual(['handshake-time'])
  })

  it('ends a session whose handler throws, tells which it was, and serves the others', async () => {
    const opened: TransportSession[] = []
    const faults: unknown[] = []
    const engine = await start({
      onSession(session) {
        opened.push(session)
        const onDatagram = () => {
          throw new Error('a bug of ours')
        }
        session.handler = opened.length === 1 ? { ...idle(), onDatagram } : idle()
      },
      onFault: (session, error) => faults.push([opened.indexOf(session), String(error)]),
    })
    const [broken, other] = [await dial(engine), await dial(engine)]
    const ended = new Promise<CloseInfo>((resolve) => {
      broken.handler = idle(resolve)
    })
    other.handler = idle()
    broken.sendDatagram(new Uint8Array([1]))
    expect(await ended).toMatchObject({ by: 'peer', reason: 'internal error' })
    expect(faults).toEqual([[0, 'Error: a bug of ours']])
    expect(engine.stats()).toMatchObject({ sessions: 1, faults: 1 })
  })

  it('serves only what it is told to', async () => {
    const refusals: Refusal[] = []
    const engine = await start({
      served: { paths: ['/call'], authorities: ['127.0.0.1'] },
      onRefused: (refusal) => refusals.push(refusal),
    })
    await expect(dial(engine, '/other')).rejects.toThrow()
    expect(refusals).toMatchObject([{ status: 404, path: '/other' }])
    const session = await dial(engine, '/call?room=demo')
    session.handler = idle()
    expect(engine.stats()).toMatchObject({ sessionsAccepted: 1, sessionsRefused: 1 })
  })

  it('carries more streams than it allows at once, and forgets them', async () => {
    const engine = await start({
      limits: { uniStreams: 100, bidiStreams: 100 },
      onSession(session) {
        session.handler = {
          ...idle(),
          onBidi({ send, receive }) {
            receive.handler = {
              onBytes: (_bytes, fin) => fin && send.finish(),
              onReset() {},
            }
          },
          onUni(stream) {
            stream.handler = { onBytes() {}, onReset() {} }
            stream.stop(1)
          },
        }
      },
    })
    const client = await dial(engine)
    let done = 0
    let opened = 0
    const finished = new Promise<void>((resolve) => {
      const more = () => {
        while (opened < 300) {
          const stream = client.openBidi(0)
          if (stream === null) return
          opened++
          stream.receive.handler = {
            onBytes(_bytes, fin) {
              if (fin && ++done === 300) resolve()
            },
            onReset() {},
          }
          stream.send.write(new Uint8Array(10))
          stream.send.finish()
        }
      }
      client.handler = { ...idle(), onStreamCredit: more }
      more()
    })
    await finished
    let stopped = 0
    for (let i = 0; i < 300; ) {
      const stream = client.openUni(0)
      if (stream === null) await new Promise((resolve) => setImmediate(resolve))
      else {
        i++
        stream.handler = { onStopped: () => stopped++ }
        stream.write(new Uint8Array(10))
      }
    }
    await expect.poll(() => stopped).toBe(300)
    const streams = (client as FailsSession).objint.capsParser?.wtstreams
    // What is left is one that is ready for the next, at most, of each kind.
    expect(streams?.size).toBeLessThanOrEqual(2)
  })

  it('tells its sessions when it closes, and frees the port', async () => {
    const engine = await createWebSocketEngine(options())
    const client = await dial(engine)
    const closed = new Promise<CloseInfo>((resolve) => {
      client.handler = idle(resolve)
    })
    await engine.close()
    expect(await closed).toEqual({ by: 'peer', code: 0, reason: 'the relay is shutting down' })
    const again = await start({ port: engine.address.port })
    expect(again.address.port).toBe(engine.address.port)
  })

  it('ends a session whose client is cut off', async () => {
    const closed: CloseInfo[] = []
    let told = () => {}
    const end = new Promise<void>((resolve) => {
      told = resolve
    })
    const engine = await start({
      onSession(session) {
        session.handler = idle((info) => {
          closed.push(info)
          told()
        })
      },
    })
    const socket = await upgraded(engine)
    socket.destroy()
    await end
    expect(closed).toMatchObject([{ by: 'transport' }])
    expect(engine.stats().sessions).toBe(0)
  })

  it('asks a silent client for a sign of life, and then gives it up', async () => {
    let time = 0
    const closed: CloseInfo[] = []
    const hits: EngineLimitName[] = []
    let told = () => {}
    const end = new Promise<void>((resolve) => {
      told = resolve
    })
    const engine = await start({
      clock: { now: () => time },
      limits: { idleTimeoutMs: 60 },
      onLimit: (limit) => void hits.push(limit),
      onSession(session) {
        session.handler = idle((info) => {
          closed.push(info)
          told()
        })
      },
    })
    const socket = await upgraded(engine)
    time = 30
    const ping = await nextFrame(socket)
    expect(ping & 0x0f).toBe(0x9)
    time = 100
    await end
    expect(closed).toMatchObject([{ by: 'transport', reason: 'the client has fallen silent' }])
    expect(hits).toEqual(['idle-time'])
  })

  it('answers plain HTTP over TLS, and cuts off a client that says nothing', async () => {
    const engine = await start({ limits: { handshakeTimeoutMs: 50 } })
    const { port } = engine.address
    const asker = await connectTls(port)
    asker.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    expect(await readAll(asker)).toContain('426 Upgrade Required')
    const silent = await connectTls(port)
    expect(await readAll(silent)).toBe('')
  })

  it('offers no HTTP/2', async () => {
    const engine = await start()
    const socket = tls.connect({
      port: engine.address.port,
      host: '127.0.0.1',
      ALPNProtocols: ['h2'],
    })
    const failure = await new Promise<Error>((resolve) => socket.once('error', resolve))
    expect(failure.message).toContain('alert')
  })
})
