import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { MicroReport } from './micro/index.ts'

const script = fileURLToPath(new URL('./main.ts', import.meta.url))
const bench = (...args: string[]) => promisify(execFile)(process.execPath, [script, ...args])

describe('bench', () => {
  it.each([
    [[], 'bench: no scenario given; there is: micro\n'],
    [['macro'], 'bench: unknown scenario macro; there is: micro\n'],
    [['--json', 'x'], 'bench: no scenario given; there is: micro\n'],
    [['micro', '--fast'], "bench: Unknown option '--fast'\n"],
    [['micro', '--time', '0'], 'bench: --time 0 is not a number above 0\n'],
    [
      ['micro', '--only', 'audio'],
      'bench: unknown subject audio; there is: vi64, subgroup-header, subgroup-object, datagram, ' +
        'fetch, control-message, cache, forward, sframe, sframe-chromium\n',
    ],
  ])('refuses %j with one line', async (args, stderr) => {
    await expect(bench(...args)).rejects.toMatchObject({ code: 1, stderr, stdout: '' })
  })

  it('shows its scenarios on --help', async () => {
    const { stdout } = await bench('--help')
    expect(stdout).toContain('micro [--only <subject>] [--browser]')
  })

  it('writes figures and the machine as JSON', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sotto-bench-'))
    try {
      const json = join(folder, 'out.json')
      const { stdout } = await bench('micro', '--only', 'datagram', '--time', '2', '--json', json)
      const report: MicroReport = JSON.parse(await readFile(json, 'utf8'))
      expect(report).toMatchObject({ scenario: 'micro', target: 'in-process' })
      expect(report.valid).toBe(report.invalidBecause.length === 0)
      expect(report.durationS).toBeGreaterThan(0)
      expect(report.machine).toMatchObject({ node: process.version, cores: expect.any(Number) })
      const [subject] = report.subjects
      expect(subject?.measurements).toHaveLength(6)
      for (const measurement of subject!.measurements) {
        expect(stdout).toContain(measurement.name)
        const { operationsPerSecond, nanosecondsPerOperation } = measurement
        expect(operationsPerSecond * nanosecondsPerOperation).toBeCloseTo(1e9, -2)
      }
      // A datagram of 1150 bytes cannot be made without allocating it.
      const encode = subject!.measurements.find(({ name }) => name === 'encode 1150 B')
      expect(encode?.bytesPerOperation).toBeGreaterThan(1150)
      expect(encode?.bytesPerOperation).toBeLessThan(3000)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
