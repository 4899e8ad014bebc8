/**
 * When an endpoint that only receives sends its acknowledgements. An acknowledgement a packet costs
 * both ends about as much as the packet itself, so one answers two (RFC 9000, Section 13.2.2), and a
 * single packet waits for a second one, though not for long (Section 13.2.1). quiche itself would
 * acknowledge whenever it is asked for packets.
 */

/** Packets that are acknowledged at once. */
const AT_ONCE = 2

/** How long one packet may wait, ms; peers reckon with `max_ack_delay`, which is 25 ms. */
const MAX_DELAY_MS = 20

/**
 * Until so long after the last thing that was sent, acknowledgements may be what the next packets
 * wait for, or retransmissions: then nothing waits. Round trips, and ms at least.
 */
const QUIET_ROUND_TRIPS = 3
const MIN_QUIET_MS = 50

export class AckPolicy {
  /** When an acknowledgement that waits is due, ms; Infinity while none does. */
  dueAt = Number.POSITIVE_INFINITY
  #received = 0
  #wroteAt = Number.NEGATIVE_INFINITY

  /** A packet came. */
  received(): void {
    this.#received++
  }

  /**
   * Whether packets have to be sent now.
   * @param wrote whether there may be more to send than acknowledgements
   * @param rtt smoothed round-trip time, ms
   */
  mustSend(now: number, wrote: boolean, rtt: () => number): boolean {
    if (wrote) this.#wroteAt = now
    else if (this.#mayWait(now, rtt)) {
      if (this.#received > 0 && this.dueAt > now + MAX_DELAY_MS) this.dueAt = now + MAX_DELAY_MS
      return false
    }
    this.#received = 0
    this.dueAt = Number.POSITIVE_INFINITY
    return true
  }

  #mayWait(now: number, rtt: () => number): boolean {
    if (this.#received >= AT_ONCE || now >= this.dueAt) return false
    const quietFor = now - this.#wroteAt
    return quietFor >= MIN_QUIET_MS && quietFor >= QUIET_ROUND_TRIPS * rtt()
  }
}
