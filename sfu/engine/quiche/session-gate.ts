/** Turns connections into sessions: reads the ALPN, asks the relay, hands over, and keeps count. */

import type { Connection } from '../../../moq/transport/quiche/connection.ts'
import { RawApplication } from '../../../moq/transport/quiche/raw.ts'
import type { QuicSession } from '../../../moq/transport/quiche/session.ts'
import type { Admission, EngineLimits, EngineOptions, SessionRequest } from '../engine.ts'
import { ALL_TARGETS, refuseTarget } from '../target.ts'
import { type ConnectAnswer, type ConnectRequest, Http3Server } from './http3-server.ts'
import { limitOf } from './limit-of.ts'

/** MoQT session termination codes (draft-18, Termination). */
const INTERNAL_ERROR = 0x1
const UNAUTHORIZED = 0x2

export class SessionGate {
  readonly sessions = new Set<QuicSession>()
  /** Connections that have not become a session yet. */
  readonly young = new Set<Connection>()
  accepted = 0
  refused = 0
  #options: EngineOptions
  #limits: EngineLimits
  #byConnection = new Map<Connection, QuicSession>()

  constructor(options: EngineOptions, limits: EngineLimits) {
    this.#options = options
    this.#limits = limits
  }

  /** The handshake is done: gives the connection what speaks over it. */
  established(connection: Connection): void {
    const alpn = new TextDecoder().decode(connection.native.applicationProto())
    if (alpn === 'h3') {
      connection.application = new Http3Server(connection, () => this.#options.clock.now(), {
        decide: (asking, request) => this.#decideConnect(asking, request),
        enter: (session) => this.#enter(connection, session),
        leave: () => this.ended(connection),
      })
      return
    }
    this.#enterRaw(connection, alpn)
  }

  /** Bytes that wait to be sent or are not acknowledged, in all sessions. */
  get bytesHeld(): number {
    let bytes = 0
    for (const connection of this.#byConnection.keys()) bytes += connection.outflow.held
    return bytes
  }

  /** The session of a connection is over, or the connection is. */
  ended(connection: Connection): void {
    const wasYoung = this.young.delete(connection)
    const session = this.#byConnection.get(connection)
    if (session !== undefined) {
      this.#byConnection.delete(connection)
      this.sessions.delete(session)
    } else if (!wasYoung) {
      return
    }
    const limit = limitOf(connection, session !== undefined)
    if (limit !== null) this.#options.onLimit?.(limit)
  }

  #enterRaw(connection: Connection, alpn: string): void {
    const admission = this.#decide({
      kind: 'quic',
      path: '',
      authority: connection.native.serverName() ?? '',
      origin: null,
      offered: [alpn],
      protocol: alpn,
      peer: connection.peerName,
    })
    if (!admission.accept) {
      const code = admission.status < 500 ? UNAUTHORIZED : INTERNAL_ERROR
      connection.close(true, code, admission.reason)
      return
    }
    const application = new RawApplication(connection, alpn, '', () => this.ended(connection))
    connection.application = application
    this.#enter(connection, application.session)
  }

  #decideConnect(connection: Connection, request: ConnectRequest): ConnectAnswer {
    const { protocols } = this.#options
    const asked = { ...request, kind: 'webtransport' as const, peer: connection.peerName }
    const protocol = protocols.find((ours) => request.offered.includes(ours))
    if (protocol === undefined) {
      const reason = `no MoQT version in common: wt-available-protocols must offer ${protocols.join(' or ')}`
      return this.#refuse({ ...asked, protocol: '' }, 400, reason)
    }
    const elsewhere = refuseTarget(this.#options.served ?? ALL_TARGETS, request)
    if (elsewhere !== null) {
      return this.#refuse({ ...asked, protocol }, elsewhere.status, elsewhere.reason)
    }
    const admission = this.#decide({ ...asked, protocol })
    if (!admission.accept) return admission
    return { ...admission, path: request.path, authority: request.authority }
  }

  #decide(request: SessionRequest): Admission {
    if (this.sessions.size >= this.#limits.maxSessions) {
      this.#options.onLimit?.('sessions')
      return this.#refuse(request, 503, 'the relay is full')
    }
    const admission = this.#options.accept(request)
    return admission.accept ? admission : this.#refuse(request, admission.status, admission.reason)
  }

  #refuse(request: SessionRequest, status: number, reason: string) {
    this.refused++
    const { kind, path, peer } = request
    this.#options.onRefused?.({ kind, path, peer, status, reason })
    return { accept: false as const, status, reason }
  }

  #enter(connection: Connection, session: QuicSession): void {
    this.accepted++
    this.young.delete(connection)
    this.sessions.add(session)
    this.#byConnection.set(connection, session)
    this.#options.onSession(session)
  }
}
