import type { Congestion } from '../../moq/transport/transport.ts'
import type { ProbeResult } from '../forward/budget/index.ts'
import { Histogram } from '../forward/histogram.ts'

/** What happened on the paths to all subscribers since the start. */
export interface PathTally {
  /** Bytes of padding sent. */
  paddingBytes: number
  /** Probes, by how they ended. */
  readonly probes: Record<ProbeResult, number>
  /** For how long media was held back, of all subscribers together, ms. */
  heldMs: number
  /** For how long media waited for a transport to have room, of all subscribers together, ms. */
  windowLimitedMs: number
  /** Packets that transports found lost, of those that carried the media. */
  lostPackets: number
  /** Smoothed round-trip times, ms: of each path that is in use at most one a second. */
  readonly rtt: Histogram
}

/** Upper bounds of `PathTally.rtt`, ms. */
const RTT_BOUNDS: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 1000, 2000]

export function makePathTally(): PathTally {
  return {
    paddingBytes: 0,
    probes: { success: 0, progress: 0, full: 0, nothing: 0 },
    heldMs: 0,
    windowLimitedMs: 0,
    lostPackets: 0,
    rtt: new Histogram(RTT_BOUNDS),
  }
}

/** Time between two looks at a path that counts, ms: after a longer pause nothing is known of it. */
const MOST_BETWEEN_MS = 200
const RTT_INTERVAL_MS = 1000

/** Takes into the tally what the looks at one path show. */
export class PathMeter {
  private readonly tally: PathTally
  private lookedAt = Number.NEGATIVE_INFINITY
  private rttAt = Number.NEGATIVE_INFINITY
  private lost = 0

  constructor(tally: PathTally) {
    this.tally = tally
  }

  /**
   * @param now ms
   * @param waits media waits for the transport to have room
   */
  look(now: number, congestion: Congestion | null, waits: boolean): void {
    if (waits) {
      const between = now - this.lookedAt
      if (between < MOST_BETWEEN_MS) this.tally.windowLimitedMs += between
    }
    this.lookedAt = now
    if (congestion === null) return
    const { lostPackets, rttMs } = congestion
    if (lostPackets > this.lost) {
      this.tally.lostPackets += lostPackets - this.lost
      this.lost = lostPackets
    }
    if (now - this.rttAt < RTT_INTERVAL_MS) return
    this.rttAt = now
    this.tally.rtt.observe(rttMs)
  }
}
