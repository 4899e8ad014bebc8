import { Registry } from 'prom-client'
import { afterEach, describe, expect, it } from 'vitest'
import { MetricSet } from '../operate/metric-set.ts'
import { createMetrics, type Metrics } from '../operate/metrics.ts'
import { makeLevels } from '../operate/test-levels.ts'
import { MergedMetrics } from './merged-metrics.ts'
import { type MetricSnapshot, metricSnapshotSchema } from './metric-snapshot.ts'

const levels = { serving: () => 2, restarts: () => 0 }
let merged: MergedMetrics | null = null
const made: Metrics[] = []

afterEach(() => {
  merged?.close()
  for (const metrics of made.splice(0)) metrics.close()
})

/** As it comes out of another process. */
async function snapshotOf(registry: Registry): Promise<MetricSnapshot> {
  return metricSnapshotSchema.parse(structuredClone(await registry.getMetricsAsJSON()))
}

/** One process: objects that it forwarded, sessions that it has, how old its oldest object is. */
function snapshot(objects: number, sessions: number, age = 0): Promise<MetricSnapshot> {
  const registry = new Registry()
  const set = new MetricSet(registry)
  set.counters('objects', 'Objects.', 'class', () => ({ audio: objects, video: 2 * objects }))
  set.gauge('sessions', 'Sessions.', () => sessions)
  set.gauge('age', 'Age.', () => age, 'max')
  set.gauge('ready', 'Ready.', () => (age > 5 ? 0 : 1), 'min')
  const tallied = { bounds: [1, 10], counts: [objects, 1, 0], sum: 3000 }
  set.histograms('latency', 'Latency.', null, () => ({ all: tallied as never }))
  set.quantiles('lag', 'Lag.', () => ({ '0.5': age, '1': 2 * age }))
  return snapshotOf(registry)
}

function merge(answers: () => ReadonlyMap<number, MetricSnapshot>): MergedMetrics {
  merged = new MergedMetrics(levels, () => Promise.resolve(answers()))
  return merged
}

describe('metrics of several processes', () => {
  it('are sums, or the worst where a sum says nothing', async () => {
    const answers = new Map([
      [0, await snapshot(10, 3, 2)],
      [1, await snapshot(5, 4, 7)],
    ])
    const text = await merge(() => answers).metrics()
    expect(text).toContain('sotto_objects_total{class="audio"} 15\n')
    expect(text).toContain('sotto_objects_total{class="video"} 30\n')
    expect(text).toContain('sotto_sessions 7\n')
    expect(text).toContain('sotto_age 7\n')
    expect(text).toContain('sotto_ready 0\n')
    expect(text).toContain('sotto_lag{quantile="1"} 14\n')
    expect(text).toContain('sotto_latency_seconds_bucket{le="0.001"} 15\n')
    expect(text).toContain('sotto_latency_seconds_bucket{le="+Inf"} 17\n')
    expect(text).toContain('sotto_latency_seconds_count 17\n')
    expect(text).toContain('sotto_latency_seconds_sum 6\n')
    expect(text).toContain('sotto_workers 2\n')
    expect(text).toContain('sotto_worker_sessions{worker="0"} 3\n')
    expect(text).toContain('sotto_worker_sessions{worker="1"} 4\n')
    expect(text.match(/^process_start_time_seconds \d/gm)).toHaveLength(1)
  })

  it('never fall when a process ends and another one begins, or one does not answer', async () => {
    const answers = new Map([
      [0, await snapshot(10, 3)],
      [1, await snapshot(5, 4)],
    ])
    const metrics = merge(() => answers)
    await metrics.metrics()
    answers.delete(1)
    const silent = await metrics.metrics()
    expect(silent).toContain('sotto_objects_total{class="audio"} 15\n')
    expect(silent).toContain('sotto_sessions 3\n')
    metrics.gone(1)
    metrics.gone(1)
    expect(await metrics.metrics()).toContain('sotto_objects_total{class="audio"} 15\n')
    answers.set(1, await snapshot(1, 1))
    const back = await metrics.metrics()
    expect(back).toContain('sotto_objects_total{class="audio"} 16\n')
    expect(back).toContain('sotto_latency_seconds_bucket{le="0.001"} 16\n')
    expect(back).toContain('sotto_sessions 4\n')
    metrics.gone(1)
    answers.set(1, await snapshot(2, 1))
    expect(await metrics.metrics()).toContain('sotto_objects_total{class="audio"} 18\n')
  })

  it('are all that one process has, by the same names and with the same labels', async () => {
    const one = () => {
      const metrics = createMetrics({ version: '1', engine: () => 'quiche', levels: makeLevels })
      made.push(metrics)
      return metrics
    }
    const [first, second] = [one(), one()]
    const series = (text: string) =>
      text
        .split('\n')
        .filter((line) => /^(sotto|process|nodejs)_/.test(line))
        .map((line) => line.slice(0, line.lastIndexOf(' ')))
        // Kinds of garbage collections that there were.
        .filter((name) => !name.startsWith('nodejs_gc_') && !name.startsWith('nodejs_active_'))
    const alone = series(await first.registry.metrics())
    const answers = new Map([
      [0, await snapshotOf(first.registry)],
      [1, await snapshotOf(second.registry)],
    ])
    const text = await merge(() => answers).metrics()
    const together = series(text)
    expect(new Set(together).size).toBe(together.length)
    expect(alone.filter((name) => !together.includes(name))).toEqual([])
    expect(text).toContain('engine="quiche"} 1\n')
  })
})
