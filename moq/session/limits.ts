/** What one peer may cost us. Sane for a call; a relay passes its own from its configuration. */
export interface SessionLimits {
  /** Largest object taken, bytes; a larger one costs its stream. */
  readonly maxObjectBytes: number
  /** The peer's requests open at the same time; one more is refused with EXCESSIVE_LOAD. */
  readonly maxRequests: number
  /** Streams and datagrams whose track alias is not known yet: how many, and for how long (ms). */
  readonly earlyStreams: number
  readonly earlyDatagrams: number
  readonly earlyMs: number
  /** Time for the peer's SETUP, ms. */
  readonly setupMs: number
  /** Bytes of answers that a peer may leave unread on one request before it is cancelled. */
  readonly maxUnreadRequestBytes: number
}

export const DEFAULT_LIMITS: SessionLimits = {
  maxObjectBytes: 8 * 1024 * 1024,
  maxRequests: 2000,
  earlyStreams: 128,
  earlyDatagrams: 256,
  earlyMs: 2000,
  setupMs: 10_000,
  maxUnreadRequestBytes: 1024 * 1024,
}
