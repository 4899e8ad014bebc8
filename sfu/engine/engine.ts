/**
 * The one interface of QUIC engines. An engine owns a UDP port, speaks QUIC, HTTP/3 and WebTransport
 * on it and hands over one `TransportSession` for each accepted MoQT session. It knows nothing of
 * media; what it may do on its own is bounded by `EngineLimits`.
 */

import type { TransportSession } from '../../moq/transport/transport.ts'

export interface Engine {
  /** `quiche` or `fails`, for logs and metrics. */
  readonly name: string
  /** Where the engine listens; the port is the real one even if 0 was asked for. */
  readonly address: EngineAddress
  stats(): EngineStats
  /**
   * Takes a new certificate for connections from now on; established ones keep theirs.
   * @throws EngineError if certificate or key cannot be used; the old pair stays
   */
  setCertificate(certificate: Certificate): void
  /** Ends every session, tells the peers and frees the port. */
  close(): Promise<void>
}

export interface EngineAddress {
  readonly host: string
  readonly port: number
}

/** PEM texts: a chain with the leaf first, and the leaf's private key. */
export interface Certificate {
  readonly certPem: string
  readonly keyPem: string
}

export interface EngineOptions {
  /** IP address to bind. */
  readonly host: string
  /** UDP port to bind, 0 for any. */
  readonly port: number
  readonly certificate: Certificate
  /** MoQT versions we speak, in order of preference, e.g. `['moqt-18']`. */
  readonly protocols: readonly string[]
  /** Decides on a session that asks to be let in. Called from the engine's loop; must not throw. */
  accept(request: SessionRequest): Admission
  /** Takes an accepted session; its `handler` is set before this returns. */
  onSession(session: TransportSession): void
  /** Told of each session that was turned away, by `accept` or by the engine itself. */
  onRefused?(refusal: Refusal): void
  readonly log: EngineLog
  readonly clock: EngineClock
  /** Cryptographically strong random bytes. */
  randomBytes(length: number): Uint8Array
  readonly limits?: Partial<EngineLimits>
  /** Default `bbr`: under pull scheduling the others take an application that paces for an idle one. */
  readonly congestionControl?: CongestionControl
  /**
   * When a client must prove its address by a QUIC Retry before it costs us state (RFC 9000,
   * Section 8.1.2). Default `under-load`.
   */
  readonly addressValidation?: 'always' | 'under-load' | 'never'
  /** Where TLS secrets are written for Wireshark; one file a connection, the name is a prefix. */
  readonly keyLogFile?: string
}

export type CongestionControl = 'bbr' | 'cubic' | 'reno'

/** A session that asks to be let in. */
export interface SessionRequest {
  readonly kind: 'webtransport' | 'quic'
  /** Path and query; `''` over raw QUIC, where MoQT's SETUP carries it. */
  readonly path: string
  /** `host:port` that the client asked for, or the TLS server name; `''` where it gave none. */
  readonly authority: string
  /** The `Origin` header, or null where there is none. */
  readonly origin: string | null
  /** MoQT versions that the client offers. */
  readonly offered: readonly string[]
  /** The offered version that we prefer; what `accept` normally answers with. */
  readonly protocol: string
  /** `host:port` of the client. */
  readonly peer: string
}

export type Admission =
  | { readonly accept: true; readonly protocol: string }
  | {
      readonly accept: false
      /** HTTP status, 400 to 599. Over raw QUIC it becomes a MoQT session termination code. */
      readonly status: number
      readonly reason: string
    }

export interface Refusal {
  readonly kind: 'webtransport' | 'quic'
  readonly path: string
  readonly peer: string
  readonly status: number
  readonly reason: string
}

export interface EngineLog {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
}

export interface EngineClock {
  /** Monotonic time, ms. */
  now(): number
}

export interface EngineLimits {
  /** Sessions at once; one more is refused with status 503. */
  readonly maxSessions: number
  /** Connections at once that have no session yet; packets of one more are dropped. */
  readonly maxHandshakes: number
  /** A connection that is silent for so long ends, ms. */
  readonly idleTimeoutMs: number
  /** Time in which a new connection must become a session, ms. */
  readonly handshakeTimeoutMs: number
  /** Streams of each kind that a peer may have open at once. */
  readonly uniStreams: number
  readonly bidiStreams: number
  /** Flow-control window of a connection and of a stream, bytes. */
  readonly connectionWindow: number
  readonly streamWindow: number
  /** Datagrams that may wait in a connection, each way. */
  readonly datagramQueue: number
  /** Bytes that one outgoing stream, and one session, may buffer before the session is ended. */
  readonly streamBuffer: number
  readonly sessionBuffer: number
  /** Largest UDP payload sent, bytes. */
  readonly udpPayload: number
}

export const DEFAULT_LIMITS: EngineLimits = {
  maxSessions: 1000,
  maxHandshakes: 256,
  idleTimeoutMs: 30_000,
  handshakeTimeoutMs: 10_000,
  uniStreams: 1024,
  bidiStreams: 256,
  connectionWindow: 16 * 1024 * 1024,
  streamWindow: 2 * 1024 * 1024,
  datagramQueue: 1024,
  streamBuffer: 16 * 1024 * 1024,
  sessionBuffer: 64 * 1024 * 1024,
  udpPayload: 1350,
}

/** Counters since the engine started, except where they say "now". */
export interface EngineStats {
  /** Now. */
  readonly connections: number
  /** Now: connections that are not a session yet. */
  readonly handshakes: number
  /** Now. */
  readonly sessions: number
  readonly sessionsAccepted: number
  readonly sessionsRefused: number
  readonly packetsReceived: number
  readonly packetsSent: number
  readonly bytesReceived: number
  readonly bytesSent: number
  /** Datagrams on the port that belong to no connection and start none. */
  readonly packetsIgnored: number
  /** Clients asked to prove their address. */
  readonly retries: number
  readonly versionNegotiations: number
  /** Sends that the operating system refused. */
  readonly sendErrors: number
}

/** What an engine reports when it cannot start or be reconfigured: one line, made to be read. */
export class EngineError extends Error {
  /** The operating system's code where there is one, such as `EADDRINUSE`. */
  readonly code: string | null

  constructor(message: string, code: string | null = null) {
    super(message)
    this.name = 'EngineError'
    this.code = code
  }
}
