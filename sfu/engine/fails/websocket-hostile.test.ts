import net from 'node:net'
import type tls from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CloseInfo } from '../../../moq/transport/transport.ts'
import type { Engine } from '../engine.ts'
import { createWebSocketEngine } from './index.ts'
import {
  connectTls,
  dial,
  idle,
  options,
  readAll,
  UPGRADE,
  upgraded,
} from './websocket-test-rig.ts'

it('the WebSocket engine gives back what it let in, whenever the client leaves', async () => {
  let [letIn, left, opened, ended] = [0, 0, 0, 0]
  const sockets = new Map<string, tls.TLSSocket>()
  const engine = await createWebSocketEngine(
    options({
      accept({ peer, protocol }) {
        letIn++
        // The client is gone while the answer is still being made.
        sockets.get(peer)?.destroy()
        return { accept: true, protocol }
      },
      onSession(session) {
        opened++
        session.handler = idle(() => ended++)
      },
      onLeft: () => left++,
    }),
  )
  for (let i = 0; i < 30; i++) {
    const socket = await connectTls(engine.address.port)
    socket.on('error', () => {})
    sockets.set(`127.0.0.1:${socket.localPort}`, socket)
    socket.write(UPGRADE)
  }
  await expect.poll(() => [letIn, left + ended]).toEqual([30, 30])
  expect(opened).toBe(ended)
  expect(engine.stats()).toMatchObject({ sessions: 0, handshakes: 0 })
  await engine.close()
})

describe('the WebSocket engine is not brought down by', () => {
  let engine: Engine
  let lastEnding: Promise<CloseInfo>
  beforeAll(async () => {
    engine = await createWebSocketEngine(
      options({
        limits: { handshakeTimeoutMs: 2_000, uniStreams: 100, bidiStreams: 100 },
        onSession(session) {
          lastEnding = new Promise((resolve) => {
            session.handler = idle(resolve)
          })
        },
      }),
    )
  })
  afterAll(() => engine.close())

  /** A well-behaved client is still served. */
  const stillServes = async () => {
    const client = await dial(engine)
    client.handler = idle()
    expect(client.protocol).toBe('moqt-18')
    client.close(0, '')
  }

  it.each([
    ['plain HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['garbage', '\x00\xff\x16\x03\x01garbage'],
    ['half a TLS record', '\x16\x03\x01\x02\x00\x01'],
  ])('%s without TLS', async (_name, text) => {
    const socket = net.connect(engine.address.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.end(Buffer.from(text, 'latin1'))
    await new Promise((resolve) => socket.once('close', resolve))
    await stillServes()
  })

  it.each([
    ['broken HTTP', 'NONSENSE\r\n\r\n'],
    [
      'an upgrade to something else',
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
    ],
    [
      'a WebSocket of another protocol',
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Key: x\r\nSec-WebSocket-Protocol: chat\r\n\r\n',
    ],
    ['a CONNECT', 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n'],
  ])('%s', async (_name, text) => {
    const socket = await connectTls(engine.address.port)
    socket.write(text)
    await readAll(socket)
    await stillServes()
  })

  it('a client that leaves in the middle of its request', async () => {
    for (let i = 0; i < 5; i++) {
      const socket = await connectTls(engine.address.port)
      socket.write(UPGRADE)
      socket.destroy()
    }
    await stillServes()
  })

  it.each([
    ['a length that turns negative in 32 bits', '82ff00000000fffffff600000000993e3b4d'],
    ['an unmasked frame', '8201ff'],
    ['a text frame', '818100000000ff'],
    ['reserved bits', 'f28100000000ff'],
    ['a continuation of nothing', '808100000000ff'],
    ['a control frame that is too long', '89fe0080000000000000'],
    ['a message that is too long', '82ff00000000100000000000000000'],
    ['half an integer', '82810000000080'],
    ['a stream that only the server may open', `8286${'00000000'}990b4d3b0441`],
    ['bytes on a unidirectional stream of ours', `8285${'00000000'}990b4d3b02`],
    ['a stream beyond its credit', `8287${'00000000'}990b4d3b7ffd41`],
    ['a close without a code', '8282000000006843'],
  ])('%s', async (_name, hex) => {
    const socket = await upgraded(engine)
    const ending = lastEnding
    socket.write(Buffer.from(hex, 'hex'))
    await readAll(socket)
    expect(['local', 'transport']).toContain((await ending).by)
    await stillServes()
  })
})
