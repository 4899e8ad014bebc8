/** Registers metrics that are read when somebody scrapes; nothing is kept by prom-client itself. */

import { Counter, Gauge, Histogram, type Registry, Summary } from 'prom-client'
import type { Histogram as Tallied } from '../forward/histogram.ts'

/** Numbers by the value of a label. */
export type ByLabel = Readonly<Record<string, number>>

/** Values of the labels, in the order of their names. */
export interface Sample {
  readonly labels: readonly string[]
  readonly value: number
}

/**
 * What of several processes is shown: the sum unless something else is said, as of most that can be
 * counted. `first` is of what they have in common.
 */
export type Merged = 'sum' | 'max' | 'min' | 'first'

export class MetricSet {
  private readonly registry: Registry

  constructor(registry: Registry) {
    this.registry = registry
  }

  /** `sotto_<name>_total`, without labels. */
  counter(name: string, help: string, read: () => number): void {
    this.samples('counter', name, help, [], () => [{ labels: [], value: read() }])
  }

  /** The same with one label. */
  counters(name: string, help: string, label: string, read: () => ByLabel): void {
    this.samples('counter', name, help, [label], () =>
      Object.entries(read()).map(([of, value]) => ({ labels: [of], value })),
    )
  }

  gauge(name: string, help: string, read: () => number, merged: Merged = 'sum'): void {
    this.samples('gauge', name, help, [], () => [{ labels: [], value: read() }], merged)
  }

  /** Any labels. Of what `read` leaves out there is no sample. */
  samples(
    kind: 'counter' | 'gauge',
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => readonly Sample[],
    merged: Merged = 'sum',
  ): void {
    const fullName = kind === 'counter' ? `sotto_${name}_total` : `sotto_${name}`
    const Metric = kind === 'counter' ? Counter : Gauge
    new Metric({
      name: fullName,
      help,
      labelNames: [...labelNames],
      aggregator: merged,
      registers: [this.registry],
      collect() {
        this.reset()
        for (const { labels, value } of read()) {
          this.inc(Object.fromEntries(labelNames.map((name, at) => [name, labels[at]!])), value)
        }
      },
    })
  }

  /**
   * Histograms that somebody else fills, by the value of one label; in ms there, in seconds here.
   * @param label null for a single one, under any name
   */
  histograms(
    name: string,
    help: string,
    label: string | null,
    read: () => Readonly<Record<string, Tallied>>,
  ): void {
    new TalliedHistogram(this.registry, `sotto_${name}_seconds`, help, label, read)
  }

  /**
   * Quantiles that somebody else took, as a summary without sum and count; of several processes the
   * largest.
   * @param read values by quantile
   */
  quantiles(name: string, help: string, read: () => ByLabel): void {
    new TakenSummary(this.registry, `sotto_${name}`, help, read)
  }
}

class TakenSummary extends Summary<'quantile'> {
  private readonly read: () => ByLabel

  constructor(registry: Registry, name: string, help: string, read: () => ByLabel) {
    super({ name, help, aggregator: 'max', registers: [registry] })
    this.read = read
  }

  override async get() {
    const taken = Object.entries(this.read())
    const values = taken.map(([quantile, value]) => ({ labels: { quantile }, value }))
    return { ...(await super.get()), values }
  }
}

class TalliedHistogram extends Histogram<string> {
  private readonly fullName: string
  private readonly text: string
  private readonly label: string | null
  private readonly read: () => Readonly<Record<string, Tallied>>

  constructor(
    registry: Registry,
    name: string,
    help: string,
    label: string | null,
    read: () => Readonly<Record<string, Tallied>>,
  ) {
    super({ name, help, labelNames: label === null ? [] : [label], registers: [registry] })
    this.fullName = name
    this.text = help
    this.label = label
    this.read = read
  }

  /** What both `get` and the registry of prom-client 15 take the samples from. */
  async getForPromString() {
    const values = Object.entries(this.read()).flatMap(([value, tallied]) =>
      this.valuesOf(this.label === null ? {} : { [this.label]: value }, tallied),
    )
    return { name: this.fullName, help: this.text, type: 'histogram', aggregator: 'sum', values }
  }

  private valuesOf(labels: Record<string, string>, { bounds, counts, sum }: Tallied) {
    const sample = (suffix: string, value: number, le?: string) => ({
      metricName: `${this.fullName}_${suffix}`,
      labels: le === undefined ? labels : { le, ...labels },
      sharedLabels: {},
      value,
    })
    let below = 0
    const buckets = [...counts].map((count, at) => {
      below += count
      const bound = bounds[at]
      return sample('bucket', below, bound === undefined ? '+Inf' : String(bound / 1000))
    })
    return [...buckets, sample('sum', sum / 1000), sample('count', below)]
  }
}
