/** What the tests of the WebSocket engine share: a certificate, a client, raw sockets. */

import { randomBytes } from 'node:crypto'
import tls from 'node:tls'
import { expect } from 'vitest'
import { connectFailsWebSocket, type FailsPonyfill } from '../../../moq/transport/fails-client.ts'
import type { CloseInfo } from '../../../moq/transport/transport.ts'
import { makeSelfSigned } from '../../certificate/index.ts'
import type { Certificate, Engine, EngineOptions } from '../engine.ts'

// The package's browser client runs in Node as well, over its own WebSocket.
const browserBuild = new URL(
  './index.browser.js',
  import.meta.resolve('@fails-components/webtransport'),
).href
const { WebTransportPonyfill } = (await import(browserBuild)) as {
  WebTransportPonyfill: FailsPonyfill
}

export const certificate = await selfSigned()
tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate.certPem])

export async function selfSigned(): Promise<Certificate> {
  const { cert, key } = await makeSelfSigned([], Date.now())
  return { certPem: cert, keyPem: key }
}

export function options(parts: Partial<EngineOptions> = {}): EngineOptions {
  return {
    host: '127.0.0.1',
    port: 0,
    certificate,
    protocols: ['moqt-18'],
    accept: (request) => ({ accept: true, protocol: request.protocol }),
    onSession: (session) => {
      session.handler = idle()
    },
    log: { debug() {}, info() {}, warn() {} },
    clock: { now: () => performance.now() },
    randomBytes: (length) => randomBytes(length),
    ...parts,
  }
}

export function idle(onClosed: (info: CloseInfo) => void = () => {}) {
  return { onUni() {}, onBidi() {}, onDatagram() {}, onStreamCredit() {}, onRoom() {}, onClosed }
}

export function dial(engine: Engine, path = '/?room=demo', protocols = ['moqt-18']) {
  return connectFailsWebSocket({
    ponyfill: WebTransportPonyfill,
    url: `https://127.0.0.1:${engine.address.port}${path}`,
    protocols,
    now: () => performance.now(),
  }).session
}

export const UPGRADE =
  'GET /?room=demo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
  'Sec-WebSocket-Protocol: webtransport_kDraft2_moqt-18, webtransport_kDraft2\r\n\r\n'

export function connectTls(port: number): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    socket.once('error', reject)
    socket.once('secureConnect', () => resolve(socket))
  })
}

/** A raw WebSocket, up to and with the server's answer and first capsules. */
export async function upgraded(engine: Engine): Promise<tls.TLSSocket> {
  const socket = await connectTls(engine.address.port)
  const first = new Promise<Buffer>((resolve) => socket.once('data', resolve))
  socket.write(UPGRADE)
  expect((await first).toString('latin1')).toContain('101 Switching Protocols')
  return socket
}

export function readAll(socket: tls.TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    socket.on('data', (data) => {
      text += data.toString('latin1')
    })
    socket.on('error', () => {})
    socket.once('close', () => resolve(text))
  })
}

/** The first byte of the next frame that is not a binary one. */
export function nextFrame(socket: tls.TLSSocket): Promise<number> {
  return new Promise((resolve) => {
    socket.on('data', (data: Buffer) => {
      for (let at = 0; at < data.length; at += 2 + (data[at + 1]! & 0x7f)) {
        if ((data[at]! & 0x0f) !== 0x2) resolve(data[at]!)
      }
    })
  })
}
