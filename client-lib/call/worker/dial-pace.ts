/**
 * When a lost relay is dialled. A browser makes handshakes wait for those that failed: Chromium by
 * 10 ms, doubled for each that failed in a page within five minutes, up to a minute. So a relay that is gone
 * is not dialled again and again; whether its web server answers, where it has one, costs nothing to ask.
 */

const FIRST_PAUSE_MS = 100
const MOST_PAUSE_MS = 20_000
/** What a handshake takes on a bad path, with a repeated first packet or two, ms. */
const HANDSHAKE_MS = 3000
/** A WebSocket is only tried beside; see `connect` for how much longer it is given, ms. */
const WEBSOCKET_MS = 500
const REMEMBERED_MS = 5 * 60_000
const FIRST_WAIT_MS = 10
const MOST_WAIT_MS = 60_000

export class DialPace {
  private readonly now: () => number
  /** When handshakes failed, of the last minutes. */
  private failures: number[] = []
  private dueAt = Number.NEGATIVE_INFINITY
  private pauseMs = FIRST_PAUSE_MS
  private reachable: boolean | null = null

  /** @param now ms */
  constructor(now: () => number) {
    this.now = now
  }

  /**
   * Whether the relay is worth a handshake now.
   * @param reachable whether its web server answers; null: nobody knows
   */
  isDue(reachable: boolean | null): boolean {
    const cameBack = reachable === true && this.reachable === false
    this.reachable = reachable
    if (cameBack) this.pauseMs = FIRST_PAUSE_MS
    return cameBack || this.now() >= this.dueAt
  }

  /** How long a handshake may take before it counts as failed, ms. */
  patienceMs(way: 'webtransport' | 'websocket'): number {
    if (way === 'websocket') return WEBSOCKET_MS
    const since = this.now() - REMEMBERED_MS
    this.failures = this.failures.filter((at) => at > since)
    const wait = FIRST_WAIT_MS * 2 ** Math.min(this.failures.length, 16)
    return HANDSHAKE_MS + 1.5 * Math.min(MOST_WAIT_MS, wait)
  }

  failed(way: 'webtransport' | 'websocket'): void {
    const now = this.now()
    if (way === 'webtransport') this.failures.push(now)
    this.dueAt = now + this.pauseMs
    this.pauseMs = Math.min(MOST_PAUSE_MS, this.pauseMs * 2)
  }

  /** There is a connection, or another network: nothing is held back. */
  reset(): void {
    this.dueAt = Number.NEGATIVE_INFINITY
    this.pauseMs = FIRST_PAUSE_MS
    this.reachable = null
  }
}
