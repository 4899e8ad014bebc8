/** What forwarding counts; plain numbers that the hot path increments. */
export interface ForwardCounters {
  readonly objects: { received: number; sent: number }
  /** Payload bytes. */
  readonly bytes: { received: number; sent: number }
  /** Objects sent, by what carried them. */
  readonly forwarded: { stream: number; datagram: number }
  readonly drops: {
    /** Past its latency budget. */
    deadline: number
    /** An enhancement datagram that the path did not take. */
    congestion: number
    /** The subscriber's queue was full. */
    overflow: number
    /** It waited when the subscriber was given another rendition, or none. */
    selection: number
    /** Its publisher sent more than it may. */
    policing: number
  }
  /** New groups asked of publishers. */
  keyFrameRequests: number
}
