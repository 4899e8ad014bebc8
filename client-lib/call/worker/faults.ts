/** Between two that are told of one thing, ms. */
const QUIET_MS = 10_000
const MOST_THINGS = 200

/**
 * Faults that what one participant sends brings about: they are told, and stop nothing but what it was.
 * As one may come with every object, each thing is told of seldom.
 */
export class Faults {
  private readonly now: () => number
  private readonly onBug: (error: unknown) => void
  private readonly toldAt = new Map<string, number>()

  /** @param now ms, monotonic */
  constructor(now: () => number, onBug: (error: unknown) => void) {
    this.now = now
    this.onBug = onBug
  }

  /** @param what of whom, e.g. the name of a track */
  tell(what: string, error: unknown): void {
    const now = this.now()
    if (now - (this.toldAt.get(what) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return
    this.toldAt.delete(what)
    this.toldAt.set(what, now)
    const [oldest] = this.toldAt.keys()
    if (this.toldAt.size > MOST_THINGS) this.toldAt.delete(oldest!)
    this.onBug(
      new Error(`${what}: ${error instanceof Error ? error.message : error}`, { cause: error }),
    )
  }
}
