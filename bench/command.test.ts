import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bench } from './command.ts'
import type { MicroReport } from './micro/index.ts'

/** In this process: starting one for each case takes seconds on a machine that is busy. */
async function run(...args: string[]) {
  let [stdout, stderr] = ['', '']
  const code = await bench(args, {
    out: (text) => {
      stdout += text
    },
    error: (text) => {
      stderr += text
    },
  })
  return { code, stdout, stderr }
}

const NAMES =
  'micro, mls, fanout, meeting, rooms, churn, ramp, impaired, soak, idle, compare, join, glass, main-thread'

describe('bench', () => {
  it.each([
    [[], `bench: no scenario given; there is: ${NAMES}\n`],
    [['macro'], `bench: unknown scenario macro; there is: ${NAMES}\n`],
    [['--json', 'x'], `bench: no scenario given; there is: ${NAMES}\n`],
    [['micro', '--fast'], "bench: Unknown option '--fast'\n"],
    [['micro', '--time', '0'], 'bench: --time 0 is not a number above 0\n'],
    [
      ['micro', '--only', 'audio'],
      'bench: unknown subject audio; there is: vi64, subgroup-header, subgroup-object, datagram, ' +
        'fetch, control-message, publisher, cache, forward, gate, sframe, sframe-chromium\n',
    ],
  ])('refuses %j with one line', async (args, stderr) => {
    expect(await run(...args)).toEqual({ code: 1, stderr, stdout: '' })
  })

  it('shows its scenarios on --help', async () => {
    const { stdout } = await run('--help')
    expect(stdout).toContain('micro [--only <subject>] [--browser]')
  })

  // Full garbage collections, to count what is allocated, take seconds where others work too.
  it('writes figures and the machine as JSON', { timeout: 20_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sotto-bench-'))
    try {
      const json = join(folder, 'out.json')
      // Two cases: counting what one allocates takes several full garbage collections.
      const quick = ['--only', 'control-message', '--time', '2']
      const { stdout } = await run('micro', ...quick, '--json', json)
      const report: MicroReport = JSON.parse(await readFile(json, 'utf8'))
      expect(report).toMatchObject({ scenario: 'micro', target: 'in-process' })
      expect(report.valid).toBe(report.invalidBecause.length === 0)
      expect(report.durationS).toBeGreaterThan(0)
      expect(report.machine).toMatchObject({ node: process.version, cores: expect.any(Number) })
      const [subject] = report.subjects
      expect(subject?.measurements).toHaveLength(2)
      for (const measurement of subject!.measurements) {
        expect(stdout).toContain(measurement.name)
        const { operationsPerSecond, nanosecondsPerOperation } = measurement
        expect(operationsPerSecond * nanosecondsPerOperation).toBeCloseTo(1e9, -2)
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
