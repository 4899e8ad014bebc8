/**
 * Micro benchmarks: what one step of the hot path costs in time and in allocated bytes, in this
 * process or in a browser's, with no network.
 */

import { Measuring } from '../report/measuring.ts'
import type { Report } from '../report/report.ts'
import { compact, table } from '../report/table.ts'
import { positiveNumber, type Scenario, UsageError } from '../scenario.ts'
import { sframeInChromium } from './browser/index.ts'
import { cache } from './cache.ts'
import { controlMessage } from './control-message.ts'
import { datagram } from './datagram.ts'
import { fetch } from './fetch.ts'
import { forward } from './forward.ts'
import { gate } from './gate.ts'
import { measure } from './measure.ts'
import { publisher } from './publisher.ts'
import { sframe } from './sframe.ts'
import { subgroupHeader } from './subgroup-header.ts'
import { subgroupObject } from './subgroup-object.ts'
import type { Measurement, RemoteSubject, Subject } from './subject.ts'
import { vi64 } from './vi64.ts'

export interface MicroReport extends Report {
  readonly subjects: readonly {
    readonly name: string
    readonly about: string
    /** The program that it was measured in, where that is not this one. */
    readonly ranIn?: string
    readonly measurements: readonly Measurement[]
  }[]
}

const SUBJECTS = [
  vi64,
  subgroupHeader,
  subgroupObject,
  datagram,
  fetch,
  controlMessage,
  publisher,
  cache,
  forward,
  gate,
  sframe,
]

/** Measured with `--browser`, or when asked for by name. */
const BROWSER_SUBJECTS: readonly RemoteSubject[] = [sframeInChromium]

/** ms of timing a case. */
const DEFAULT_TIME = 100
/** A case whose mean is less certain than this was disturbed, or timed too briefly. */
const MOST_MARGIN_PERCENT = 10
/** Less than this share of a core means that other processes took it. */
const LEAST_CORE_SHARE = 0.85

export const micro: Scenario = {
  name: 'micro',
  summary:
    `Costs of single steps: ${namesOf(SUBJECTS)}; ` +
    `with --browser also ${namesOf(BROWSER_SUBJECTS)}.`,
  usage: `[--only <subject>] [--browser] [--time <ms a case, default ${DEFAULT_TIME}>]`,
  options: { only: { type: 'string' }, browser: { type: 'boolean' }, time: { type: 'string' } },

  async run(values, print): Promise<MicroReport> {
    const chosen = choose(values.only, values.browser === true)
    const timeMs = positiveNumber(values, 'time', DEFAULT_TIME)
    const measuring = new Measuring(print)
    const subjects: MicroReport['subjects'][number][] = []
    for (const subject of chosen.here) {
      const measurements: Measurement[] = []
      for (const each of await subject.cases()) measurements.push(await measure(each, timeMs))
      subjects.push({ name: subject.name, about: subject.about, measurements })
      print(`\n${subject.name}: ${subject.about}\n${measurementTable(measurements)}`)
    }
    const coreShare = measuring.cpuCores
    for (const subject of chosen.browser) {
      const { ranIn, measurements } = await subject.measure(timeMs)
      subjects.push({ name: subject.name, about: subject.about, ranIn, measurements })
      print(`\n${subject.name} (${ranIn}): ${subject.about}\n${measurementTable(measurements)}`)
    }
    const invalidBecause = faults(subjects, chosen.here.length === 0 ? 1 : coreShare)
    return { ...measuring.report('micro', 'in-process', invalidBecause), subjects }
  },
}

interface Chosen {
  readonly here: readonly Subject[]
  readonly browser: readonly RemoteSubject[]
}

function choose(only: unknown, browser: boolean): Chosen {
  if (only === undefined) return { here: SUBJECTS, browser: browser ? BROWSER_SUBJECTS : [] }
  const chosen = {
    here: SUBJECTS.filter(({ name }) => name === only),
    browser: BROWSER_SUBJECTS.filter(({ name }) => name === only),
  }
  if (chosen.here.length + chosen.browser.length > 0) return chosen
  const known = namesOf([...SUBJECTS, ...BROWSER_SUBJECTS])
  throw new UsageError(`unknown subject ${String(only)}; there is: ${known}`)
}

function namesOf(subjects: readonly { readonly name: string }[]): string {
  return subjects.map(({ name }) => name).join(', ')
}

function faults(subjects: MicroReport['subjects'], coreShare: number): string[] {
  const found: string[] = []
  if (coreShare < LEAST_CORE_SHARE) {
    const share = `${Math.round(coreShare * 100)} %`
    found.push(`the process had ${share} of a core: other processes disturbed it`)
  }
  const all = subjects.flatMap(({ measurements }) => measurements)
  const unsure = all.filter(({ marginPercent }) => marginPercent > MOST_MARGIN_PERCENT)
  const [worst] = unsure.toSorted((a, b) => b.marginPercent - a.marginPercent)
  if (worst) {
    found.push(
      `${unsure.length} of ${all.length} means are uncertain by more than ${MOST_MARGIN_PERCENT} %, ` +
        `most of all ${worst.name} (${worst.marginPercent.toFixed(0)} %): ` +
        'give more --time, or a quieter machine',
    )
  }
  return found
}

function measurementTable(measurements: readonly Measurement[]): string {
  const sized = measurements.some(({ payloadBytes }) => payloadBytes !== undefined)
  const head = ['', 'operations/s', 'ns each', '+-', 'least ns', 'bytes allocated']
  const rows = measurements.map((m) => [
    m.name,
    compact(m.operationsPerSecond),
    nanoseconds(m.nanosecondsPerOperation),
    `${m.marginPercent.toFixed(0)} %`,
    nanoseconds(m.leastNanoseconds),
    m.bytesPerOperation === null ? 'unknown' : m.bytesPerOperation.toFixed(0),
    ...(sized ? [`${compact(m.payloadBytesPerSecond ?? 0)}B/s`] : []),
  ])
  return table([...head, ...(sized ? ['payload'] : [])], rows)
}

function nanoseconds(value: number): string {
  return value >= 100 ? Math.round(value).toString() : value.toFixed(1)
}
