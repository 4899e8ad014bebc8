/**
 * One `/metrics` of several processes. What a process counted that is gone stays in the sums, so that they
 * never fall while the parent runs: to Prometheus that would be a start from zero.
 */

import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'
import { MetricSet, type Sample } from '../operate/metric-set.ts'
import { growing, type MetricSnapshot, sumOf, totalOf } from './metric-snapshot.ts'

/** What the parent knows of its workers by itself. */
export interface WorkerLevels {
  /** Processes that serve. */
  serving(): number
  /** Starts after the first one of each. */
  restarts(): number
}

const START_TIME = 'process_start_time_seconds'

export class MergedMetrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE
  /** The parent's own, beside those of the workers. */
  private readonly own = new Registry()
  private readonly ask: () => Promise<ReadonlyMap<number, MetricSnapshot>>
  /** What each worker said last. */
  private readonly last = new Map<number, MetricSnapshot>()
  /** Of processes that are gone. */
  private departed: MetricSnapshot = []

  /** @param ask the workers that answer, by their number */
  constructor(levels: WorkerLevels, ask: () => Promise<ReadonlyMap<number, MetricSnapshot>>) {
    this.ask = ask
    collectDefaultMetrics({ register: this.own })
    const set = new MetricSet(this.own)
    set.gauge('workers', 'Worker processes that serve.', () => levels.serving())
    set.counter('worker_restarts', 'Worker processes started again.', () => levels.restarts())
    const each = (name: string, help: string, of: string) =>
      set.samples('gauge', name, help, ['worker'], () => this.samplesOf(of))
    each('worker_sessions', 'Sessions of each worker.', 'sotto_sessions')
    each('worker_rooms', 'Rooms of each worker.', 'sotto_rooms')
    each(
      'worker_event_loop_busy_ratio',
      'Share of the time since the last scrape in which the event loop of a worker worked.',
      'sotto_event_loop_busy_ratio',
    )
  }

  /** The process of a worker ended. */
  gone(worker: number): void {
    const last = this.last.get(worker)
    if (!last) return
    this.last.delete(worker)
    this.departed = sumOf(this.departed, growing(last))
  }

  /** In the text format of Prometheus. */
  async metrics(): Promise<string> {
    const answers = await this.ask()
    const missing: MetricSnapshot[] = []
    for (const [worker, snapshot] of this.last) {
      if (!answers.has(worker)) missing.push(growing(snapshot))
    }
    for (const [worker, snapshot] of answers) this.last.set(worker, snapshot)
    const parent = await this.own.getMetricsAsJSON()
    const all = [...answers.values(), parent, ...missing, this.departed]
    const merged = AggregatorRegistry.aggregate(all)
    // Each process has one of its own: the service started with the parent.
    merged.registerMetric(this.own.getSingleMetric(START_TIME)!)
    return merged.metrics()
  }

  close(): void {
    this.own.clear()
  }

  private samplesOf(metric: string): Sample[] {
    return [...this.last]
      .toSorted(([a], [b]) => a - b)
      .map(([worker, last]) => ({ labels: [String(worker)], value: totalOf(last, metric) }))
  }
}
