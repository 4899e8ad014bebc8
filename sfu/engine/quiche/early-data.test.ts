/**
 * 0-RTT (draft-18 section 3.3.1) is rejected entirely: tickets resume a handshake and no more, so that
 * no request can be replayed. A client of quiche itself tries it here, over real UDP on loopback.
 */

import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { describe, expect, it } from 'vitest'
import {
  loadQuiche,
  type NativeConfig,
  type NativeConnection,
} from '../../../moq/transport/quiche/binding.ts'
import { clientConfig } from '../../../moq/transport/quiche/config.ts'
import { DEFAULT_QUIC_LIMITS } from '../../../moq/transport/quiche/settings.ts'
import { silentHandler } from '../test-support.ts'
import { cleanups, raw, start } from './engine-rig.ts'

interface EarlyConfig extends NativeConfig {
  enableEarlyData(): void
}

interface ResumingConnection extends NativeConnection {
  /** What to resume with, once the server has sent a ticket. */
  session(): Uint8Array | null
  setSession(session: Uint8Array): void
  isInEarlyData(): boolean
  isResumed(): boolean
}

const ZERO_RTT = 1

/** The type of a packet with a long header (RFC 9000, Section 17.2), or null. */
function longType(packet: Uint8Array): number | null {
  return (packet[0]! & 0x80) === 0 ? null : (packet[0]! >> 4) & 3
}

/** A client that may send early data and says so. */
async function earlyClient(port: number, session: Uint8Array | null) {
  const binding = loadQuiche()
  const socket = createSocket('udp4')
  cleanups.push(() => socket.close())
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound))
  const config = clientConfig(binding, null, {
    alpn: ['moqt-18'],
    limits: DEFAULT_QUIC_LIMITS,
    congestionControl: 'bbr',
    logKeys: false,
  })
  const early = config as EarlyConfig
  early.enableEarlyData()
  const local = { host: '127.0.0.1', port: socket.address().port }
  const server = { host: '127.0.0.1', port }
  const id = randomBytes(16)
  const native = binding.Connection.connect('localhost', id, local, server, config)
  const connection = native as ResumingConnection
  if (session !== null) connection.setSession(session)
  const sent: Uint8Array[] = []
  const pump = () => {
    for (;;) {
      const buffer = Buffer.alloc(1500)
      const packet = connection.send(buffer)
      if (packet === null) return
      sent.push(buffer.subarray(0, packet[0]))
      socket.send(buffer, 0, packet[0], port, '127.0.0.1')
    }
  }
  socket.on('message', (packet) => {
    connection.recv(packet, { from: server, to: local })
    pump()
  })
  return { connection, sent, pump, socket }
}

/** A client's first connection, and the ticket that it got. */
async function ticketOf(port: number): Promise<Uint8Array> {
  const first = await earlyClient(port, null)
  first.pump()
  await expect.poll(() => first.connection.session()).not.toBeNull()
  return first.connection.session()!
}

async function engineThatReads() {
  const read: string[] = []
  const { engine } = await start({
    onSession: (session) => {
      session.handler = silentHandler({
        onUni: (stream) => {
          stream.handler = {
            onBytes: (bytes) => void read.push(Buffer.from(bytes).toString()),
            onReset: () => {},
          }
        },
      })
    },
  })
  return { engine, read }
}

/** Hands quiche a request before the handshake is done, for it to send as early as it may. */
function askEarly(connection: NativeConnection): void {
  connection.streamSend(2, Buffer.from('a request'), true)
}

describe('0-RTT', () => {
  it('is not offered: a resumed client has no early data to send', async () => {
    const { engine, read } = await engineThatReads()
    const ticket = await ticketOf(engine.address.port)
    const { connection, pump, sent } = await earlyClient(engine.address.port, ticket)
    askEarly(connection)
    pump()
    expect(connection.isInEarlyData()).toBe(false)
    expect(read).toEqual([])
    await expect.poll(() => connection.isEstablished()).toBe(true)
    expect(connection.isResumed()).toBe(true)
    expect(sent.map(longType)).not.toContain(ZERO_RTT)
    // What it asked goes behind the handshake.
    await expect.poll(() => read).toEqual(['a request'])
  })

  it('is not replayable: a first flight sent again makes no session', async () => {
    const { engine, read } = await engineThatReads()
    const ticket = await ticketOf(engine.address.port)
    const resumed = await earlyClient(engine.address.port, ticket)
    askEarly(resumed.connection)
    resumed.pump()
    const flight = [...resumed.sent]
    await expect.poll(() => read).toEqual(['a request'])
    resumed.connection.close(true, 0, new Uint8Array(0))
    resumed.pump()
    // Once the connection is forgotten, its first packet begins another one.
    await expect.poll(() => engine.stats().connections, { timeout: 4000 }).toBe(1)
    const replayer = createSocket('udp4')
    cleanups.push(() => replayer.close())
    for (const packet of flight) replayer.send(packet, engine.address.port, '127.0.0.1')
    await expect.poll(() => engine.stats().handshakes).toBe(1)
    // A sound client comes behind it; the replayed one gets no further.
    await raw(engine)
    await expect.poll(() => engine.stats().sessionsAccepted).toBe(3)
    expect(engine.stats().handshakes).toBe(1)
    expect(read).toEqual(['a request'])
  })

  it('is not taken: a 0-RTT packet starts nothing', async () => {
    const { engine } = await engineThatReads()
    const packet = randomBytes(1200)
    packet.set([0xd0, 0, 0, 0, 1, 8], 0)
    packet[14] = 8
    expect(longType(packet)).toBe(ZERO_RTT)
    const socket = createSocket('udp4')
    cleanups.push(() => socket.close())
    socket.send(packet, engine.address.port, '127.0.0.1')
    await expect.poll(() => engine.stats().packetsIgnored).toBe(1)
    expect(engine.stats()).toMatchObject({ connections: 0, handshakes: 0 })
  })
})
