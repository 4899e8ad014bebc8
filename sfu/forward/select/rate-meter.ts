/** What a track really takes, by temporal layer: bits a second of the last four seconds. */

const LAYERS = 8
const BUCKETS = 8
const BUCKET_MS = 500
/** A measure is worth something after so long, ms. */
const MIN_MS = 1000
/** A track that is silent for so long is not measured any more, ms. */
const SILENCE_MS = 2000

export class RateMeter {
  private readonly bytes = new Float64Array(LAYERS * BUCKETS)
  private newest = 0
  private begunAt = Number.NaN
  private lastAt = Number.NEGATIVE_INFINITY
  private layers = 0

  /**
   * For each object that arrives; allocates nothing.
   * @param temporal layer, 0..7
   */
  add(temporal: number, bytes: number, now: number): void {
    if (now - this.lastAt > SILENCE_MS) this.restart(now)
    this.turn(now)
    this.lastAt = now
    if (temporal >= this.layers) this.layers = Math.min(temporal + 1, LAYERS)
    const at = (this.newest % BUCKETS) * LAYERS + Math.min(temporal, LAYERS - 1)
    this.bytes[at] = this.bytes[at]! + bytes
  }

  /**
   * Bits a second with one temporal layer, with two, and so on; null while there is nothing to go by.
   */
  cumulative(now: number): number[] | null {
    this.turn(now)
    const age = now - this.begunAt
    if (!(age >= MIN_MS) || now - this.lastAt > SILENCE_MS) return null
    // Whole buckets, but for the one that is being filled.
    const span = Math.min(age, (BUCKETS - 1) * BUCKET_MS + (now % BUCKET_MS))
    const rates: number[] = []
    let sum = 0
    for (let layer = 0; layer < this.layers; layer++) {
      for (let at = layer; at < this.bytes.length; at += LAYERS) sum += this.bytes[at]!
      rates.push((sum * 8000) / span)
    }
    return rates
  }

  /** How much of the time that it looks back to was measured, 0..1: a track begins with its largest picture. */
  share(now: number): number {
    return Math.min(1, (now - this.begunAt) / (BUCKETS * BUCKET_MS))
  }

  private restart(now: number): void {
    this.bytes.fill(0)
    this.begunAt = now
    this.newest = Math.floor(now / BUCKET_MS)
    this.layers = 0
  }

  private turn(now: number): void {
    const bucket = Math.floor(now / BUCKET_MS)
    for (let passed = Math.min(BUCKETS, bucket - this.newest); passed > 0; passed--) {
      this.newest++
      const from = (this.newest % BUCKETS) * LAYERS
      this.bytes.fill(0, from, from + LAYERS)
    }
    if (bucket > this.newest) this.newest = bucket
  }
}
