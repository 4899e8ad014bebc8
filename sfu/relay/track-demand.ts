import { MAX_LAYERS } from '../../moq/media/index.ts'
import type { Clock } from '../../moq/session/index.ts'

/** A publisher is told to stop when nobody has chosen its rendition for so long, ms. */
const PATIENCE_MS = 5000

/**
 * How much of a track its subscribers take, those whose choice is the relay's among them. A rendition
 * that is chosen for none of them need not come from its publisher at all, after a while.
 */
export class TrackDemand {
  private readonly clock: Clock
  private readonly onIdle: () => void
  /** Of the subscriptions that want objects, how many take so many temporal layers. */
  private readonly counts: number[] = new Array(MAX_LAYERS + 1).fill(0)
  private most = 0
  private idle = false
  private stopTimer: (() => void) | null = null

  /** @param onIdle `wantsObjects` became false by the time alone */
  constructor(clock: Clock, onIdle: () => void) {
    this.clock = clock
    this.onIdle = onIdle
  }

  /** Temporal layers that somebody takes, from the base up; 0: nobody takes anything. */
  get layers(): number {
    return this.most
  }

  /** Whether objects are to come: they are taken, or were a moment ago. */
  get wantsObjects(): boolean {
    return this.most > 0 || (this.counts[0]! > 0 && !this.idle)
  }

  /**
   * A subscription takes another number of layers.
   * @param before -1: it was not there, or wanted no objects (Forward State 0)
   * @param after -1: it is not there any more, or wants none
   */
  change(before: number, after: number): void {
    if (before >= 0) this.counts[before]!--
    if (after >= 0) this.counts[after]!++
    this.most = this.counts.findLastIndex((count, layers) => layers === 0 || count > 0)
    if (this.most > 0 || this.counts[0] === 0) {
      this.idle = false
      this.close()
    } else if (!this.idle) this.wait()
  }

  close(): void {
    this.stopTimer?.()
    this.stopTimer = null
  }

  private wait(): void {
    this.stopTimer ??= this.clock.after(PATIENCE_MS, () => {
      this.stopTimer = null
      this.idle = true
      this.onIdle()
    })
  }
}
