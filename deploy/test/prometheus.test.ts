/**
 * Alerts and dashboards against real ones: Debian's Prometheus scrapes a relay process under the load of
 * `bench`. Where a program is missing its tests are skipped, and say so.
 */

import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RelayProcess, startRelay } from '../../test/support/relay-process.ts'
import { DASHBOARDS } from '../grafana/generate.ts'
import { alertRules } from '../test-support.ts'
import { because, isInstalled, run } from './programs.ts'
import { PrometheusProcess } from './prometheus-process.ts'

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const bench = fileURLToPath(new URL('../../bench/main.ts', import.meta.url))

const withPromtool = it.skipIf(!isInstalled('promtool'))
const noPromtool = because('promtool')

describe('promtool', () => {
  withPromtool(`finds no fault in the rules${noPromtool}`, async () => {
    const checked = await run('promtool', ['check', 'rules', path('prometheus/sotto-alerts.yml')])
    expect(checked.output).toContain(`SUCCESS: ${alertRules().length} rules found`)
    expect(checked.code).toBe(0)
  })

  withPromtool(`finds no fault in the configuration${noPromtool}`, async () => {
    const checked = await run('promtool', ['check', 'config', path('prometheus/prometheus.yml')])
    expect(checked, checked.output).toMatchObject({ code: 0 })
  })

  withPromtool(`sees the alerts fire as they should${noPromtool}`, async () => {
    const tested = await run('promtool', [
      'test',
      'rules',
      path('prometheus/sotto-alerts.test.yml'),
    ])
    expect(tested, tested.output).toMatchObject({ code: 0 })
  })
})

const programs = ['prometheus', 'promtool'] as const

describe.skipIf(!programs.every(isInstalled))(
  `a Prometheus that scrapes a relay under load${because(...programs)}`,
  () => {
    let relay: RelayProcess
    let prometheus: PrometheusProcess

    beforeAll(async () => {
      relay = await startRelay(['--engine', 'quiche'])
      prometheus = await PrometheusProcess.start(relay.urls.ops)
      const { port } = new URL(relay.urls.relay)
      const load = ['--publishers', '3', '--duration', '12', '--workers', '1', '--managed']
      const url = `moqt://127.0.0.1:${port}/`
      const loaded = await run(process.execPath, [bench, 'meeting', '--url', url, ...load])
      expect(loaded, loaded.output).toMatchObject({ code: 0 })
    }, 120_000)

    afterAll(async () => {
      await prometheus?.stop()
      await relay?.stop()
    })

    it('follows the naming rules of Prometheus', async () => {
      const text = await (await fetch(`${relay.urls.ops}/metrics`)).text()
      const ours = text.split('\n').filter((line) => /^(# \w+ )?sotto_/.test(line))
      expect(ours.length).toBeGreaterThan(200)
      const checked = await run('promtool', ['check', 'metrics'], `${ours.join('\n')}\n`)
      expect(checked).toEqual({ code: 0, output: '' })
    })

    const queries = DASHBOARDS.flatMap(({ title, rows }) =>
      rows.flatMap(({ panels }) =>
        panels.flatMap((panel) =>
          'markdown' in panel
            ? []
            : panel.queries.map(({ expr }) => ({ panel: `${title}: ${panel.title}`, expr })),
        ),
      ),
    )

    /** As Grafana fills in the variables. */
    const filled = (expr: string) =>
      expr
        .replaceAll('$job', 'sotto')
        .replaceAll('$instance', '.+')
        .replaceAll('$__rate_interval', '30s')

    it('answers every query of every dashboard with data', async () => {
      expect(queries.length).toBeGreaterThan(80)
      const empty: string[] = []
      for (const { panel, expr } of queries) {
        const series = await prometheus.query(filled(expr))
        if (series.length === 0) empty.push(`${panel}: ${expr}`)
      }
      expect(empty).toEqual([])
    })

    it('sees the load: objects of each class, their latency, round-trip times and open gates', async () => {
      const value = async (expr: string) => {
        const [first] = await prometheus.query(expr)
        return Number(first?.value[1])
      }
      for (const labels of [
        'class="audio",delivery="stream"',
        'class="enhancement",delivery="datagram"',
      ]) {
        expect(await value(`sotto_objects_total{direction="received",${labels}}`)).toBeGreaterThan(
          20,
        )
        expect(await value(`sotto_objects_total{direction="sent",${labels}}`)).toBeGreaterThan(20)
      }
      const buckets = 'sotto_forward_latency_seconds_bucket{class="audio"}'
      const p50 = await value(`histogram_quantile(0.5, sum by (le) (${buckets}))`)
      expect(p50).toBeGreaterThan(0)
      expect(p50).toBeLessThan(2)
      expect(await value('sotto_path_rtt_seconds_count')).toBeGreaterThan(3)
      expect(await value('sotto_gate_openings_total')).toBeGreaterThan(2)
      expect(await value('sum(rate(sotto_udp_packets_total[30s]))')).toBeGreaterThan(50)
      expect(await value('sotto_udp_buffer_bytes{direction="received"}')).toBeGreaterThan(0)
      expect(await value('sotto_build_info{engine="quiche"}')).toBe(1)
    })

    it('evaluates every rule without an error, and the relay is up', async () => {
      await prometheus.until(async () => {
        const rules = await prometheus.rules()
        return rules.every(({ health }) => health !== 'unknown')
      })
      const rules = await prometheus.rules()
      const names = alertRules().map(({ alert }) => alert)
      expect(rules.map(({ name }) => name).sort()).toEqual(names.sort())
      expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
      const firing = await prometheus.query('ALERTS{alertstate="firing"}')
      expect(firing.map(({ metric }) => metric.alertname)).not.toContain('SottoDown')
    })
  },
)

const analyzer = 'systemd-analyze'

it.skipIf(!isInstalled(analyzer))(
  `systemd finds no fault in the unit, and little exposed${because(analyzer)}`,
  async () => {
    const unit = path('systemd/sotto.service')
    // The unit names the Node and the user of a machine that is set up; this one may have neither.
    const verified = await run(analyzer, ['verify', unit])
    const faults = verified.output
      .split('\n')
      .filter((line) => line.includes('sotto.service') && !line.includes('is not executable'))
    expect(faults).toEqual([])
    const rated = await run(analyzer, ['security', '--offline=true', '--threshold=20', unit])
    expect(rated, rated.output).toMatchObject({ code: 0 })
  },
)
