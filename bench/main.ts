/**
 * Benchmarks of Sotto: `npm run bench -- <scenario> [--json <file>]`. A scenario measures, the report
 * room prints its figures as a table and writes them as JSON with a description of the machine.
 */

import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { micro } from './micro/index.ts'
import { type Scenario, UsageError } from './scenario.ts'

const SCENARIOS: readonly Scenario[] = [micro]

const COMMON = {
  json: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

function usage(): string {
  const scenarios = SCENARIOS.map(
    ({ name, summary, usage }) => `  ${name} ${usage}\n    ${summary}`,
  )
  return `npm run bench -- <scenario> [--json <file>]\n\n${scenarios.join('\n')}\n`
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

async function main(args: string[]): Promise<void> {
  if (args[0] === '--help' || args[0] === '-h') {
    process.stdout.write(usage())
    return
  }
  const scenario = findScenario(args[0])
  const values = parse(scenario, args.slice(1))
  if (values.help) {
    process.stdout.write(usage())
    return
  }
  const { json } = values
  const report = await scenario.run(values, (text) => process.stdout.write(text))
  if (typeof json === 'string') await writeFile(json, `${JSON.stringify(report, null, 2)}\n`)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  if (error instanceof UsageError) process.stderr.write(`bench: ${error.message}\n`)
  else process.stderr.write(`bench: ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
}
