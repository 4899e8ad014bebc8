/** Pauses that are longer than a person would want. */
export interface Stalls {
  count: number
  /** Of these. */
  totalMs: number
  /** Of all pauses, also where none was too long. */
  longestMs: number
}

export function noStalls(): Stalls {
  return { count: 0, totalMs: 0, longestMs: 0 }
}

export function addStalls(to: Stalls, { count, totalMs, longestMs }: Readonly<Stalls>): void {
  to.count += count
  to.totalMs += totalMs
  to.longestMs = Math.max(to.longestMs, longestMs)
}

/** Watches something that should happen again and again: frames of sound, pictures. */
export class StallWatch {
  private readonly limitMs: number
  private lastAt: number | null = null

  /** @param limitMs a pause above it is a stall */
  constructor(limitMs: number) {
    this.limitMs = limitMs
  }

  /**
   * It happened, or measuring ends. The first time begins the watch.
   * @param stalls where a pause that ends now is entered; null for one that is not measured
   */
  note(now: number, stalls: Stalls | null): void {
    const lastAt = this.lastAt
    this.lastAt = now
    if (lastAt === null || stalls === null) return
    const pause = now - lastAt
    stalls.longestMs = Math.max(stalls.longestMs, pause)
    if (pause <= this.limitMs) return
    stalls.count++
    stalls.totalMs += pause
  }
}
