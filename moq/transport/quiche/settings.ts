/** What both ends of a QUIC connection can be set to, and what they ask of the world around them. */

export type CongestionControl = 'bbr' | 'cubic' | 'reno'

/** Under pull scheduling the others take an application that paces itself for an idle one. */
export const DEFAULT_CONGESTION_CONTROL: CongestionControl = 'bbr'

/** What one connection may cost; units are bytes and ms. */
export interface QuicLimits {
  /** A connection that is silent for so long ends, ms. */
  readonly idleTimeoutMs: number
  /** Time in which a new connection must become a session, ms. */
  readonly handshakeTimeoutMs: number
  /** Streams of each kind that a peer may have open at once. */
  readonly uniStreams: number
  readonly bidiStreams: number
  /**
   * Flow-control window of a connection and of a stream, bytes: what a peer may send while nobody
   * reads, and so what it may cost in memory.
   */
  readonly connectionWindow: number
  readonly streamWindow: number
  /** Datagrams that may wait in a connection, each way. */
  readonly datagramQueue: number
  /** Bytes that may wait in one outgoing stream; one more ends the session. */
  readonly streamBuffer: number
  /** Bytes of a session that may wait or be unacknowledged; one more ends it. */
  readonly sessionBuffer: number
  /** Largest UDP payload sent, bytes. */
  readonly udpPayload: number
}

export const DEFAULT_QUIC_LIMITS: QuicLimits = {
  idleTimeoutMs: 30_000,
  handshakeTimeoutMs: 10_000,
  uniStreams: 1024,
  bidiStreams: 256,
  connectionWindow: 4 * 1024 * 1024,
  streamWindow: 1024 * 1024,
  datagramQueue: 1024,
  streamBuffer: 16 * 1024 * 1024,
  sessionBuffer: 64 * 1024 * 1024,
  udpPayload: 1350,
}

export interface QuicLog {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
}

export interface QuicClock {
  /** Monotonic time, ms. */
  now(): number
}

/** What is agreed on in a handshake, and how it is sent. */
export interface QuicSettings {
  /** In order of preference. */
  readonly alpn: readonly string[]
  readonly limits: QuicLimits
  readonly congestionControl: CongestionControl
  /** Whether the secrets of connections may be written (`NativeConnection.setKeylog`). */
  readonly logKeys: boolean
}
