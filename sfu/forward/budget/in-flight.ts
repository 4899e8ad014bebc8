/** How long what was out before the window shrank is taken to be out still, ms. */
const MEMORY_MS = 1000

/**
 * Bytes in flight, of an engine that tells them by what is left of its congestion window: it tells no
 * more than the window, also when that has just shrunk below what is out. BBR does so each ten seconds,
 * to look at the empty path. Then what was out before counts, until the engine has room again.
 */
export class InFlight {
  private known = 0
  private knownAt = Number.NEGATIVE_INFINITY

  /** @param told bytes, by the engine. @param now ms */
  look(told: number, congestionWindow: number, now: number): number {
    const isFull = told === congestionWindow
    if (isFull && told < this.known && now - this.knownAt < MEMORY_MS) return this.known
    this.known = told
    this.knownAt = now
    return told
  }
}
