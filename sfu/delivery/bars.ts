/** Who may not commit for a while, because members could not apply what it committed. */
export class Bars {
  private readonly bars = new Map<string, { times: number; until: number }>()
  private readonly firstMs: number
  private readonly mostMs: number

  /** @param firstMs doubles with each time, up to `mostMs` */
  constructor(firstMs: number, mostMs: number) {
    this.firstMs = firstMs
    this.mostMs = mostMs
  }

  put(participant: string, now: number): void {
    const times = (this.bars.get(participant)?.times ?? 0) + 1
    const ms = Math.min(this.mostMs, this.firstMs * 2 ** (times - 1))
    this.bars.set(participant, { times, until: now + ms })
  }

  /** ms that are left; 0 when it may commit. */
  left(participant: string, now: number): number {
    return Math.max(0, (this.bars.get(participant)?.until ?? 0) - now)
  }

  /** Forgets those whose bar was over for as long as the longest lasts. */
  sweep(now: number): void {
    for (const [id, { until }] of this.bars) if (now - until >= this.mostMs) this.bars.delete(id)
  }

  get size(): number {
    return this.bars.size
  }
}
