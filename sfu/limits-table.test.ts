import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { options } from './config-options.ts'
import { Sequencer } from './delivery/index.ts'
import { registerDeliveryMetrics } from './delivery/metrics.ts'
import { makeLimitHits } from './operate/limit-hits.ts'
import { createMetrics } from './operate/metrics.ts'
import { makeLevels } from './operate/test-levels.ts'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

interface Row {
  readonly limit: string
  readonly flag: string
  /** A label of `sotto_limit_hits_total`, or a whole series. */
  readonly metric: string
  readonly testFile: string
  readonly testTitle: string
}

const text = read('sfu/LIMITS.md')
const rows = [
  ...text.matchAll(/^\| ([^|`]+) \| `--([^`]+)` \| `([^`]+)` \| [^|]+ \| `([^`]+)`: (.+) \|$/gm),
].map(([, limit, flag, metric, testFile, testTitle]) => {
  return { limit, flag, metric, testFile, testTitle } as Row
})

/** What `/metrics` says before anything has happened. */
async function untouchedMetrics(): Promise<string> {
  const metrics = createMetrics({ version: '1', engine: () => 'quiche', levels: makeLevels })
  registerDeliveryMetrics(metrics.registry, new Sequencer())
  const shown = await metrics.registry.metrics()
  metrics.close()
  return shown
}

describe('the table of limits', () => {
  it('is read as a whole', () => {
    const lines = text.split('\n').filter((line) => /^\|(?! (Limit|---))/.test(line))
    expect(rows).toHaveLength(lines.length)
  })

  it('has every limit that a relay must keep', () => {
    const limits = rows.map(({ limit }) => limit)
    for (const required of [
      'sessions, in all',
      'requests open at one time',
      'subscriptions',
      'subscriptions of a track',
      'tracks that it publishes',
      'namespaces that it publishes',
      'control bytes a second',
      'unacknowledged bytes buffered',
      'objects cached, of a track',
      'objects cached, in all',
      'bytes cached, of a track',
      'bytes cached, in all',
      'token cache',
      'length of a name',
      'length of properties of an object',
      'length of properties of a track',
      'silence',
      'time to become a session',
      'submissions of a room that wait for the disk',
      'bytes of these',
    ]) {
      expect(limits).toContain(required)
    }
  })

  it.each(rows)('is true of $limit ($flag)', async ({ flag, metric, testFile, testTitle }) => {
    expect(Object.values(options).map((option) => option.flag)).toContain(flag)
    const series = metric.includes('{') ? metric : `sotto_limit_hits_total{limit="${metric}"}`
    expect(await untouchedMetrics()).toContain(`\n${series} 0\n`)
    expect(read(testFile)).toContain(`it('${testTitle}', `)
  })

  it('leaves no counted limit out, and no flag of a limit', () => {
    const metrics = new Set(rows.map(({ metric }) => metric))
    expect(Object.keys(makeLimitHits()).filter((name) => !metrics.has(name))).toEqual([])
    const limitFlags = Object.values(options)
      .filter(({ group }) => /^(Limits|Delivery)/.test(group))
      .map(({ flag }) => flag)
    const unnamed = limitFlags.filter((flag) => !text.includes(`\`--${flag}\``))
    // How long a drain takes is no limit of a peer's, nor where the delivery service runs.
    expect(unnamed).toEqual(['drain-timeout', 'delivery', 'data-dir'])
  })
})
