/**
 * How a receiver's path does, for its report to the relay: what arrived, what is missing, and how much
 * later things arrive than they could. Pure: time is passed in.
 */

/** How long the fastest object stands for the empty path, ms, in steps of `STEP_MS`. */
const WINDOW_MS = 30_000
const STEP_MS = 5000

/** Objects of one track: how much later they come than the fastest of the last half minute did. */
export class DelayTrack {
  /** ms; null: nothing came since the last `take`. */
  private smallest: number | null = null
  /** Of the newest object, ms; null before the first. */
  private latest: number | null = null
  /** The fastest of each step, the newest last. */
  private readonly steps: { readonly since: number; fastest: number }[] = []

  /** @param timestamp of capture, µs of the publisher's clock. @param now ms of ours */
  note(timestamp: number, now: number): void {
    // Of two clocks: only differences of such figures say anything.
    const delay = now - timestamp / 1000
    this.smallest = Math.min(this.smallest ?? delay, delay)
    this.latest = delay
    const step = this.steps.at(-1)
    if (step && now - step.since < STEP_MS) step.fastest = Math.min(step.fastest, delay)
    else this.steps.push({ since: now, fastest: delay })
    while (this.steps[0]!.since < now - WINDOW_MS) this.steps.shift()
  }

  /** ms, of the fastest since the last call; null: nothing came. */
  take(): number | null {
    const { smallest } = this
    if (smallest === null) return null
    this.smallest = null
    return smallest - this.fastest(smallest)
  }

  /** ms, of the newest object: how much longer than at best it was on its way; null before the first. */
  get latestMs(): number | null {
    if (this.latest === null) return null
    return this.latest - this.fastest(this.latest)
  }

  private fastest(least: number): number {
    let fastest = least
    for (const step of this.steps) fastest = Math.min(fastest, step.fastest)
    return fastest
  }
}

/** What a track counts for its receiver's reports. */
export interface ArrivalCounts {
  /** Objects since it began. */
  readonly received: number
  /** Objects that did not come by themselves, and were not left out on purpose. */
  readonly lost: number
  readonly delay: DelayTrack
}

export interface ArrivalFigures {
  readonly received: number
  readonly lost: number
  /** ms */
  readonly queueMs: number
}

/** All tracks of a receiver together. */
export class ArrivalMeter {
  private readonly before = new Map<DelayTrack, { received: number; lost: number }>()
  private queueMs = 0

  /** Of the time since the last call. */
  take(tracks: Iterable<ArrivalCounts>): ArrivalFigures {
    let received = 0
    let lost = 0
    let queueMs: number | null = null
    const known = new Set<DelayTrack>()
    for (const track of tracks) {
      const before = this.before.get(track.delay)
      received += track.received - (before?.received ?? 0)
      lost += track.lost - (before?.lost ?? 0)
      this.before.set(track.delay, { received: track.received, lost: track.lost })
      known.add(track.delay)
      // What the tracks have in common is the path: whatever else delays one of them is not meant.
      const queued = track.delay.take()
      if (queued !== null) queueMs = Math.min(queueMs ?? queued, queued)
    }
    for (const track of this.before.keys()) if (!known.has(track)) this.before.delete(track)
    // Where nothing came, nothing new is known.
    this.queueMs = queueMs ?? this.queueMs
    return { received, lost, queueMs: this.queueMs }
  }
}
