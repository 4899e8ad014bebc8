import { createSecureContext } from 'node:tls'
import { FailsSession } from '../../../moq/transport/fails-session.ts'
import type { FailsNativeSession } from '../../../moq/transport/fails-types.ts'
import type { TransportKind } from '../../../moq/transport/transport.ts'
import {
  type Admission,
  type Certificate,
  DEFAULT_LIMITS,
  type Engine,
  type EngineAddress,
  EngineError,
  type EngineLimits,
  type EngineOptions,
  type EngineStats,
  type SessionRequest,
} from '../engine.ts'
import { ALL_TARGETS, refuseTarget } from '../target.ts'
import type { FailsHttpServer } from './package.ts'
import { readSessionRequest } from './session-request.ts'
import type { WebSocketLink } from './websocket-link.ts'

export type FailsRequestEvent = Parameters<FailsHttpServer['onSessionRequest']>[0]
type VisitorEvent = Parameters<FailsHttpServer['onHttpWTSessionVisitor']>[0]

/** What differs between HTTP/3 and WebSocket. */
export interface FailsCarrier {
  readonly name: string
  readonly kind: TransportKind
  /** For error messages. */
  readonly portKind: 'UDP' | 'TCP'
  /** Called with a client that was turned away. */
  refuse(event: FailsRequestEvent, status: number, reason: string): void
  /** Calls back if a client that was let in leaves before its session begins. */
  onLeft(event: FailsRequestEvent, callback: () => void): void
  /** Called with an accepted session; null where nothing is needed. */
  link(native: FailsNativeSession, session: () => FailsSession): WebSocketLink | null
  /** Whether the client is still there when its session is about to be handed over. */
  isAlive(native: FailsNativeSession): boolean
  stop(): Promise<void>
  stats(): Partial<EngineStats>
}

interface Accepted {
  readonly request: SessionRequest
  readonly protocol: string
}

/** Called by the package for a session that nobody wants any more; it must have someone to call. */
const NOBODY = {
  state: 'closed',
  onReady() {},
  onClose() {},
  onStream() {},
  onDatagramReceived() {},
  onGoAwayReceived() {},
}

/** Validates what can be wrong before a server is made of it. */
export function checkCertificate({ certPem, keyPem }: Certificate): void {
  try {
    createSecureContext({ cert: certPem, key: keyPem })
  } catch (error) {
    throw new EngineError(`the certificate or its key cannot be used: ${messageOf(error)}`)
  }
}

/** A server of the package's as an `Engine`: admission, sessions, counters, the end. */
export class FailsEngine implements Engine {
  readonly name: string
  readonly limits: EngineLimits
  readonly #server: FailsHttpServer
  readonly #carrier: FailsCarrier
  readonly #options: EngineOptions
  readonly #sessions = new Map<FailsSession, WebSocketLink | null>()
  /** Let in, and not a session yet. */
  readonly #admitted = new Set<Accepted>()
  #accepted = 0
  #refused = 0
  #faults = 0
  #closing = false

  constructor(server: FailsHttpServer, carrier: FailsCarrier, options: EngineOptions) {
    this.name = carrier.name
    this.limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#server = server
    this.#carrier = carrier
    this.#options = options
    server.onSessionRequest = (event) => this.#onRequest(event)
    server.onHttpWTSessionVisitor = (event) => this.#onVisitor(event)
    // Only makes the package ask at all; it asks by the method above.
    server.setRequestCallback(() => {})
  }

  /** @throws EngineError in one line, where the port cannot be had */
  async listen(): Promise<void> {
    const { host, port } = this.#options
    try {
      this.#server.startServer()
      await this.#server.ready
    } catch (error) {
      const code = codeOf(error)
      throw new EngineError(
        `cannot listen on ${host}:${port} (${this.#carrier.portKind}): ${explain(code, error)}`,
        code,
      )
    }
  }

  get address(): EngineAddress {
    const address = this.#server.address()
    return { host: this.#options.host, port: address?.port ?? this.#options.port }
  }

  get sessions(): Iterable<[FailsSession, WebSocketLink | null]> {
    return this.#sessions
  }

  stats(): EngineStats {
    return {
      connections: this.#sessions.size + this.#admitted.size,
      handshakes: this.#admitted.size,
      sessions: this.#sessions.size,
      bytesHeld: this.#bytesHeld(),
      sessionsAccepted: this.#accepted,
      sessionsRefused: this.#refused,
      packetsReceived: 0,
      packetsSent: 0,
      bytesReceived: 0,
      bytesSent: 0,
      packetsIgnored: 0,
      retries: 0,
      versionNegotiations: 0,
      sendErrors: 0,
      faults: this.#faults,
      kernelBuffer: null,
      ...this.#carrier.stats(),
    }
  }

  /** Where the package tells: not below HTTP/3. */
  #bytesHeld(): number {
    let bytes = 0
    for (const link of this.#sessions.values()) bytes += link?.bytes() ?? 0
    return bytes
  }

  setCertificate(certificate: Certificate): void {
    checkCertificate(certificate)
    if (typeof this.#server.transportInt.updateCert !== 'function') {
      throw new EngineError(`the engine ${this.name} takes a new certificate only when it starts`)
    }
    this.#server.updateCert(certificate.certPem, certificate.keyPem, false)
  }

  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    for (const session of this.#sessions.keys()) session.close(0, 'the relay is shutting down')
    // Lets the farewells out before the socket goes.
    await new Promise((resolve) => setImmediate(resolve))
    await this.#carrier.stop()
  }

  #onRequest(event: FailsRequestEvent): void {
    const request = readSessionRequest(event, this.#options.protocols)
    const admission = this.#judge(request)
    if (!admission.accept) {
      this.#refuse(event, request, admission.status, admission.reason)
      return
    }
    const accepted: Accepted = { request, protocol: admission.protocol }
    this.#admitted.add(accepted)
    this.#carrier.onLeft(event, () => this.#left(accepted))
    // Later, as the package itself does: it is still in the middle of this request.
    queueMicrotask(() => {
      try {
        this.#server.transportInt.finishSessionRequest({
          ...event,
          head: undefined,
          status: 200,
          path: request.path,
          selectedProtocol: admission.protocol,
          userData: accepted,
        })
      } catch {
        this.#left(accepted)
      }
    })
  }

  /** What was let in becomes no session, unless it is one. */
  #left(accepted: Accepted): void {
    if (this.#admitted.delete(accepted)) this.#options.onLeft?.(accepted.request)
  }

  #judge(request: SessionRequest): Admission {
    if (this.#closing) return { accept: false, status: 503, reason: 'shutting down' }
    if (this.#sessions.size + this.#admitted.size >= this.limits.maxSessions) {
      this.#options.onLimit?.('sessions')
      return { accept: false, status: 503, reason: 'too many sessions' }
    }
    if (request.protocol === '') {
      const spoken = this.#options.protocols.join(', ')
      return { accept: false, status: 400, reason: `no common MoQT version; spoken: ${spoken}` }
    }
    const elsewhere = refuseTarget(this.#options.served ?? ALL_TARGETS, request)
    if (elsewhere !== null) return { accept: false, ...elsewhere }
    return this.#options.accept(request)
  }

  #refuse(event: FailsRequestEvent, request: SessionRequest, status: number, reason: string): void {
    this.#refused++
    this.#carrier.refuse(event, status, reason)
    const { kind, path, peer } = request
    this.#options.onRefused?.({ kind, path, peer, status, reason })
  }

  #onVisitor(event: VisitorEvent): void {
    const native = event.session as FailsNativeSession
    const accepted = event.userData as Accepted
    const { request, protocol } = accepted
    if (this.#closing || !this.#admitted.has(accepted) || !this.#carrier.isAlive(native)) {
      native.jsobj = NOBODY
      this.#left(accepted)
      return
    }
    this.#admitted.delete(accepted)
    const { clock } = this.#options
    let created: FailsSession | null = null
    const link = this.#carrier.link(native, () => created!)
    const session = new FailsSession(native, {
      kind: this.#carrier.kind,
      protocol,
      path: request.path,
      authority: request.authority,
      peer: request.peer,
      now: () => clock.now(),
      pressure: link ?? undefined,
      onEnded: () => {
        this.#sessions.delete(session)
        link?.close()
      },
      onFault: (error) => {
        this.#faults++
        this.#options.onFault?.(session, error)
      },
    })
    created = session
    link?.start()
    this.#accepted++
    this.#sessions.set(session, link)
    this.#options.onSession(session)
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null
  return typeof error.code === 'string' ? error.code : null
}

function explain(code: string | null, error: unknown): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'the port is in use'
    case 'EACCES':
      return 'no permission for this port'
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address'
    case 'ENOTFOUND':
      return 'the host name is not known'
    default:
      return messageOf(error)
  }
}
