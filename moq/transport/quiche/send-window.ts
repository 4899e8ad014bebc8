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
    const left = this.left(open) * (1 - HEADERS_SHARE) - RESERVE
    return Math.max(MIN_GRANT, Math.floor(left - this.#native.dgramSendQueueByteSize()))
  }

  /**
   * Bytes that the congestion window still takes. quiche tells it only as the capacity of a stream,
   * which may also be small because the peer does not read that one: the largest of a few counts,
   * and where two say the same, it is no stream's own. The window itself, which is dearer to ask for,
   * bounds it: quiche answers with more when it is to probe after a loss.
   */
  left(open: ReadonlyMap<number, QuicSendStream>): number {
    let left = -1
    let probes = PROBES
    for (const id of open.keys()) {
      if (probes-- === 0) break
      try {
        const capacity = this.#native.streamCapacity(id)
        if (capacity === left && left > 0) break
        left = Math.max(left, capacity)
      } catch {
        // Stopped: the next look for stops finds it.
      }
    }
    if (left >= 0 && left <= this.path.last.cwnd) return left
    const { cwnd } = this.path.stats
    return left < 0 ? cwnd : Math.min(left, cwnd)
  }
}
