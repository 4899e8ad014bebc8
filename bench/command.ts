/** The command line of the benchmarks. */

import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { LOAD_USAGE } from './load/options.ts'
import { micro } from './micro/index.ts'
import { mls } from './mls/index.ts'
import { glass } from './page/glass.ts'
import { join } from './page/join.ts'
import { mainThread } from './page/main-thread.ts'
import { type Scenario, UsageError } from './scenario.ts'
import { churn } from './scenarios/churn.ts'
import { compare } from './scenarios/compare.ts'
import { fanout } from './scenarios/fanout.ts'
import { idle } from './scenarios/idle.ts'
import { impaired } from './scenarios/impaired/index.ts'
import { meeting } from './scenarios/meeting.ts'
import { ramp } from './scenarios/ramp.ts'
import { rooms } from './scenarios/rooms.ts'
import { soak } from './scenarios/soak.ts'

const SCENARIOS: readonly Scenario[] = [
  micro,
  mls,
  fanout,
  meeting,
  rooms,
  churn,
  ramp,
  impaired,
  soak,
  idle,
  compare,
  join,
  glass,
  mainThread,
]

const COMMON = {
  json: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

function usage(): string {
  const scenarios = SCENARIOS.map(
    ({ name, summary, usage }) => `  ${name} ${usage}\n    ${summary}`,
  )
  return `npm run bench -- <scenario> [--json <file>]\n\n${scenarios.join('\n')}\n\nLoad options:\n${LOAD_USAGE}`
}

function findScenario(name: string | undefined): Scenario {
  const known = `there is: ${SCENARIOS.map((scenario) => scenario.name).join(', ')}`
  if (name === undefined || name.startsWith('-'))
    throw new UsageError(`no scenario given; ${known}`)
  const scenario = SCENARIOS.find((candidate) => candidate.name === name)
  if (!scenario) throw new UsageError(`unknown scenario ${name}; ${known}`)
  return scenario
}

function parse(scenario: Scenario, args: string[]) {
  try {
    return parseArgs({ args, options: { ...scenario.options, ...COMMON } }).values
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(reason.split(/\. |\n/)[0] ?? reason)
  }
}

async function run(args: readonly string[], print: (text: string) => void): Promise<void> {
  if (args[0] === '--help' || args[0] === '-h') {
    print(usage())
    return
  }
  const scenario = findScenario(args[0])
  const values = parse(scenario, args.slice(1))
  if (values.help) {
    print(usage())
    return
  }
  const { json } = values
  const report = await scenario.run(values, print)
  if (typeof json === 'string') await writeFile(json, `${JSON.stringify(report, null, 2)}\n`)
}

/** Where a command writes. */
export interface Output {
  out(text: string): void
  error(text: string): void
}

/** @returns the exit code: 1 when the arguments are wrong, which it says in one line, or a run fails */
export async function bench(args: readonly string[], output: Output): Promise<0 | 1> {
  try {
    await run(args, (text) => output.out(text))
    return 0
  } catch (error) {
    if (error instanceof UsageError) output.error(`bench: ${error.message}\n`)
    else output.error(`bench: ${error instanceof Error ? error.stack : String(error)}\n`)
    return 1
  }
}
