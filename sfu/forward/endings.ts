/**
 * Subgroups of which the publisher's FIN came while something of them is not yet with the transport:
 * the SUBGROUP_DELIVERY_TIMEOUT of draft-18 section 8.
 *
 * The draft's timer runs until all data is committed, which is to say acknowledged. A transport shows
 * only what it has not taken (`SendStream.buffered`), and a stream that was finished cannot be reset
 * any more. So the FIN of such a subgroup is held until the transport has taken every byte, and the
 * subgroup can be reset until then; what is lost on the path afterwards is not seen here.
 *
 * A reset that ends a stream behind its objects (section 11.4.3) is held in the same way, for it would
 * take back what the transport has not taken; with RESET_STREAM_AT it would not, but no transport has
 * that.
 */

import type { Clock } from '../../moq/session/index.ts'
import type { SubgroupFlow } from './flow.ts'
import { Heap } from './heap.ts'

/** How often held ends are looked at when nothing else is sent, ms. */
const HELD_MS = 10
/** How long a reset waits for the objects before it, ms. */
export const RESET_MS = 2000
/** How often subgroups that are over are forgotten, ms. */
const SWEEP_MS = 1000

interface Ending {
  readonly flow: SubgroupFlow
  readonly expiresAt: number
}

export interface EndingsHost {
  readonly clock: Clock
  /** The time is up and the subgroup is not over. */
  onExpired(flow: SubgroupFlow): void
  /** A held end may go, or is not needed any more: the flow is over. */
  onTaken(flow: SubgroupFlow): void
}

export class SubgroupEndings {
  private readonly host: EndingsHost
  private readonly endings = new ExpiryHeap()
  private held: SubgroupFlow[] = []
  private stopTimer: (() => void) | null = null
  private timerAt = Number.POSITIVE_INFINITY
  private sweptAt = 0

  constructor(host: EndingsHost) {
    this.host = host
  }

  /** Its time begins now. @param timeoutMs finite */
  add(flow: SubgroupFlow, timeoutMs: number): void {
    this.endings.add({ flow, expiresAt: this.host.clock.now() + timeoutMs })
    this.plan()
  }

  /** Only the FIN or the reset of the flow is still to be sent. */
  hold(flow: SubgroupFlow): void {
    this.held.push(flow)
    this.plan()
  }

  /** Lets go of the ends whose bytes were taken. */
  release(): void {
    if (this.held.length === 0) return
    const held = this.held
    this.held = held.filter((flow) => !flow.over && flow.buffered > 0)
    for (const flow of held) if (flow.over || flow.buffered === 0) this.host.onTaken(flow)
  }

  /** Wakes up when something is due, and once in a while to forget what is over. */
  private plan(): void {
    const now = this.host.clock.now()
    const { top } = this.endings
    let due = top ? Math.min(top.expiresAt, now + SWEEP_MS) : Number.POSITIVE_INFINITY
    if (this.held.length > 0) due = Math.min(due, now + HELD_MS)
    if (due >= this.timerAt) return
    this.stopTimer?.()
    this.timerAt = due
    this.stopTimer = this.host.clock.after(Math.max(0, due - now), this.onTimer)
  }

  private readonly onTimer = () => {
    this.stopTimer = null
    this.timerAt = Number.POSITIVE_INFINITY
    const now = this.host.clock.now()
    this.release()
    for (let top = this.endings.top; top && top.expiresAt <= now; top = this.endings.top) {
      this.endings.remove(0)
      if (!top.flow.over) this.host.onExpired(top.flow)
    }
    if (now - this.sweptAt >= SWEEP_MS) {
      this.sweptAt = now
      this.endings.retain(({ flow }) => !flow.over)
    }
    this.plan()
  }
}

class ExpiryHeap extends Heap<Ending> {
  protected override before(a: Ending, b: Ending): boolean {
    return a.expiresAt < b.expiresAt
  }
}
