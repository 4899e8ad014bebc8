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

/** Runs a scenario, and reads what it wrote. */
async function run(scenario: string, ...args: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-bench-'))
  const [json, html] = [join(folder, 'out.json'), join(folder, 'out.html')]
  try {
    let [stdout, stderr] = ['', '']
    const output = {
      out: (text: string) => {
        stdout += text
      },
      error: (text: string) => {
        stderr += text
      },
    }
    const code = await bench([scenario, ...args, '--json', json, '--html', html], output)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const report: LoadReport = JSON.parse(await readFile(json, 'utf8'))
    expect(loadReportSchema.parse(report)).toEqual(report)
    return { report, stdout, page: await readFile(html, 'utf8') }
  } finally {
    await rm(folder, { recursive: true })
  }
}

it('fanout measures a relay of its own, and writes what it found as JSON and HTML', async () => {
  const { report, stdout, page } = await run(
    'fanout',
    ...['--subscribers', '2', '--duration', '2', '--workers', '1'],
  )
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
  expect(report.valid).toBe(report.invalidBecause.length === 0)
  // Two subscribers, 50 frames of sound a second: streams lose nothing, however busy the machine.
  const { audio } = report.classes
  expect(audio!.expected).toBeGreaterThan(150)
  expect(audio).toMatchObject({ received: audio!.expected, lost: 0, duplicate: 0 })
  expect(report.objects.undecryptable).toBe(0)
  expect(report.runs[0]!.faults).toEqual([])
  expect(stdout).toContain('fanout: 2 s, 3 of 3 participants joined')
  expect(page).toContain('<svg')
})

it('churn has people join and leave a group, and tells how soon they have its keys', async () => {
  const { report, stdout } = await run(
    'churn',
    ...['--publishers', '2', '--subscribers', '2', '--stay', '3', '--duration', '6'],
  )
  const { epochChanges, keysMs, objects, participants, runs } = report
  expect(report.settings.mls).toBe('classical')
  expect(participants.joined).toBe(participants.planned)
  expect(keysMs).toEqual(spread)
  // On two seats somebody leaves and another one comes, each time with a commit.
  expect(epochChanges!.count).toBeGreaterThan(3)
  expect(epochChanges!.ms).toEqual(spread)
  expect(objects.undecryptable).toBe(0)
  expect(runs[0]!.faults).toEqual([])
  expect(stdout).toContain('changes of epoch')
})
