import type { ParseArgsConfig } from 'node:util'
import type { Report } from './report/report.ts'

/** Values of a scenario's options, as `parseArgs` gives them. */
export type OptionValues = Readonly<
  Record<string, string | boolean | (string | boolean)[] | undefined>
>

export interface Scenario {
  readonly name: string
  /** One sentence. */
  readonly summary: string
  /** Its own options, as the help shows them. */
  readonly usage: string
  readonly options: NonNullable<ParseArgsConfig['options']>
  /**
   * Measures and prints as it goes.
   * @throws UsageError for an option's value that cannot be used
   */
  run(values: OptionValues, print: (text: string) => void): Promise<Report>
}

/** The command line asks for what is not there; the message is one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** @throws UsageError unless the option is missing or a number above 0 */
export function positiveNumber(values: OptionValues, name: string, otherwise: number): number {
  const text = values[name]
  if (text === undefined) return otherwise
  const number = Number(text)
  if (Number.isFinite(number) && number > 0) return number
  throw new UsageError(`--${name} ${String(text)} is not a number above 0`)
}
