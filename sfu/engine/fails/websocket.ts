/**
 * The fallback where UDP is blocked: MoQT over WebTransport over WebSocket, by the JavaScript server
 * of `@fails-components/webtransport`, on a TCP port with TLS. It runs beside a QUIC engine.
 *
 * Only HTTP/1.1 is offered: browsers open a WebSocket so, and HTTP/2 would add much that an attacker
 * can try and that nobody needs here.
 */

import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Http2SecureServer } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { FailsNativeSession } from '../../../moq/transport/fails-types.ts'
import {
  DEFAULT_LIMITS,
  type Engine,
  type EngineLimitName,
  type EngineLimits,
  type EngineOptions,
} from '../engine.ts'
import { checkCertificate, type FailsCarrier, FailsEngine } from './fails-engine.ts'
import { loadFailsPackage } from './package.ts'
import { type FailsServerParser, WebSocketLink } from './websocket-link.ts'

/** Flow-control windows never grow beyond these, bytes: TCP needs less than QUIC's defaults. */
const SESSION_WINDOW = 4 * 1024 * 1024
const STREAM_WINDOW = 1024 * 1024
/** Room in a message for a capsule's head. */
const CAPSULE_HEAD = 64

interface WebSocketNativeSession extends FailsNativeSession {
  readonly stream: Duplex
  readonly capsParser: FailsServerParser
}

/**
 * Starts the WebSocket engine; `port` is a TCP port.
 * @throws EngineError if the port cannot be had or the certificate cannot be used
 */
export async function createWebSocketEngine(options: EngineOptions): Promise<Engine> {
  checkCertificate(options.certificate)
  const { Http2Server } = await loadFailsPackage()
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const server = new Http2Server(serverSettings(options, limits))
  await server.createTransportInt()
  const tcp: Http2SecureServer = server.transportInt.serverInt
  const onLimit = (limit: EngineLimitName) => options.onLimit?.(limit)
  const sockets = guardSockets(tcp, limits, onLimit)
  let idleCheck: NodeJS.Timeout | undefined

  const carrier: FailsCarrier = {
    name: 'websocket',
    kind: 'websocket',
    portKind: 'TCP',
    refuse(event, status, reason) {
      const socket: Duplex = event.session
      socket.end(answer(status, reason))
    },
    onLeft(event, callback) {
      const socket: Duplex = event.session
      socket.once('close', callback)
      // Sent before our answer, it belongs behind the package's parser, which is not there yet.
      if (event.head !== undefined && event.head.length > 0) socket.unshift(event.head)
    },
    isAlive: (native) => !(native as WebSocketNativeSession).stream.destroyed,
    link(native, session) {
      const { stream, capsParser } = native as WebSocketNativeSession
      sockets.admit(stream)
      return new WebSocketLink(stream, capsParser, {
        maxMessage: Math.min(limits.streamWindow, STREAM_WINDOW) + CAPSULE_HEAD,
        maxBuffered: limits.sessionBuffer,
        idleTimeoutMs: limits.idleTimeoutMs,
        now: () => options.clock.now(),
        onViolation: (reason) => session().violated(reason),
        onUnread: () => {
          onLimit('send-buffer')
          session().violated('nothing is read')
        },
        onSilent: () => {
          onLimit('idle-time')
          session().onClose({ error: 'the client has fallen silent' })
        },
      })
    },
    async stop() {
      clearInterval(idleCheck)
      const closed = new Promise<void>((resolve) => tcp.close(() => resolve()))
      sockets.endAll()
      await closed
    },
    stats: () => sockets.stats(),
  }

  const engine = new FailsEngine(server, carrier, options)
  await engine.listen()
  idleCheck = setInterval(() => {
    for (const [, link] of engine.sessions) link?.checkLife()
  }, limits.idleTimeoutMs / 6)
  idleCheck.unref()
  return engine
}

function serverSettings(options: EngineOptions, limits: EngineLimits) {
  const streamLimit = Math.min(limits.streamWindow, STREAM_WINDOW)
  const sessionLimit = Math.min(limits.connectionWindow, SESSION_WINDOW)
  return {
    host: options.host,
    port: options.port,
    cert: options.certificate.certPem,
    privKey: options.certificate.keyPem,
    secret: Buffer.from(options.randomBytes(32)).toString('hex'),
    defaultDatagramsReadableMode: 'bytes' as const,
    initialUnidirectionalStreams: limits.uniStreams,
    initialBidirectionalStreams: limits.bidiStreams,
    initialStreamFlowControlWindow: Math.min(streamLimit, 256 * 1024),
    initialSessionFlowControlWindow: Math.min(sessionLimit, 1024 * 1024),
    streamFlowControlWindowSizeLimit: streamLimit,
    sessionFlowControlWindowSizeLimit: sessionLimit,
  }
}

/** Bounds what a client costs that is not, or not yet, a session. */
function guardSockets(
  tcp: Http2SecureServer,
  limits: EngineLimits,
  onLimit: (limit: EngineLimitName) => void,
) {
  const open = new Set<TLSSocket>()
  const deadlines = new Map<Duplex, NodeJS.Timeout>()
  let bytesReceived = 0
  let bytesSent = 0

  tcp.maxConnections = limits.maxSessions + limits.maxHandshakes
  Object.assign(tcp, { ALPNProtocols: Buffer.from('\x08http/1.1', 'latin1') })
  tcp.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(426, { Upgrade: 'websocket', Connection: 'close' })
    response.end('This port speaks MoQT over WebSocket.\n')
    request.resume()
  })
  // Clients that fail in TLS or HTTP are gone already; there is nothing to do for them.
  tcp.on('tlsClientError', (_error, socket) => socket.destroy())
  tcp.on('clientError', (_error, socket: Duplex) => socket.destroy())
  tcp.on('secureConnection', (socket) => {
    open.add(socket)
    socket.on('error', () => {})
    const deadline = setTimeout(() => {
      onLimit('handshake-time')
      socket.destroy()
    }, limits.handshakeTimeoutMs)
    deadline.unref()
    deadlines.set(socket, deadline)
    socket.on('close', () => {
      open.delete(socket)
      clearTimeout(deadlines.get(socket))
      deadlines.delete(socket)
      bytesReceived += socket.bytesRead
      bytesSent += socket.bytesWritten
    })
  })
  return {
    /** The client has become a session. */
    admit(socket: Duplex): void {
      clearTimeout(deadlines.get(socket))
      deadlines.delete(socket)
    },
    endAll(): void {
      for (const socket of open) socket.destroySoon()
    },
    stats() {
      let received = bytesReceived
      let sent = bytesSent
      for (const socket of open) {
        received += socket.bytesRead
        sent += socket.bytesWritten
      }
      return {
        connections: open.size,
        handshakes: deadlines.size,
        bytesReceived: received,
        bytesSent: sent,
      }
    },
  }
}

function answer(status: number, reason: string): string {
  const body = `${reason}\n`
  const type = 'Content-Type: text/plain; charset=utf-8'
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    type,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}
