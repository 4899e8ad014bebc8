/** The delivery service's Prometheus metrics, in the relay's registry or one of its own. */

import { Counter, Gauge, type Registry } from 'prom-client'
import type { DeliveryCounters } from './counters.ts'
import type { Sequencer } from './sequencer.ts'

export function registerDeliveryMetrics(registry: Registry, sequencer: Sequencer): void {
  const { counters } = sequencer
  tallied(registry, 'accepted', 'Submissions accepted.', 'kind', counters.accepted)
  tallied(registry, 'refused', 'Submissions refused.', 'reason', counters.refused)
  plain(registry, 'skipped', 'Commits that members could not apply.', counters, 'skipped')
  plain(registry, 'repeated', 'Submissions that came again.', counters, 'repeated')
  const failures = 'Files that could not be written or read.'
  plain(registry, 'storage_failures', failures, counters, 'storageFailures')
  for (const [level, help] of levels) {
    new Gauge({
      name: `sotto_delivery_${level}`,
      help,
      registers: [registry],
      collect() {
        this.set(sequencer.levels()[level])
      },
    })
  }
}

const levels = [
  ['groups', 'MLS groups.'],
  ['members', 'Members of all groups.'],
  ['absent', 'Members that are not there.'],
  ['waiting', 'Submissions that wait for the disk.'],
] as const

function tallied(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  counts: Readonly<Record<string, number>>,
): void {
  new Counter({
    name: `sotto_delivery_${name}_total`,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset()
      for (const [value, count] of Object.entries(counts)) this.inc({ [label]: value }, count)
    },
  })
}

function plain(
  registry: Registry,
  name: string,
  help: string,
  counters: DeliveryCounters,
  key: 'skipped' | 'repeated' | 'storageFailures',
): void {
  new Counter({
    name: `sotto_delivery_${name}_total`,
    help,
    registers: [registry],
    collect() {
      this.reset()
      this.inc(counters[key])
    },
  })
}
