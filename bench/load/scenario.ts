/** What load scenarios have in common: they are plans, played one after the other and reported. */

import { writeFile } from 'node:fs/promises'
import type { ParseArgsConfig } from 'node:util'
import { describeMachine, machineLine } from '../report/machine.ts'
import { type OptionValues, type Scenario, UsageError } from '../scenario.ts'
import {
  LOAD_OPTIONS,
  type LoadDefaults,
  type LoadOptions,
  loadOptions,
  type TargetOptions,
} from './options.ts'
import type { LoadPlan } from './plan.ts'
import {
  type Goal,
  type LabelReport,
  LOAD_SCHEMA_VERSION,
  type LoadReport,
  type RunReport,
} from './report/figures.ts'
import { loadHtml } from './report/html.ts'
import { runReport } from './report/run-report.ts'
import { goalTable, runText } from './report/show.ts'
import { loadFigures } from './report/totals.ts'
import { type RunRecord, runPlan } from './run.ts'
import { namedTarget, ownTarget, type Target } from './target/address.ts'
import { RelayProcess } from './target/relay-process.ts'

/** One run of a scenario. */
export interface LoadStep {
  readonly plan: LoadPlan
  /** What is wanted of it. */
  readonly judge?: (labels: readonly LabelReport[], report: Omit<RunReport, 'goals'>) => Goal[]
  /** Another relay than the command line names. */
  readonly target?: TargetOptions
}

export interface LoadScenario {
  readonly name: string
  /** One sentence. */
  readonly summary: string
  /** Options that it has beside those of all load scenarios. */
  readonly usage?: string
  readonly options?: NonNullable<ParseArgsConfig['options']>
  readonly defaults: LoadDefaults
  /**
   * Its runs, in order; what a run brought is given back, so that the next may depend on it.
   * @throws UsageError
   */
  steps(options: LoadOptions, values: OptionValues): Generator<LoadStep, void, RunReport>
  /** What all runs together say. */
  conclude?(runs: readonly RunReport[]): Goal[]
}

/** A scenario for the command line. */
export function loadScenario(scenario: LoadScenario): Scenario {
  return {
    name: scenario.name,
    summary: scenario.summary,
    usage: `${scenario.usage ?? ''} [load options]`.trim(),
    options: { ...LOAD_OPTIONS, ...scenario.options },

    async run(values, print): Promise<LoadReport> {
      const options = loadOptions(values, scenario.defaults)
      const steps = scenario.steps(options, values)
      // A plan that cannot be made is told before anything is started.
      let next = steps.next()
      const machine = describeMachine()
      print(machineLine(machine))
      const startedAt = new Date()
      const [records, runs]: [RunRecord[], RunReport[]] = [[], []]
      while (!next.done) {
        const { plan, judge = () => [], target = options.target } = next.value
        const record = await playAt(target, plan, options, print)
        const report = runReport(record, judge)
        print(runText(report))
        records.push(record)
        runs.push(report)
        next = steps.next(report)
      }
      const conclusions = scenario.conclude?.(runs) ?? []
      print(goalTable(conclusions))
      const { html, profileRelay: _, target, ...settings } = options
      const invalidBecause = runs.flatMap(({ name, invalidBecause }) =>
        invalidBecause.map((reason) => (runs.length > 1 ? `${name}: ${reason}` : reason)),
      )
      const report: LoadReport = {
        schemaVersion: LOAD_SCHEMA_VERSION,
        scenario: scenario.name,
        target: target.url ?? 'own relay',
        machine,
        startedAt: startedAt.toISOString(),
        valid: invalidBecause.length === 0,
        invalidBecause,
        ...loadFigures(records),
        settings,
        runs,
        conclusions,
      }
      if (html !== null) await writeFile(html, loadHtml(report))
      return report
    },
  }
}

async function playAt(
  target: TargetOptions,
  plan: LoadPlan,
  options: LoadOptions,
  print: (text: string) => void,
): Promise<RunRecord> {
  if (target.url !== null) return runPlan(plan, await targetNamed(target), options, print)
  const { relayWorkers, profileRelay } = options
  const flags = relayWorkers === 1 ? [] : ['--workers', String(relayWorkers)]
  const relay = await RelayProcess.start(flags, profileRelay)
  try {
    const rooms = relayWorkers === 1 ? [] : plan.participants.map(({ room }) => room)
    return await runPlan(plan, await ownTarget(relay, new Set(rooms)), options, print)
  } finally {
    await relay.stop()
  }
}

async function targetNamed({ url, certificate, pid, ops }: TargetOptions): Promise<Target> {
  try {
    return await namedTarget(url ?? '', certificate, pid, ops)
  } catch (error) {
    throw new UsageError(`--url: ${error instanceof Error ? error.message : String(error)}`)
  }
}
