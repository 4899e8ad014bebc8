/**
 * How a room's keys scale: what joins, updates and removals cost in time and bytes in rooms of several
 * sizes, by cipher suite. Members and the delivery service's sequencer are the real ones, in this process
 * and without a network: all run on one thread, so these are the times of one device, not of a call.
 */

import { writeFile } from 'node:fs/promises'
import type { SuiteName } from '../../moq/delivery/index.ts'
import { Measuring } from '../report/measuring.ts'
import type { Report } from '../report/report.ts'
import type { Scenario } from '../scenario.ts'
import { type Sample, type SizeFigures, type SuiteFigures, spreadsOf } from './figures.ts'
import { allSuites, DEFAULT_MEMBERS, DEFAULT_RUNS, type MlsOptions, mlsOptions } from './options.ts'
import { Passes } from './passes.ts'
import { legend, mlsPlot, suiteTables } from './show.ts'

export interface MlsReport extends Report {
  readonly suites: readonly SuiteFigures[]
}

/** Less than this share of a core means that other processes took it. */
const LEAST_CORE_SHARE = 0.85

export const mls: Scenario = {
  name: 'mls',
  summary:
    `Joins, updates and removals in rooms of several sizes, by suite (${allSuites.join(', ')}); ` +
    'all defaults take some minutes.',
  usage:
    `[--members <sizes, default ${DEFAULT_MEMBERS.join(',')}>] [--suites <names, default all>] ` +
    `[--runs <passes a size, default ${DEFAULT_RUNS}>] [--svg <file of the plot>]`,
  options: {
    members: { type: 'string' },
    suites: { type: 'string' },
    runs: { type: 'string' },
    svg: { type: 'string' },
  },

  async run(values, print): Promise<MlsReport> {
    const options = mlsOptions(values)
    const measuring = new Measuring(print)
    const suites = await measure(options, print)
    for (const figures of suites) print(suiteTables(figures))
    print(legend())
    if (options.svg !== null) await writeFile(options.svg, mlsPlot(suites))
    return { ...measuring.report('mls', 'in-process', faults(measuring.cpuCores)), suites }
  },
}

interface Room {
  readonly suite: SuiteName
  readonly passes: Passes
  readonly sizes: SizeFigures[]
}

/**
 * A room for each suite, measured whenever it has grown to a size; the suites take turns pass by pass, so
 * that what else the machine does meets all of them.
 */
async function measure(
  { suites, members, runs }: MlsOptions,
  print: (text: string) => void,
): Promise<SuiteFigures[]> {
  const rooms: Room[] = []
  for (const suite of suites) {
    const passes = await Passes.found(suite)
    // What is compiled at the first use is not part of any figure.
    await passes.pass()
    rooms.push({ suite, passes, sizes: [] })
  }
  for (const size of members) {
    for (const { suite, passes } of rooms) {
      const started = performance.now()
      await passes.grow(size - 1)
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      print(`${suite}: a room of ${size} made in ${seconds} s\n`)
    }
    const samples = rooms.map((): Sample[] => [])
    for (let run = 1; run <= runs; run++) {
      for (const [i, { passes }] of rooms.entries()) samples[i]!.push(await passes.pass())
      print(`${size} members: pass ${run} of ${runs}\n`)
    }
    for (const [i, { sizes }] of rooms.entries()) {
      sizes.push({ members: size, runs, figures: spreadsOf(samples[i]!) })
    }
  }
  return rooms.map(({ suite, sizes }) => ({ suite, sizes }))
}

function faults(coreShare: number): string[] {
  if (coreShare >= LEAST_CORE_SHARE) return []
  const share = `${Math.round(coreShare * 100)} %`
  return [`the process had ${share} of a core: other processes disturbed it`]
}
