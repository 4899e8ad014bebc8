/** Starts a relay and a worker process, and loads the relay over loopback for two seconds. */

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { bench } from '../command.ts'
import type { LoadReport } from '../load/report/figures.ts'
import { loadReportSchema } from '../load/report/schema.ts'

const number = expect.any(Number)
const spread = { p50: number, p95: number, p99: number, max: number }

it('fanout measures a relay of its own, and writes what it found as JSON and HTML', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-bench-'))
  try {
    const [json, html] = [join(folder, 'out.json'), join(folder, 'out.html')]
    let [stdout, stderr] = ['', '']
    const small = ['--subscribers', '2', '--duration', '2', '--workers', '1']
    const code = await bench(['fanout', ...small, '--json', json, '--html', html], {
      out: (text) => {
        stdout += text
      },
      error: (text) => {
        stderr += text
      },
    })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const report: LoadReport = JSON.parse(await readFile(json, 'utf8'))
    expect(report).toMatchObject({
      scenario: 'fanout',
      schemaVersion: 1,
      target: 'own relay',
      machine: { cores: number, node: process.version },
      valid: expect.any(Boolean),
      durationS: 2,
      objects: { sent: number, received: number, lost: number, late: number },
      objectsPerSecond: number,
      megabitsPerSecond: number,
      latencyMs: { audio: spread, 'video-t0': spread, 'video-t1': spread, 'video-t2': spread },
      joinMs: { p50: number, p95: number },
      relay: { cpuSeconds: number, cpuCores: number, rssBytes: number, eventLoopLagMsP99: number },
      participants: { planned: 3, joined: 3 },
    })
    expect(loadReportSchema.parse(report)).toEqual(report)
    expect(report.valid).toBe(report.invalidBecause.length === 0)
    // Two subscribers, 50 frames of sound a second: streams lose nothing, however busy the machine.
    const { audio } = report.classes
    expect(audio!.expected).toBeGreaterThan(150)
    expect(audio).toMatchObject({ received: audio!.expected, lost: 0, duplicate: 0 })
    expect(report.objects.undecryptable).toBe(0)
    expect(report.runs[0]!.faults).toEqual([])
    expect(stdout).toContain('fanout: 2 s, 3 of 3 participants joined')
    expect(await readFile(html, 'utf8')).toContain('<svg')
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('rooms go to the processes of a relay that has several, which are measured together', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-bench-'))
  try {
    const json = join(folder, 'out.json')
    let stderr = ''
    const small = ['--rooms', '6', '--publishers', '2', '--profile', 'audio', '--duration', '2']
    const code = await bench(
      ['rooms', ...small, '--workers', '1', '--relay-workers', '2', '--json', json],
      {
        out: () => undefined,
        error: (text) => {
          stderr += text
        },
      },
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const report: LoadReport = JSON.parse(await readFile(json, 'utf8'))
    expect(report.participants).toEqual({ planned: 12, joined: 12 })
    const { audio } = report.classes
    expect(audio!.expected).toBeGreaterThan(0)
    expect(audio).toMatchObject({ received: audio!.expected, lost: 0, duplicate: 0 })
    expect(report.settings.relayWorkers).toBe(2)
    // A parent and two workers, none of which fits in less.
    expect(report.relay!.rssBytes).toBeGreaterThan(150e6)
  } finally {
    await rm(folder, { recursive: true })
  }
})
