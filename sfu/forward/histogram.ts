/**
 * A histogram of fixed bounds for the hot path: an observation is a few comparisons and two
 * increments, and whoever shows it reads the numbers.
 */
export class Histogram {
  /** Upper bounds, ascending; above the last there is one bucket more. */
  readonly bounds: readonly number[]
  /** Observations in each bucket alone, not in those below it. */
  readonly counts: Float64Array
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  /** @param value in the unit of the bounds; less than zero counts as zero */
  observe(value: number): void {
    const { bounds } = this
    let bucket = 0
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++
    this.counts[bucket]!++
    if (value > 0) this.sum += value
  }

  get count(): number {
    return this.counts.reduce((sum, count) => sum + count, 0)
  }
}
