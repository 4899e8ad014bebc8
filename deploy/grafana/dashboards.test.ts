import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { metricNames, metricsIn } from '../test-support.ts'
import { DASHBOARDS, fileOf, textOf } from './generate.ts'

describe('the dashboards', () => {
  it('are an overview, media, end-to-end encryption and a room', () => {
    const uids = DASHBOARDS.map(({ uid }) => uid)
    expect(uids).toEqual(['sotto-overview', 'sotto-media', 'sotto-e2ee', 'sotto-room'])
    const files = readdirSync(new URL('dashboards/', import.meta.url)).sort()
    expect(files).toEqual(uids.map((uid) => `${uid}.json`).sort())
  })

  it.each(
    DASHBOARDS,
  )('$uid is as its source makes it: else run node deploy/grafana/generate.ts', (spec) => {
    expect(readFileSync(fileOf(spec.uid), 'utf8')).toBe(textOf(spec))
  })

  it.each(
    DASHBOARDS,
  )('$uid asks for metrics that a relay has, and says what each panel shows', async (spec) => {
    const known = await metricNames()
    const panels = spec.rows.flatMap((row) => row.panels)
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length)
    for (const panel of panels) {
      if ('markdown' in panel) continue
      expect(panel.description, panel.title).toMatch(/\.$/)
      expect(panel.queries.length, panel.title).toBeGreaterThan(0)
      for (const { expr } of panel.queries) {
        const asked = metricsIn(expr)
        expect(asked.length, expr).toBeGreaterThan(0)
        expect(
          asked.filter((name) => !known.has(name)),
          expr,
        ).toEqual([])
        expect(expr).toContain('job="$job",instance=~"$instance"')
      }
    }
  })

  it('show every metric of ours but what no graph is needed for', async () => {
    const shown = new Set(
      DASHBOARDS.flatMap(({ rows }) => rows.flatMap(({ panels }) => panels)).flatMap((panel) =>
        'markdown' in panel ? [] : panel.queries.flatMap(({ expr }) => metricsIn(expr)),
      ),
    )
    const base = (name: string) => name.replace(/_(bucket|sum|count)$/, '')
    const bases = new Set([...shown].map(base))
    const missing = [...(await metricNames())].filter(
      (name) => name.startsWith('sotto_') && !bases.has(base(name)),
    )
    expect(missing.sort()).toEqual([
      'sotto_cache_objects',
      'sotto_connections',
      'sotto_fetches',
      'sotto_handshakes',
      'sotto_namespaces',
      'sotto_requests',
      'sotto_retries_total',
      'sotto_revocations',
      'sotto_token_cache_bytes',
      'sotto_udp_buffer_bytes',
      'sotto_udp_bytes_total',
      'sotto_version_negotiations_total',
      'sotto_websocket_bytes_total',
    ])
  })
})
