/** Percentiles of a few figures, by nearest rank. */

export interface Percentiles {
  /** How many there are. */
  readonly count: number
  readonly p50: number | null
  readonly p95: number | null
  readonly max: number | null
}

export function percentilesOf(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), max: sorted.at(-1) ?? null }
}
