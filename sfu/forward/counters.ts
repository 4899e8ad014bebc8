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
  /** A receiver was given a larger rendition of a picture, or a smaller one. */
  readonly renditionSwitches: { up: number; down: number }
  /** A receiver was given more temporal layers of the same rendition, or fewer. */
  readonly layerChanges: { up: number; down: number }
  /** New groups asked of publishers. */
  keyFrameRequests: number
}
