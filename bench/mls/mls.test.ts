import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bench } from '../command.ts'
import { FIGURES, spreadOf } from './figures.ts'
import type { MlsReport } from './index.ts'
import { allSuites } from './options.ts'
import { BenchRoom } from './room.ts'

async function run(...args: string[]) {
  let [stdout, stderr] = ['', '']
  const code = await bench(['mls', ...args], {
    out: (text) => {
      stdout += text
    },
    error: (text) => {
      stderr += text
    },
  })
  return { code, stdout, stderr }
}

describe('bench mls', () => {
  let folder: string
  let stdout: string
  let report: MlsReport
  let svg: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sotto-bench-mls-'))
    const [json, plot] = [join(folder, 'out.json'), join(folder, 'out.svg')]
    const quick = ['--members', '3,2,3', '--runs', '1']
    const result = await run(...quick, '--json', json, '--svg', plot)
    expect(result).toMatchObject({ code: 0, stderr: '' })
    stdout = result.stdout
    report = JSON.parse(await readFile(json, 'utf8'))
    svg = await readFile(plot, 'utf8')
  }, 60_000)

  afterAll(() => rm(folder, { recursive: true }))

  it('gives every figure of every suite and size, but for a removal that nobody else sees', () => {
    expect(report).toMatchObject({ scenario: 'mls', target: 'in-process' })
    expect(report.suites.map(({ suite }) => suite)).toEqual(allSuites)
    for (const { sizes } of report.suites) {
      expect(sizes.map(({ members }) => members)).toEqual([2, 3])
      for (const { members, runs, figures } of sizes) {
        expect(runs).toBe(1)
        expect(Object.keys(figures)).toEqual([...FIGURES.keys()])
        const missing = Object.entries(figures).filter(([, spread]) => spread === null)
        expect(missing.map(([name]) => name)).toEqual(members === 2 ? ['removalApplied'] : [])
        for (const spread of Object.values(figures)) {
          if (spread !== null) expect(spread.median).toBeGreaterThan(0)
        }
      }
    }
  })

  it('counts bytes that grow with the room and with the keys of the suite', () => {
    const fetched = (suite: string, at: number) =>
      report.suites.find((each) => each.suite === suite)!.sizes[at]!.figures.fetched!.median
    // X-Wing has two public keys of 1,216 bytes a member: its leaf's, and its parent's.
    expect(fetched('x-wing', 1) - fetched('x-wing', 0)).toBeGreaterThan(2 * 1216)
    expect(fetched('classical', 1) - fetched('classical', 0)).toBeLessThan(500)
  })

  it('prints a table a suite, and what its columns mean', () => {
    for (const suite of allSuites)
      expect(stdout).toMatch(new RegExp(`\n${suite}\nmembers +join ms`))
    expect(stdout).toContain('x-wing: a room of 3 made in ')
    for (const { about } of FIGURES.values()) expect(stdout).toContain(about)
  })

  it('plots a line a suite', () => {
    expect(svg.match(/<polyline/g)).toHaveLength(6 * allSuites.length)
    for (const suite of allSuites) expect(svg).toContain(`>${suite}<`)
  })

  it.each([
    [['--members', '1'], 'bench: --members 1 is not a list of whole numbers from 2 to 250\n'],
    [['--members', '2,x'], 'bench: --members 2,x is not a list of whole numbers from 2 to 250\n'],
    [['--members', '251'], 'bench: --members 251 is not a list of whole numbers from 2 to 250\n'],
    [['--runs', '1.5'], 'bench: --runs 1.5 is not a whole number\n'],
    [['--suites', 'rsa'], 'bench: unknown suite rsa; there is: x-wing, classical, p256\n'],
  ])('refuses %j with one line', async (args, stderr) => {
    expect(await run(...args)).toEqual({ code: 1, stderr, stdout: '' })
  })
})

describe('the room of the bench', () => {
  it('has the members that its passes say, in one epoch', async () => {
    const room = new BenchRoom('classical')
    const { seat: founder } = await room.join()
    const { seat: second } = await room.join()
    await room.catchUp(founder)
    const { seat: third } = await room.join()
    await room.catchUp(founder)
    await room.catchUp(second)
    const ids = () =>
      [founder, second].map(({ member }) => member.roster.map((at) => at.participantId))
    expect(ids()).toEqual([
      ['member-0', 'member-1', 'member-2'],
      ['member-0', 'member-1', 'member-2'],
    ])
    await room.remove(third, founder)
    await room.catchUp(second)
    expect(ids()).toEqual([
      ['member-0', 'member-1'],
      ['member-0', 'member-1'],
    ])
    expect(founder.epoch).toBe(second.epoch)
  })

  it('says why a member that asks for nothing new gets no keys', async () => {
    const room = new BenchRoom('classical')
    const { seat } = await room.join()
    await expect(room.catchUp(seat)).rejects.toThrow('member-0 got no keys')
  })
})

describe('spread', () => {
  it.each([
    [[3], 3],
    [[5, 1, 3], 3],
    [[4, 1, 3, 2], 2.5],
  ])('of %j has the median %d', (values, median) => {
    expect(spreadOf(values)).toEqual({
      median,
      least: Math.min(...values),
      most: Math.max(...values),
    })
  })
})
