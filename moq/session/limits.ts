/** What one peer may cost us. Sane for a call; a relay passes its own from its configuration. */
export interface SessionLimits {
  /** Largest object taken, properties and payload, bytes; a larger one costs its stream. */
  readonly maxObjectBytes: number
  /**
   * Properties of an object, or of a track, bytes. More costs the object's stream or datagram, or the
   * request that the track's properties came with.
   */
  readonly maxPropertiesBytes: number
  /** Full track name or namespace, bytes; more costs the request. The draft's bound is 4096. */
  readonly maxNameBytes: number
  /**
   * The peer's requests open at the same time, with those that it has only begun; one more is refused
   * with EXCESSIVE_LOAD.
   */
  readonly maxRequests: number
  /**
   * Bytes a second, and at once, of control and request streams. A peer that sends more is read more
   * slowly: flow control makes it wait.
   */
  readonly controlBytesPerSecond: number
  readonly controlBurstBytes: number
  /** Unidirectional streams of the peer's open at the same time; one more is stopped. */
  readonly maxDataStreams: number
  /** Streams and datagrams whose track alias is not known yet: how many, and for how long (ms). */
  readonly earlyStreams: number
  readonly earlyDatagrams: number
  readonly earlyMs: number
  /** Time for the peer's SETUP, ms. */
  readonly setupMs: number
  /**
   * Time, ms, for what a stream has begun. A data stream without its header ends the session with
   * DATA_STREAM_TIMEOUT (section 3.5); one that brings nothing more of an object is stopped, and so is
   * a request stream without its request.
   */
  readonly dataStreamMs: number
  /** Bytes of answers that a peer may leave unread on one request before it is cancelled. */
  readonly maxUnreadRequestBytes: number
  /**
   * The peer's REQUEST_UPDATEs unanswered on one stream, where the draft has MAX_REQUEST_UPDATES
   * (draft-19 section 10.3.1.7), which tells the peer; one more ends the session.
   */
  readonly maxRequestUpdates: number
}

/** The limit that a peer hit, for `SessionHandler.onLimit`: the name of its field. */
export type SessionLimitName =
  | 'maxObjectBytes'
  | 'maxPropertiesBytes'
  | 'maxNameBytes'
  | 'maxRequests'
  | 'controlBytesPerSecond'
  | 'maxDataStreams'
  | 'earlyStreams'
  | 'earlyDatagrams'
  | 'setupMs'
  | 'dataStreamMs'
  | 'maxUnreadRequestBytes'
  | 'maxRequestUpdates'

/** Limits of a session where `SessionOptions` names no others. */
export const DEFAULT_LIMITS: SessionLimits = {
  maxObjectBytes: 8 * 1024 * 1024,
  maxPropertiesBytes: 16 * 1024,
  maxNameBytes: 4096,
  maxRequests: 2000,
  controlBytesPerSecond: 1024 * 1024,
  controlBurstBytes: 4 * 1024 * 1024,
  maxDataStreams: 4096,
  earlyStreams: 128,
  earlyDatagrams: 256,
  earlyMs: 2000,
  setupMs: 10_000,
  dataStreamMs: 15_000,
  maxUnreadRequestBytes: 1024 * 1024,
  maxRequestUpdates: 64,
}
