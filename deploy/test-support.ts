/** What tests of the files here share, by vitest: the files, and the metrics that a relay has. */

import { readFileSync } from 'node:fs'
import { Sequencer } from '../sfu/delivery/index.ts'
import { registerDeliveryMetrics } from '../sfu/delivery/metrics.ts'
import { createMetrics } from '../sfu/operate/metrics.ts'
import { makeLevels } from '../sfu/operate/test-levels.ts'
import { MergedMetrics } from '../sfu/workers/merged-metrics.ts'
import { parseYaml, type Yaml } from './yaml.ts'

/** @param path inside this folder */
export function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8')
}

/** A value deep inside YAML; undefined where there is none. */
export function dig(value: Yaml | undefined, ...path: (string | number)[]): Yaml | undefined {
  let found = value
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined
    found = Array.isArray(found) ? found[Number(step)] : found[step]
  }
  return found
}

export function listOf(value: Yaml | undefined): Yaml[] {
  return Array.isArray(value) ? value : []
}

export interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly severity: string
  readonly summary: string
  readonly runbook: string
}

export function alertRules(): AlertRule[] {
  const groups = listOf(dig(parseYaml(read('prometheus/sotto-alerts.yml')), 'groups'))
  return groups
    .flatMap((group) => listOf(dig(group, 'rules')))
    .map((rule) => ({
      alert: String(dig(rule, 'alert')),
      expr: String(dig(rule, 'expr')),
      severity: String(dig(rule, 'labels', 'severity')),
      summary: String(dig(rule, 'annotations', 'summary')),
      runbook: String(dig(rule, 'annotations', 'runbook')),
    }))
}

/** Names of all samples that the `/metrics` of a relay, of one process or of several, may have. */
export async function metricNames(): Promise<Set<string>> {
  const metrics = createMetrics({ version: '1', engine: () => 'quiche', levels: makeLevels })
  registerDeliveryMetrics(metrics.registry, new Sequencer())
  const workers = new MergedMetrics({ serving: () => 2, restarts: () => 0 }, async () => new Map())
  const text = (await metrics.registry.metrics()) + (await workers.metrics())
  metrics.close()
  workers.close()
  const names = new Set(['up'])
  for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    names.add(name)
    if (type !== 'histogram') continue
    for (const part of ['bucket', 'sum', 'count']) names.add(`${name}_${part}`)
  }
  return names
}

/** Names of metrics in a query. */
export function metricsIn(expr: string): string[] {
  return [...expr.matchAll(/\b(?:sotto|process|nodejs)_\w+|\bup\b/g)].map(([name]) => name)
}
