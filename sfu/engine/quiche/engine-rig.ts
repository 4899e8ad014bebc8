/** An engine and clients over real UDP on loopback, for vitest; all of it ends with the test. */

import { createSocket } from 'node:dgram'
import { afterEach, expect } from 'vitest'
import { connectQuic, connectWebTransport } from '../../../moq/transport/quiche/client.ts'
import type { CloseInfo, TransportSession } from '../../../moq/transport/transport.ts'
import { createEngine, type Engine, type EngineOptions } from '../index.ts'
import { makeCertificate, silentHandler, testOptions } from '../test-support.ts'

export const certificate = makeCertificate()
export const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

export async function start(changes: Partial<EngineOptions> = {}) {
  const options = testOptions(certificate, changes)
  const engine = await createEngine('quiche', options)
  cleanups.push(() => engine.close())
  return { engine, lines: options.lines }
}

export async function raw(engine: Engine, changes: { protocols?: string[]; port?: number } = {}) {
  const session = await connectQuic({
    host: '127.0.0.1',
    port: engine.address.port,
    protocols: ['moqt-18'],
    trust: { kind: 'none' },
    ...changes,
  })
  return handled(session)
}

export async function web(engine: Engine, path = '/', protocols = ['moqt-18']) {
  const url = `https://127.0.0.1:${engine.address.port}${path}`
  return handled(await connectWebTransport(url, { protocols, trust: { kind: 'none' } }))
}

/** Gives a client's session an owner and tells how it ended. */
export function handled(session: TransportSession) {
  const { promise: closed, resolve } = Promise.withResolvers<CloseInfo>()
  session.handler = silentHandler({ onClosed: resolve })
  cleanups.push(() => session.close(0, ''))
  return { session, closed }
}

export function echo(session: TransportSession): void {
  session.handler = silentHandler({ onDatagram: (bytes) => void session.sendDatagram(bytes) })
}

/** A datagram there and back. */
export function roundTrip(session: TransportSession): Promise<Uint8Array> {
  const { promise, resolve } = Promise.withResolvers<Uint8Array>()
  session.handler = silentHandler({ onDatagram: resolve })
  session.sendDatagram(new Uint8Array([1, 2, 3]))
  return promise
}

/** A UDP path to a port that carries nothing any more once it is cut. */
export async function cuttablePath(port: number): Promise<{ port: number; cut(): void }> {
  const front = createSocket('udp4')
  const back = createSocket('udp4')
  let client = 0
  let isCut = false
  front.on('message', (packet, from) => {
    client = from.port
    if (!isCut) back.send(packet, port, '127.0.0.1')
  })
  back.on('message', (packet) => {
    if (!isCut) front.send(packet, client, '127.0.0.1')
  })
  cleanups.push(() => {
    front.close()
    back.close()
  })
  await new Promise<void>((bound) => front.bind(0, '127.0.0.1', bound))
  return {
    port: front.address().port,
    cut: () => {
      isCut = true
    },
  }
}

/** What a client sends first, taken by nobody. */
export async function firstPacket(): Promise<Buffer> {
  const sink = createSocket('udp4')
  await new Promise<void>((resolve) => sink.bind(0, '127.0.0.1', resolve))
  const packet = new Promise<Buffer>((resolve) => sink.on('message', resolve))
  const attempt = connectQuic({
    host: '127.0.0.1',
    port: sink.address().port,
    protocols: ['moqt-18'],
    trust: { kind: 'none' },
    limits: { handshakeTimeoutMs: 50 },
  })
  await expect(attempt).rejects.toThrow(/in time/)
  sink.close()
  return packet
}
