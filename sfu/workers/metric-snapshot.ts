/** The metrics of a process as `Registry.getMetricsAsJSON` of prom-client gives them. */

import { z } from 'zod'

const sampleSchema = z.looseObject({
  labels: z.record(z.string(), z.union([z.string(), z.number()])),
  /** May be infinite, or none. */
  value: z.custom<number>((value) => typeof value === 'number'),
  /** Of a histogram, with its suffix. */
  metricName: z.string().optional(),
})

export const metricSnapshotSchema = z.array(
  z.looseObject({
    name: z.string(),
    help: z.string(),
    type: z.string(),
    /** How those of several processes are merged. */
    aggregator: z.string(),
    values: z.array(sampleSchema),
  }),
)

export type MetricSnapshot = z.infer<typeof metricSnapshotSchema>
export type SnapshotMetric = MetricSnapshot[number]
type Sample = SnapshotMetric['values'][number]

/** What only grows: counters and histograms. */
export function growing(snapshot: MetricSnapshot): MetricSnapshot {
  return snapshot.filter(({ type }) => type === 'counter' || type === 'histogram')
}

/** Sums of samples with the same name and labels. */
export function sumOf(a: MetricSnapshot, b: MetricSnapshot): MetricSnapshot {
  const sums = new Map<string, SnapshotMetric>()
  const samples = new Map<string, Sample>()
  for (const metric of [...a, ...b]) {
    let sum = sums.get(metric.name)
    if (!sum) {
      sum = { ...metric, values: [] }
      sums.set(metric.name, sum)
    }
    for (const sample of metric.values) {
      const labels = Object.entries(sample.labels).toSorted(([x], [y]) => (x < y ? -1 : 1))
      const key = JSON.stringify([sample.metricName ?? metric.name, labels])
      const known = samples.get(key)
      if (known) known.value += sample.value
      else {
        const copy = { ...sample }
        samples.set(key, copy)
        sum.values.push(copy)
      }
    }
  }
  return [...sums.values()]
}

/** Sum of a metric's samples; 0 where there is none. */
export function totalOf(snapshot: MetricSnapshot, name: string): number {
  const values = snapshot.find((metric) => metric.name === name)?.values ?? []
  return values.reduce((sum, { value }) => sum + value, 0)
}
