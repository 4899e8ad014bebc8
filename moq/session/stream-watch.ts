import type { Clock } from './clock.ts'

/** A stream that has begun something and must go on with it. */
export interface Watched {
  /** Set to 0 by the stream with every byte that counts; counted up by the watch. */
  idleTicks: number
  /** Nothing came for too long. */
  stalled(): void
}

/**
 * Finds streams that stall (draft-18 section 3.5, DATA_STREAM_TIMEOUT): memory that a peer controls
 * is not held forever. It looks round now and then rather than keep a timer a stream, so that a
 * stream that moves costs one assignment a chunk; a stall is found after 1 to 1.5 times the limit.
 */
export class StreamWatch {
  private readonly clock: Clock
  private readonly tickMs: number
  private readonly watched = new Set<Watched>()
  private stopTimer: (() => void) | null = null

  constructor(clock: Clock, limitMs: number) {
    this.clock = clock
    this.tickMs = limitMs / 2
  }

  add(stream: Watched): void {
    stream.idleTicks = 0
    this.watched.add(stream)
    this.stopTimer ??= this.clock.after(this.tickMs, this.tick)
  }

  remove(stream: Watched): void {
    this.watched.delete(stream)
  }

  clear(): void {
    this.watched.clear()
    this.stopTimer?.()
    this.stopTimer = null
  }

  private readonly tick = (): void => {
    this.stopTimer = null
    for (const stream of [...this.watched]) {
      if (++stream.idleTicks <= 2) continue
      this.watched.delete(stream)
      stream.stalled()
    }
    if (this.watched.size > 0) this.stopTimer ??= this.clock.after(this.tickMs, this.tick)
  }
}
