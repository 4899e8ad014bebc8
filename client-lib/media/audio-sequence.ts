/**
 * Puts audio frames back in order. Groups come on streams of their own and so overtake each other;
 * the decoder wants frames in sequence. A frame waits for a missing one until a bound, then goes on
 * without it; the gap stays visible in the timestamps. Pure: the clock is passed in.
 */

export interface AudioObject {
  readonly group: number
  readonly object: number
  /** Wall-clock µs of the first sample. */
  readonly timestamp: number
  /** Plaintext: one Opus packet. */
  readonly payload: Uint8Array
}

export interface AudioSequenceOptions {
  /** ms, monotonic. */
  readonly now: () => number
  readonly onFrame: (frame: AudioObject) => void
  /** How long frames wait for one missing before them; ms, default 60. */
  readonly reorderMs?: number
  /** Duration of a frame; µs, default 20,000. */
  readonly frameDuration?: number
}

interface Waiting {
  readonly frame: AudioObject
  readonly at: number
}

const MAX_WAITING = 64

export class AudioSequence {
  /** `missing`: frames that did not come in time, as far as their numbers tell. */
  readonly counters = { released: 0, late: 0, duplicate: 0, gaps: 0, missing: 0 }
  private readonly options: AudioSequenceOptions
  private readonly reorderMs: number
  private readonly contiguous: number
  private readonly waiting: Waiting[] = []
  private last: AudioObject | null = null

  constructor(options: AudioSequenceOptions) {
    this.options = options
    this.reorderMs = options.reorderMs ?? 60
    this.contiguous = 1.5 * (options.frameDuration ?? 20_000)
  }

  push(frame: AudioObject): void {
    if (this.last !== null && comparePlace(frame, this.last) <= 0) {
      this.counters.late++
      return
    }
    let at = this.waiting.length
    while (at > 0 && comparePlace(this.waiting[at - 1]!.frame, frame) > 0) at--
    const before = this.waiting[at - 1]
    if (before && comparePlace(before.frame, frame) === 0) {
      this.counters.duplicate++
      return
    }
    this.waiting.splice(at, 0, { frame, at: this.options.now() })
    this.poll()
  }

  /** Releases what has become due. To be called at `nextDeadline`. */
  poll(): void {
    const now = this.options.now()
    while (this.waiting.length > 0) {
      const head = this.waiting[0]!.frame
      const next = this.isNext(head)
      const due = this.waitingSince() + this.reorderMs <= now || this.waiting.length > MAX_WAITING
      if (!next && !due) return
      if (!next) this.counters.gaps++
      this.counters.missing += this.missingBefore(head)
      this.waiting.shift()
      this.last = head
      this.counters.released++
      this.options.onFrame(head)
    }
  }

  /** On the clock given; null when nothing waits. */
  nextDeadline(): number | null {
    return this.waiting.length === 0 ? null : this.waitingSince() + this.reorderMs
  }

  private waitingSince(): number {
    let since = Number.POSITIVE_INFINITY
    for (const { at } of this.waiting) since = Math.min(since, at)
    return since
  }

  /** At least: how many frames a group had, its numbers do not tell. */
  private missingBefore({ group, object }: AudioObject): number {
    const { last } = this
    if (last === null) return 0
    if (group === last.group) return object - last.object - 1
    return group - last.group - 1 + object
  }

  /** Ids tell within a group; how long the group before was, only the timestamps tell. */
  private isNext(frame: AudioObject): boolean {
    const last = this.last
    if (last === null) return true
    if (frame.group === last.group) return frame.object === last.object + 1
    return (
      frame.group === last.group + 1 &&
      frame.object === 0 &&
      frame.timestamp - last.timestamp <= this.contiguous
    )
  }
}

function comparePlace(a: AudioObject, b: AudioObject): number {
  return a.group - b.group || a.object - b.object
}
