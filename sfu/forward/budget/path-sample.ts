/** How a subscriber's path is now, whoever told it: the engine or the receiver. */
export interface PathSample {
  /** ms */
  readonly at: number
  /** Bits a second that arrived of late, by the best of the last three looks. */
  readonly deliveryRate: number
  /** Bits a second that arrived by the engine's or the receiver's own word, which may be off for a moment. */
  readonly toldRate: number
  /** Bits a second that arrived for sure: by the worst of three looks, and not more than was sent. */
  readonly arrivedRate: number
  /** Bits a second that were handed to the transport of late, padding among them. */
  readonly sendRate: number
  /** Length of the stretch that the two rates are taken over, ms. */
  readonly windowMs: number
  /** Smoothed round-trip time, ms. */
  readonly rttMs: number
  /** How much longer packets travel than the fastest of the last half minute, ms. */
  readonly queueMs: number
  /** Whether a queue would show in `queueMs` at all. */
  readonly seesQueue: boolean
  /** Share of packets lost in the last second, 0..1. */
  readonly lossShare: number
  /**
   * How much longer the oldest packet that is not acknowledged has been out than the fastest round
   * trip takes, ms: it tells of a queue before a smoothed round trip does. 0 where it is not known.
   */
  readonly standingMs: number
  /** Bytes that arrived since the session began, about; 0 where it is not known. */
  readonly arrivedBytes: number
  /** Whether media waits for the transport to have room. */
  readonly waiting: boolean
}
