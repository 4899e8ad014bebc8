/** Buckets of one power of two: a value is known to within 1/64 of itself. */
const STEPS = 64
const LEAST_POWER = -6
const MOST_POWER = 20
const BUCKETS = (MOST_POWER - LEAST_POWER) * STEPS + 1

/** What crosses between processes: pairs of bucket and count. */
export interface HistogramData {
  readonly max: number
  readonly buckets: readonly (readonly [bucket: number, count: number])[]
}

/**
 * Times in ms, counted in buckets that grow with the value: any number of them take the same memory,
 * and histograms of several processes add up without loss.
 */
export class Histogram {
  private readonly counts = new Uint32Array(BUCKETS)
  private total = 0
  private largest = 0

  static from(data: HistogramData): Histogram {
    const histogram = new Histogram()
    histogram.add(data)
    return histogram
  }

  get count(): number {
    return this.total
  }

  /** Exact; 0 when nothing was recorded. */
  get max(): number {
    return this.largest
  }

  record(ms: number): void {
    this.counts[bucketOf(ms)]!++
    this.total++
    if (ms > this.largest) this.largest = ms
  }

  add({ max, buckets }: HistogramData): void {
    for (const [bucket, count] of buckets) {
      this.counts[bucket]! += count
      this.total += count
    }
    this.largest = Math.max(this.largest, max)
  }

  /** The time that this share of all stays below or at; null when nothing was recorded. @param share 0..1 */
  percentile(share: number): number | null {
    if (this.total === 0) return null
    const rank = Math.max(1, Math.ceil(share * this.total))
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.counts[bucket]!
      if (seen >= rank) return Math.min(this.largest, upperEnd(bucket))
    }
    return this.largest
  }

  /** Share of times at or below each, ascending. */
  distribution(): readonly (readonly [ms: number, share: number])[] {
    const points: (readonly [number, number])[] = []
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = this.counts[bucket]!
      if (count === 0) continue
      seen += count
      points.push([Math.min(this.largest, upperEnd(bucket)), seen / this.total])
    }
    return points
  }

  toData(): HistogramData {
    const buckets: [number, number][] = []
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = this.counts[bucket]!
      if (count > 0) buckets.push([bucket, count])
    }
    return { max: this.largest, buckets }
  }
}

function bucketOf(ms: number): number {
  if (!(ms >= 2 ** LEAST_POWER)) return 0
  const power = Math.min(Math.floor(Math.log2(ms)), MOST_POWER - 1)
  const step = Math.min(STEPS - 1, Math.floor((ms / 2 ** power - 1) * STEPS))
  return 1 + (power - LEAST_POWER) * STEPS + Math.max(0, step)
}

function upperEnd(bucket: number): number {
  if (bucket === 0) return 2 ** LEAST_POWER
  const power = Math.floor((bucket - 1) / STEPS) + LEAST_POWER
  return 2 ** power * (1 + (((bucket - 1) % STEPS) + 1) / STEPS)
}
