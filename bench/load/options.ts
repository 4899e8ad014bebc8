import { isSuiteName, mlsSuites, type SuiteName } from '../../moq/delivery/index.ts'
import type { LinkConditions } from '../../sfu/simulation/net/link.ts'
import { parseConditions } from '../net/conditions.ts'
import { type OptionValues, positiveNumber, UsageError } from '../scenario.ts'
import { MAX_SIMULCAST, PROFILES, type Profile } from './media/profile.ts'

/** What every load scenario can be told. */
export interface LoadOptions {
  readonly target: TargetOptions
  /** In each room. */
  readonly publishers: number
  readonly subscribers: number
  readonly rooms: number
  readonly profile: Profile
  readonly renditions: number
  readonly durationMs: number
  /** Subscribers report to the relay, which then chooses for them. */
  readonly managed: boolean
  /** Publishers send what the relay's feedback says that somebody wants. */
  readonly followsFeedback: boolean
  /** Everybody is in the room's MLS group, of this suite; null: keys are made of names. */
  readonly mls: SuiteName | null
  /** The network that each subscriber is behind; null for none but this machine's. */
  readonly impair: Partial<LinkConditions> | null
  /** Null: by the size of the load. */
  readonly workers: number | null
  readonly seed: number
  /** Processes of a relay of our own, over which it spreads the rooms. */
  readonly relayWorkers: number
  /** Directory for profiles of a relay of our own. */
  readonly profileRelay: string | null
  /** File of the HTML report. */
  readonly html: string | null
}

/** Null for a relay of our own, started for each run. */
export interface TargetOptions {
  readonly url: string | null
  /** SHA-256 of its certificate. */
  readonly certificate: string | null
  readonly pid: number | null
  /** Origin of its ops server. */
  readonly ops: string | null
}

export type LoadDefaults = Pick<
  LoadOptions,
  'publishers' | 'subscribers' | 'rooms' | 'profile' | 'renditions' | 'managed'
> & { readonly durationS: number; readonly mls?: SuiteName | null }

export const LOAD_OPTIONS = {
  url: { type: 'string' },
  certificate: { type: 'string' },
  pid: { type: 'string' },
  ops: { type: 'string' },
  publishers: { type: 'string' },
  subscribers: { type: 'string' },
  rooms: { type: 'string' },
  profile: { type: 'string' },
  renditions: { type: 'string' },
  duration: { type: 'string' },
  managed: { type: 'boolean' },
  plain: { type: 'boolean' },
  steady: { type: 'boolean' },
  mls: { type: 'string' },
  impair: { type: 'string' },
  workers: { type: 'string' },
  seed: { type: 'string' },
  'relay-workers': { type: 'string' },
  'profile-relay': { type: 'string' },
  html: { type: 'string' },
} as const

const SUITES = Object.keys(mlsSuites)

const HELP: readonly (readonly [flags: string, text: string])[] = [
  ['--url <moqt://host:port/ or https://…>', 'a relay that runs; without it one is started here'],
  ['--certificate <sha256>', 'of that relay, in hexadecimal'],
  ['--pid <number> --ops <http://host:port>', 'of that relay, for its CPU, memory and metrics'],
  ['--publishers <n> --subscribers <n>', 'in each room'],
  ['--rooms <n>', ''],
  [`--profile <${PROFILES.join('|')}>`, 'voice; with a camera; with a screen; with a camera,'],
  ['', 'and one screen a room'],
  [`--renditions <1..${MAX_SIMULCAST}>`, 'of each camera'],
  ['--duration <s>', ''],
  ['--managed, --plain', 'whether subscribers let the relay choose what they get'],
  ['--steady', 'publishers send everything that is subscribed to, what-'],
  ['', "ever the relay's feedback says; so it is with --plain"],
  [`--mls <${SUITES.join('|')}|none>`, "whether all are members of the room's MLS group"],
  [
    '--impair <rate=,delay=,jitter=,loss=,queue=>',
    'the network of each subscriber, as bench/net has it',
  ],
  ['--workers <n>', 'processes that make the load; by default as it needs'],
  ['--seed <n>', 'for sizes and losses'],
  ['--relay-workers <n>', 'processes of the relay started here, which has the rooms spread'],
  ['--profile-relay <directory>', 'for a CPU and an allocation profile of the relay started here'],
  ['--html <file>', 'a report with plots'],
]

/** As the help shows them, once for all load scenarios. */
export const LOAD_USAGE = HELP.map(([flags, text]) => `  ${flags.padEnd(46)}${text}`.trimEnd())
  .join('\n')
  .concat('\n')

/** More of them are more processes than a test machine has use for. */
export const MAX_LINKS = 64
const MAX_PID = 2 ** 22
/** As of `--workers` of the relay. */
const MAX_RELAY_WORKERS = 64

/** @throws UsageError */
export function loadOptions(values: OptionValues, defaults: LoadDefaults): LoadOptions {
  const { profile, managed, plain, steady, mls, impair } = values
  if (managed === true && plain === true)
    throw new UsageError('--managed and --plain exclude each other')
  const isManaged = managed === true || (plain !== true && defaults.managed)
  const options: LoadOptions = {
    target: targetOptions(values),
    publishers: count(values, 'publishers', defaults.publishers),
    subscribers: count(values, 'subscribers', defaults.subscribers, 0),
    rooms: count(values, 'rooms', defaults.rooms),
    profile: profile === undefined ? defaults.profile : profileNamed(String(profile)),
    renditions: count(values, 'renditions', defaults.renditions),
    durationMs: positiveNumber(values, 'duration', defaults.durationS) * 1000,
    managed: isManaged,
    followsFeedback: isManaged && steady !== true,
    mls: mls === undefined ? (defaults.mls ?? null) : suiteNamed(String(mls)),
    impair: impair === undefined ? null : linkConditions(String(impair)),
    workers: values.workers === undefined ? null : count(values, 'workers', 1),
    seed: count(values, 'seed', 1),
    relayWorkers: count(values, 'relay-workers', 1, 1, MAX_RELAY_WORKERS),
    profileRelay: typeof values['profile-relay'] === 'string' ? values['profile-relay'] : null,
    html: typeof values.html === 'string' ? values.html : null,
  }
  if (options.relayWorkers > 1 && options.impair !== null) {
    throw new UsageError('--relay-workers and --impair exclude each other: a network has one end')
  }
  if (options.renditions > MAX_SIMULCAST) {
    throw new UsageError(`--renditions ${options.renditions} is more than ${MAX_SIMULCAST}`)
  }
  return options
}

function targetOptions(values: OptionValues): TargetOptions {
  const { url, certificate, ops } = values
  const textOf = (value: OptionValues[string]) => (typeof value === 'string' ? value : null)
  if (url === undefined) {
    for (const name of ['certificate', 'pid', 'ops']) {
      if (values[name] !== undefined) throw new UsageError(`--${name} is of no use without --url`)
    }
  } else {
    for (const name of ['profile-relay', 'relay-workers']) {
      if (values[name] === undefined) continue
      throw new UsageError(`--${name} is for a relay that is started here, without --url`)
    }
  }
  return {
    url: textOf(url),
    certificate: textOf(certificate),
    pid: values.pid === undefined ? null : count(values, 'pid', 1, 1, MAX_PID),
    ops: textOf(ops)?.replace(/\/+$/, '') ?? null,
  }
}

const MOST = 100_000

/** @throws UsageError unless the option is missing or a whole number within its bounds */
export function count(
  values: OptionValues,
  name: string,
  otherwise: number,
  least = 1,
  most = MOST,
): number {
  const text = values[name]
  if (text === undefined) return otherwise
  const number = Number(text)
  if (text !== '' && Number.isInteger(number) && number >= least && number <= most) return number
  throw new UsageError(`--${name} ${String(text)} is not a whole number from ${least} to ${most}`)
}

function profileNamed(name: string): Profile {
  const profile = PROFILES.find((known) => known === name)
  if (profile) return profile
  throw new UsageError(`unknown profile ${name}; there is: ${PROFILES.join(', ')}`)
}

function suiteNamed(name: string): SuiteName | null {
  if (name === 'none') return null
  if (isSuiteName(name)) return name
  throw new UsageError(`unknown suite ${name}; there is: ${SUITES.join(', ')}, none`)
}

/** Of `--impair`. @throws UsageError */
export function linkConditions(text: string): Partial<LinkConditions> {
  try {
    return parseConditions(text)
  } catch (error) {
    throw new UsageError(`--impair: ${error instanceof Error ? error.message : String(error)}`)
  }
}
