/** What a peer may cost the engine, over real UDP on loopback: each bound holds and is reported. */

import { createSocket } from 'node:dgram'
import { describe, expect, it } from 'vitest'
import type { TransportSession } from '../../../moq/transport/transport.ts'
import type { EngineLimitName, EngineLimits } from '../index.ts'
import { silentHandler } from '../test-support.ts'
import {
  cleanups,
  cuttablePath,
  firstPacket,
  handled,
  raw,
  roundTrip,
  start,
  web,
} from './engine-rig.ts'
import { limitOf } from './limit-of.ts'

/** An engine with these limits that records which of them are hit, and its first session. */
async function limited(limits: Partial<EngineLimits>) {
  const hits: EngineLimitName[] = []
  const { promise: served, resolve } = Promise.withResolvers<TransportSession>()
  const { engine } = await start({
    limits,
    onLimit: (limit) => void hits.push(limit),
    onSession: (session) => {
      session.handler = silentHandler()
      resolve(session)
    },
  })
  return { engine, hits, served }
}

async function sendAlone(packet: Uint8Array, port: number): Promise<void> {
  const socket = createSocket('udp4')
  cleanups.push(() => socket.close())
  await new Promise((sent) => socket.send(packet, port, '127.0.0.1', sent))
}

describe('time', () => {
  it('is bounded for the handshake, whoever began it', async () => {
    const { engine, hits } = await limited({ handshakeTimeoutMs: 50 })
    await sendAlone(await firstPacket(), engine.address.port)
    await expect.poll(() => hits).toEqual(['handshake-time'])
    await expect.poll(() => engine.stats()).toMatchObject({ handshakes: 0, sessions: 0 })
  })

  it('is bounded for a silent peer', async () => {
    const { engine, hits, served } = await limited({ idleTimeoutMs: 100 })
    const path = await cuttablePath(engine.address.port)
    await raw(engine, { port: path.port })
    await served
    path.cut()
    await expect.poll(() => hits).toEqual(['idle-time'])
  })

  it('is no limit that an engine which closes would count', async () => {
    const { engine, hits, served } = await limited({})
    await sendAlone(await firstPacket(), engine.address.port)
    await raw(engine)
    await served
    await expect.poll(() => engine.stats().handshakes).toBe(1)
    await engine.close()
    expect(hits).toEqual([])
  })
})

describe('number', () => {
  it('is bounded for sessions', async () => {
    const { engine, hits } = await limited({ maxSessions: 1 })
    const first = await web(engine)
    await expect(web(engine)).rejects.toMatchObject({ kind: 'refused' })
    const { closed } = await raw(engine)
    expect(await closed).toMatchObject({ by: 'peer', reason: 'the relay is full' })
    expect(hits).toEqual(['sessions', 'sessions'])
    await expect(roundTripAgain(first.session)).resolves.toBeUndefined()
  })

  /** The session lives on: a stream of it is taken. */
  async function roundTripAgain(session: TransportSession): Promise<void> {
    const stream = session.openUni(0)!
    stream.write(new Uint8Array(10))
    stream.finish()
    await expect.poll(() => stream.buffered).toBe(0)
  }

  it('is bounded for handshakes', async () => {
    const { engine, hits } = await limited({ maxHandshakes: 1 })
    await sendAlone(await firstPacket(), engine.address.port)
    await expect.poll(() => engine.stats().handshakes).toBe(1)
    await sendAlone(await firstPacket(), engine.address.port)
    await expect.poll(() => hits).toEqual(['handshakes'])
    expect(engine.stats()).toMatchObject({ handshakes: 1, packetsIgnored: 1 })
  })

  it('is bounded for streams, of each kind, by the credit that a peer gets', async () => {
    const { engine, served } = await limited({ uniStreams: 5, bidiStreams: 3 })
    const { session } = await raw(engine)
    await served
    const count = (open: () => { write(bytes: Uint8Array): void } | null) => {
      let opened = 0
      for (let stream = open(); stream !== null && opened < 100; stream = open()) {
        stream.write(new Uint8Array(1))
        opened++
      }
      return opened
    }
    expect(count(() => session.openUni(0))).toBe(5)
    expect(count(() => session.openBidi(0)?.send ?? null)).toBe(3)
  })
})

describe('memory', () => {
  it('is bounded for what a peer sends and nobody reads', async () => {
    const connectionWindow = 200_000
    const { engine, served } = await limited({ connectionWindow, streamWindow: 50_000 })
    const { session } = await raw(engine)
    const server = await served
    const waiting: { resume(): void }[] = []
    let read = 0
    server.handler = silentHandler({
      onUni: (stream) => {
        stream.handler = {
          onBytes: (bytes) => {
            read += bytes.length
            stream.pause()
          },
          onReset: () => {},
        }
        stream.pause()
        waiting.push(stream)
      },
      onDatagram: (bytes) => void server.sendDatagram(bytes),
    })
    const streams = Array.from({ length: 10 }, () => session.openUni(0)!)
    for (const stream of streams) {
      stream.write(new Uint8Array(100_000))
      stream.finish()
    }
    // One stream alone takes no more than its window, all of them no more than the connection's.
    await expect.poll(() => engine.stats().bytesReceived).toBeGreaterThan(connectionWindow * 0.9)
    for (let i = 0; i < 20; i++) await roundTrip(session)
    expect(engine.stats().bytesReceived).toBeLessThan(connectionWindow * 1.2)
    expect(read).toBe(0)
    // Nothing is lost by it.
    const drain = setInterval(() => {
      for (const stream of waiting) stream.resume()
    }, 1)
    cleanups.push(() => clearInterval(drain))
    await expect.poll(() => read, { timeout: 10_000 }).toBe(1_000_000)
  })

  it('is bounded for what waits in one stream', async () => {
    const { engine, hits, served } = await limited({ streamBuffer: 100_000 })
    const { closed } = await raw(engine)
    const server = await served
    server.openUni(0)!.write(new Uint8Array(100_001))
    expect((await closed).reason).toBe('a stream buffers more than 100000 bytes')
    expect(hits).toEqual(['send-buffer'])
  })

  it('is bounded for what was sent and is not acknowledged', async () => {
    const { engine, hits, served } = await limited({ sessionBuffer: 6000, idleTimeoutMs: 60_000 })
    const path = await cuttablePath(engine.address.port)
    await raw(engine, { port: path.port })
    const server = await served
    const ended = handled(server)
    const send = async () => {
      const stream = server.openUni(0)!
      stream.write(new Uint8Array(1000))
      stream.finish()
      await expect.poll(() => stream.buffered).toBe(0)
    }
    // Acknowledged, it costs nothing.
    for (let i = 0; i < 10; i++) {
      await send()
      await expect.poll(() => engine.stats().bytesHeld).toBe(0)
    }
    path.cut()
    // The window takes them all, and nobody acknowledges them.
    for (let i = 0; i < 6; i++) await send()
    expect(engine.stats().bytesHeld).toBe(6000)
    expect(engine.stats().sessions).toBe(1)
    server.openUni(0)!.write(new Uint8Array(1))
    const told = { by: 'local', code: 0x1, reason: 'the session buffers more than 6000 bytes' }
    expect(await ended.closed).toEqual(told)
    expect(hits).toEqual(['send-buffer'])
    expect(engine.stats()).toMatchObject({ bytesHeld: 0, sessions: 0 })
  })
})

describe('the limit that a connection ended by', () => {
  const sound = { outflow: { isOverfull: false }, expired: false, end: null }
  const quic = (code: number, by: 'local' | 'peer' = 'local') => ({
    ...sound,
    end: { by, isApplication: false, code, reason: '' },
  })

  it.each([
    ['more streams than the credit', quic(0x4), true, 'streams'],
    ['more bytes than the window', quic(0x3), true, 'flow-control'],
    ['what the peer finds wrong with us', quic(0x4, 'peer'), true, null],
    ['another fault of the peer', quic(0xa), true, null],
    [
      'a code of the application',
      { ...sound, end: { ...quic(0x4).end, isApplication: true } },
      true,
      null,
    ],
    ['its session alone', sound, true, null],
    ['its time, after its session', { ...quic(0), expired: true }, true, null],
    ['its time, without a session', { ...quic(0), expired: true }, false, 'handshake-time'],
  ])('is known: %s', (_what, connection, wasSession, limit) => {
    expect(limitOf(connection, wasSession)).toBe(limit)
  })
})
