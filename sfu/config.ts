/**
 * The relay's configuration: flags over `SOTTO_` variables over the configuration file over
 * defaults, validated into one typed `Config`. Whatever is wrong is said in one line that names
 * where the value came from and what to do.
 */

import { Argument, Command, CommanderError, Option as CommandOption } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import { options, type Settings } from './config-options.ts'
import type { Option } from './config-values.ts'
import { refuseTarget } from './engine/index.ts'
import { describeFileError } from './operate/file-error.ts'

export type { AuthSetting, Settings } from './config-options.ts'

/** The version of this package, e.g. `0.1.0`. */
export const version: string = manifest.version

export interface Config extends Settings {
  /** `check-config` validates and exits. */
  readonly command: 'start' | 'check-config'
}

/** `--help` or `--version`: print `text` and exit 0. */
export interface Print {
  readonly command: 'print'
  readonly text: string
}

/** The configuration cannot be used. The message is one line for the operator. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

type Key = keyof Settings
type Environment = Readonly<Record<string, string | undefined>>

/** A value as it was given, and the words that say where. */
interface Given {
  readonly value: unknown
  readonly origin: string
}

const keys = Object.keys(options) as Key[]
const prefix = 'SOTTO_'

const flagOf = (key: Key): string => `--${options[key].flag}`
const variableOf = (key: Key): string =>
  `${prefix}${options[key].flag.replaceAll('-', '_').toUpperCase()}`
/** A key of the file is its flag in camel case, so that `--idle-timeout` is `idleTimeout`. */
const fileKeyOf = (key: Key): string =>
  options[key].flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())

/**
 * Reads the command line, the environment and the configuration file.
 * @param argv arguments after the script's name
 * @param readFile returns a file as text or throws; also used to see that named files can be read
 * @throws ConfigError
 */
export function parseConfig(
  argv: readonly string[],
  env: Environment,
  readFile: (path: string) => string,
): Config | Print {
  const line = readCommandLine(argv)
  if ('text' in line) return line
  const variables = readVariables(env)
  const configPath = line.configFile ?? env[`${prefix}CONFIG`] ?? ''
  const file = configPath === '' ? new Map<Key, Given>() : readConfigFile(configPath, readFile)

  const find = (key: Key): Given | undefined =>
    line.given.get(key) ?? variables.get(key) ?? file.get(key)
  const settings = Object.fromEntries(
    keys.map((key) => [key, validate<unknown>(options[key], find(key))]),
  ) as unknown as Settings // each entry was produced by the schema of its own key
  const config: Config = { command: line.command, ...settings }
  checkTogether(config)
  checkFiles(config, readFile, (key) => find(key)?.origin ?? flagOf(key))
  return config
}

function validate<Value>(option: Option<Value>, given: Given | undefined): Value {
  if (given === undefined) return option.fallback
  const result = option.schema.safeParse(given.value)
  if (result.success) return result.data
  const reason = result.error.issues[0]?.message ?? 'is not valid'
  throw new ConfigError(`${given.origin} ${reason}; it is ${quote(given.value)}`)
}

interface CommandLine {
  readonly command: Config['command']
  readonly configFile: string | undefined
  readonly given: ReadonlyMap<Key, Given>
}

function readCommandLine(argv: readonly string[]): CommandLine | Print {
  let printed = ''
  const program = describeProgram()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        printed += text
      },
      writeErr: () => {},
    })
  try {
    program.parse([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { command: 'print', text: printed }
    throw new ConfigError(tidy(error.message))
  }
  const values = program.opts<Record<string, unknown>>()
  const given = new Map<Key, Given>()
  for (const key of keys) {
    const value = values[fileKeyOf(key)]
    if (value !== undefined) given.set(key, { value, origin: flagOf(key) })
  }
  return {
    command: program.processedArgs[0] === 'check-config' ? 'check-config' : 'start',
    configFile: typeof values.config === 'string' ? values.config : undefined,
    given,
  }
}

/** Commander's sentence as one line of ours. */
function tidy(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.+)\?\)/, '; did you mean $1?')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/([^?.])$/, '$1; see --help')
    .replace(/\.$/, '; see --help')
}

function describeProgram(): Command {
  const program = new Command('sotto')
    .usage('[start|check-config] [flags]')
    .description('An end-to-end-encrypted media relay over Media over QUIC.')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this')
    .addArgument(
      new Argument('[command]', 'start the relay, or validate the configuration and exit')
        .choices(['start', 'check-config'])
        .default('start'),
    )
    .addOption(
      new CommandOption('--config <file>', 'JSON file with these settings, e.g. {"httpPort": 80}'),
    )
  for (const key of keys) {
    const { flag, value, help, group, fallbackText } = options[key]
    const text = fallbackText === null ? help : `${help} (default: ${fallbackText})`
    program.addOption(
      new CommandOption(value === null ? `--${flag}` : `--${flag} ${value}`, text).helpGroup(group),
    )
  }
  return program.addHelpText(
    'after',
    `
Flags go before variables, variables before the file, the file before defaults.
The variable of --http-port is SOTTO_HTTP_PORT, its key in the file is httpPort.
Times have a unit (500ms, 30s, 2m, 1h), sizes too (64KiB, 16MiB), and rates (500kbit, 5Mbit).
Keys and tokens for --auth are made with: sotto token --help`,
  )
}

function readVariables(env: Environment): Map<Key, Given> {
  const byName = new Map(keys.map((key) => [variableOf(key), key]))
  const given = new Map<Key, Given>()
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(prefix) || name === `${prefix}CONFIG`) continue
    const key = byName.get(name)
    if (key === undefined) {
      throw new ConfigError(`unknown variable ${name}${suggestion(name, [...byName.keys()])}`)
    }
    // An empty variable is how container tools pass one that is not set.
    if (value !== undefined && value !== '') given.set(key, { value, origin: name })
  }
  return given
}

function readConfigFile(path: string, readFile: (path: string) => string): Map<Key, Given> {
  const text = readNamed(path, readFile, '--config')
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/\s+/g, ' ') : String(error)
    throw new ConfigError(`${path} is not valid JSON: ${reason}`)
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new ConfigError(`${path} must hold one JSON object, e.g. {"httpPort": 8080}`)
  }
  const byName = new Map(keys.map((key) => [fileKeyOf(key), key]))
  const given = new Map<Key, Given>()
  for (const [name, value] of Object.entries(content)) {
    const key = byName.get(name)
    if (key === undefined) {
      const hint = suggestion(name, [...byName.keys()])
      throw new ConfigError(`unknown key ${quote(name)} in ${path}${hint}`)
    }
    given.set(key, { value, origin: `${quote(name)} in ${path}` })
  }
  return given
}

function readNamed(path: string, readFile: (path: string) => string, origin: string): string {
  try {
    return readFile(path)
  } catch (error) {
    throw new ConfigError(`${origin}: cannot read ${path}: ${describeFileError(error)}`)
  }
}

function checkTogether(config: Config): void {
  if (config.tlsCert !== null && config.tlsKey === null) {
    throw new ConfigError('--tls-cert needs its private key: add --tls-key <file>')
  }
  if (config.tlsKey !== null && config.tlsCert === null) {
    throw new ConfigError('--tls-key needs its certificate: add --tls-cert <file>')
  }
  if (config.minRate > config.startRate || config.startRate > config.maxRate) {
    throw new ConfigError('--start-rate must lie between --min-rate and --max-rate')
  }
  if (config.workers > 1 && config.delivery === 'none') {
    throw new ConfigError('--delivery none needs --workers 1: a delivery service has one relay')
  }
  checkPorts(config)
}

function checkPorts(config: Config): void {
  const last = config.port + config.workers - 1
  if (last > 65_535) {
    throw new ConfigError(
      `--workers ${config.workers} needs ports up to ${last}; choose a lower --port`,
    )
  }
  const taken = new Map<number, Key>()
  for (let port = config.port + 1; config.port !== 0 && port <= last; port++)
    taken.set(port, 'workers')
  for (const key of ['port', 'httpPort', 'opsPort'] as const) {
    const other = taken.get(config[key])
    if (other !== undefined && config[key] !== 0) {
      const names = `${flagOf(other)} and ${flagOf(key)}`
      const both = other === 'workers' ? 'both need' : 'are both'
      throw new ConfigError(`${names} ${both} ${config[key]}; choose two ports`)
    }
    taken.set(config[key], key)
  }
}

function checkFiles(
  config: Config,
  readFile: (path: string) => string,
  originOf: (key: Key) => string,
): void {
  for (const key of ['tlsCert', 'tlsKey'] as const) {
    const path = config[key]
    if (path !== null) readNamed(path, readFile, originOf(key))
  }
  if (config.auth.kind === 'jwks-file') readNamed(config.auth.path, readFile, originOf('auth'))
}

const loopback = /^(localhost|127(\.\d+){3}|::1)$/i

/** Everybody may enter, and only this machine reaches the relay. */
export function isOpenOnLoopback({ auth, host }: Config): boolean {
  return auth.kind === 'none' && loopback.test(host)
}

/** What an operator should know about a configuration that is valid. One line each. */
export function configWarnings(config: Config): string[] {
  const warnings: string[] = []
  if (config.auth.kind === 'none' && !loopback.test(config.host)) {
    warnings.push(
      'anyone who reaches the relay may join any room whose name they know: add --auth <jwks>',
    )
  }
  if (!loopback.test(config.host) && !config.https) {
    const page = 'browsers give camera and microphone only to https:// pages or localhost'
    warnings.push(`${page}: add --https, or put a TLS proxy before --http-port`)
  }
  if (config.publicUrl !== null) {
    const { pathname, host } = new URL(config.publicUrl)
    if (refuseTarget(config, { path: pathname, authority: host }) !== null) {
      warnings.push(
        '--public-url is not among --paths and --authorities: callers are refused unless a proxy changes it',
      )
    }
  }
  if (!loopback.test(config.opsHost)) {
    warnings.push(
      'health, metrics, drain and revocation have no password: keep --ops-host off public networks',
    )
  }
  if (config.keylog !== null) {
    warnings.push('--keylog writes the secrets of every connection: use it for diagnosis only')
  }
  return warnings
}

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

function suggestion(name: string, candidates: readonly string[]): string {
  const near = candidates
    .map((candidate) => ({ candidate, steps: editDistance(name, candidate) }))
    .filter(({ candidate, steps }) => steps <= Math.max(2, candidate.length * 0.3))
    .sort((a, b) => a.steps - b.steps)[0]
  return near === undefined ? '; see --help for the names' : `; did you mean ${near.candidate}?`
}

/** How many letters differ between two names (Levenshtein), whatever their case. */
function editDistance(a: string, b: string): number {
  const left = a.toLowerCase()
  const right = b.toLowerCase()
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    for (let j = 1; j <= right.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[right.length] ?? 0
}
