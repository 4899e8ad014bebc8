/**
 * The one interface of QUIC engines. An engine owns a UDP port, speaks QUIC, HTTP/3 and WebTransport
 * on it and hands over one `TransportSession` for each accepted MoQT session. It knows nothing of
 * media; what it may do on its own is bounded by `EngineLimits`.
 */

import {
  type CongestionControl,
  DEFAULT_QUIC_LIMITS,
  type QuicClock,
  type QuicLimits,
  type QuicLog,
} from '../../moq/transport/quiche/settings.ts'
import type { TransportSession } from '../../moq/transport/transport.ts'
import type { ServedTargets } from './target.ts'

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
  /** Told of each request that `accept` let in and that becomes no session: its client has left. */
  onLeft?(request: SessionRequest): void
  /** Told of a session that ended by a bug of ours: what its handler threw. */
  onFault?(session: TransportSession, error: unknown): void
  /** Told each time that a peer runs into a limit; for metrics. Must not throw. */
  onLimit?(limit: EngineLimitName): void
  /** What WebTransport requests may ask for; default all. Raw QUIC: see `checkSetupTarget`. */
  readonly served?: ServedTargets
  readonly log: QuicLog
  readonly clock: QuicClock
  /** Cryptographically strong random bytes. */
  randomBytes(length: number): Uint8Array
  readonly limits?: Partial<EngineLimits>
  /** Default `DEFAULT_CONGESTION_CONTROL`. */
  readonly congestionControl?: CongestionControl
  /**
   * When a client must prove its address by a QUIC Retry before it costs us state (RFC 9000,
   * Section 8.1.2). Default `under-load`.
   */
  readonly addressValidation?: 'always' | 'under-load' | 'never'
  /** Where TLS secrets are written for Wireshark; one file a connection, the name is a prefix. */
  readonly keyLogFile?: string
}

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

export interface EngineLimits extends QuicLimits {
  /** Sessions at once; one more is refused with status 503. */
  readonly maxSessions: number
  /** Connections at once that have no session yet; packets of one more are dropped. */
  readonly maxHandshakes: number
}

export const DEFAULT_LIMITS: EngineLimits = {
  ...DEFAULT_QUIC_LIMITS,
  maxSessions: 1000,
  maxHandshakes: 256,
}

/** Which limit a peer ran into; the values of the label `limit` in the metrics. */
export const ENGINE_LIMIT_NAMES = [
  /** `maxHandshakes`: a first packet was dropped. */
  'handshakes',
  /** `handshakeTimeoutMs`: a connection did not become a session in time. */
  'handshake-time',
  /** `idleTimeoutMs`: a session ended because its peer fell silent. */
  'idle-time',
  /** `maxSessions`: a session was refused. */
  'sessions',
  /** `streamBuffer` or `sessionBuffer`: a session ended because too much waited for its peer. */
  'send-buffer',
  /** `uniStreams` or `bidiStreams`: a connection ended because its peer opened more. */
  'streams',
  /** `connectionWindow` or `streamWindow`: a connection ended because its peer sent more. */
  'flow-control',
] as const

export type EngineLimitName = (typeof ENGINE_LIMIT_NAMES)[number]

/** Counters since the engine started, except where they say "now". */
export interface EngineStats {
  /** Now. */
  readonly connections: number
  /** Now: connections that are not a session yet. */
  readonly handshakes: number
  /** Now. */
  readonly sessions: number
  /** Now, in all sessions: bytes that wait to be sent or are not acknowledged. */
  readonly bytesHeld: number
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
  /** Sends that the operating system refused, and other errors of the socket. */
  readonly sendErrors: number
  /** Connections that ended by a bug of ours or of the QUIC library. */
  readonly faults: number
  /** Bytes that the kernel holds of the UDP socket, each way; null where the engine has no view of it. */
  readonly kernelBuffer: KernelBuffer | null
}

/** Of a UDP socket: what was asked for, and what the kernel gave, bytes. */
export interface KernelBuffer {
  readonly wanted: number
  readonly receive: number
  readonly send: number
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
