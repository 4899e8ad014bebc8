import { defaultMemberSettings } from '../../client-lib/keys/index.ts'
import { isSuiteName, mlsSuites, type SuiteName } from '../../moq/delivery/index.ts'
import { defaultSequencerSettings } from '../../sfu/delivery/index.ts'
import { type OptionValues, positiveNumber, UsageError } from '../scenario.ts'

export const DEFAULT_MEMBERS = [2, 10, 50, 100, 200]
export const DEFAULT_RUNS = 5
const LEAST_MEMBERS = 2
/** What the service and every member allow. */
const MOST_MEMBERS = Math.min(defaultSequencerSettings.members, defaultMemberSettings.maxMembers)

export const allSuites = Object.keys(mlsSuites).filter(isSuiteName)

export interface MlsOptions {
  /** Sizes of a room, each once, the smallest first. */
  readonly members: readonly number[]
  readonly suites: readonly SuiteName[]
  /** Passes at each size. */
  readonly runs: number
  /** File of the plot. */
  readonly svg: string | null
}

/** @throws UsageError */
export function mlsOptions(values: OptionValues): MlsOptions {
  const runs = positiveNumber(values, 'runs', DEFAULT_RUNS)
  if (!Number.isInteger(runs)) throw new UsageError(`--runs ${runs} is not a whole number`)
  return {
    members: sizes(values.members),
    suites: suites(values.suites),
    runs,
    svg: typeof values.svg === 'string' ? values.svg : null,
  }
}

function sizes(value: OptionValues[string]): readonly number[] {
  if (typeof value !== 'string') return DEFAULT_MEMBERS
  const given = [...new Set(value.split(',').map(Number))]
  const wrong = given.some((n) => !Number.isInteger(n) || n < LEAST_MEMBERS || n > MOST_MEMBERS)
  if (wrong) {
    const range = `from ${LEAST_MEMBERS} to ${MOST_MEMBERS}`
    throw new UsageError(`--members ${value} is not a list of whole numbers ${range}`)
  }
  return given.toSorted((a, b) => a - b)
}

function suites(value: OptionValues[string]): readonly SuiteName[] {
  if (typeof value !== 'string') return allSuites
  return [...new Set(value.split(','))].map((name) => {
    if (isSuiteName(name)) return name
    throw new UsageError(`unknown suite ${name}; there is: ${allSuites.join(', ')}`)
  })
}
