/**
 * How many bytes may be given to quiche now. What it has taken can no longer be reordered or
 * dropped, so it gets only what it will send at once: the rest waits with us, or better with the
 * relay's scheduler.
 */

import type { NativeConnection } from './binding.ts'
import type { PathView } from './path-view.ts'
import type { QuicSendStream } from './streams.ts'

/**
 * quiche counts stream bytes against its window, while packets also carry headers and repeats. Were
 * it given all that it takes, a backlog would grow inside it; this much is left for the difference.
 */
const HEADERS_SHARE = 0.05
const RESERVE = 2000

/** Given in any case, so that nothing can stall for good; bytes. */
const MIN_GRANT = 600

/** Open streams that are asked for the window. */
const PROBES = 4

export class SendWindow {
  readonly path: PathView
  #native: NativeConnection

  constructor(native: NativeConnection, path: PathView) {
    this.#native = native
    this.path = path
  }

  /**
   * Bytes of streams that quiche may be given now.
   * @param open the open streams
   */
  grant(open: ReadonlyMap<number, QuicSendStream>): number {
    const left = this.left(open, this.path.stats.cwnd) * (1 - HEADERS_SHARE) - RESERVE
    return Math.max(MIN_GRANT, Math.floor(left - this.#native.dgramSendQueueByteSize()))
  }

  /**
   * Bytes that the congestion window still takes. quiche tells it only as the capacity of a stream,
   * which may also be small because the peer does not read that one: the largest of a few counts.
   */
  left(open: ReadonlyMap<number, QuicSendStream>, window: number): number {
    let left = -1
    let probes = PROBES
    for (const id of open.keys()) {
      if (probes-- === 0 || left >= window) break
      try {
        left = Math.max(left, this.#native.streamCapacity(id))
      } catch {
        // Stopped: the next look for stops finds it.
      }
    }
    return left < 0 ? window : Math.min(left, window)
  }
}
