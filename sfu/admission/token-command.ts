/**
 * `sotto token`: makes signing keys and tokens on the command line, for trying the relay out and for
 * small installations. Larger ones sign tokens in their own application.
 */

import { Command, CommanderError } from 'commander'
import { MediaFormatError } from '../../moq/media/errors.ts'
import { checkId } from '../../moq/media/names.ts'
import { namespaceOf } from '../../moq/wire/names.ts'
import { duration } from '../config-values.ts'
import type { Algorithm } from './jwks.ts'
import { KeyFileError, readSigningKey, writeKeyFiles } from './key-files.ts'
import { makeSigningKey, signToken } from './make-token.ts'
import { MAX_TOKEN_BYTES } from './tokens.ts'

/** The command cannot be carried out. The message is one line for a person. */
export class TokenCommandError extends Error {
  override readonly name = 'TokenCommandError'
}

export interface TokenCommandContext {
  /** ms since 1970. */
  readonly wallClock: () => number
  readonly randomId: () => string
}

export interface CommandOutput {
  /** For pipes: the token and nothing else, or what was made. */
  readonly stdout: string
  /** For the person. */
  readonly stderr: string
}

interface IssueOptions {
  readonly key: string
  readonly room: string
  readonly sub?: string
  readonly publish?: readonly string[]
  readonly subscribe?: readonly string[]
  readonly ttl: string
  readonly jti?: string
  readonly cnf?: string
}

const EXAMPLES = `
A namespace is written with slashes, or as JSON where a field holds one: a/b or ["a/b","c"].

With --cnf the token is of use only to who holds that key. A browser's call library makes the key and
the proof (joinCall({ token: ({ thumbprint }) => ... })); a Node client makes them with makeSigningKey,
thumbprintOf and signKeyProof of sfu/admission/make-token.ts, and sends the proof beside the token as an
AUTHORIZATION TOKEN of type 0x504f50, a new one each time.

Examples:
  sotto token keys --out keys
  sotto token issue --key keys/signing-key.json --room demo --sub ada
  sotto token issue --key keys/signing-key.json --room demo --sub ada --cnf <thumbprint>
  sotto start --auth keys/jwks.json`
const TTL = { least: '1s', most: '8784h' } as const
const ttlSchema = duration(TTL.least, TTL.most)

/**
 * @param argv arguments after `token`
 * @throws TokenCommandError
 */
export async function runTokenCommand(
  argv: readonly string[],
  context: TokenCommandContext,
): Promise<CommandOutput> {
  let output: CommandOutput = { stdout: '', stderr: '' }
  let printed = ''
  const program = describe({
    keys: async (options) => {
      output = await makeKeys(options)
    },
    issue: async (options) => {
      output = await issue(options, context)
    },
  })
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => {
        printed += text
      },
      writeErr: (text) => {
        printed += text
      },
    })
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0 || argv.length === 0) return { stdout: printed, stderr: '' }
      throw new TokenCommandError(`${oneLine(error.message)}; see sotto token --help`)
    }
    if (error instanceof KeyFileError) throw new TokenCommandError(error.message)
    throw error
  }
  return output
}

interface Actions {
  keys(options: { out: string; algorithm: string }): Promise<void>
  issue(options: IssueOptions): Promise<void>
}

function describe(actions: Actions): Command {
  const program = new Command('sotto token')
    .description('Makes signing keys, and tokens that let people in where the relay has --auth.')
    .helpOption('-h, --help', 'print this')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES)
  program
    .command('keys')
    .description('make a key pair: a secret signing key, and the JWKS for --auth')
    .requiredOption('--out <folder>', 'where to write signing-key.json and jwks.json')
    .option('--algorithm <name>', 'EdDSA or ES256', 'EdDSA')
    .helpOption('-h, --help', 'print this')
    .action(actions.keys)
  program
    .command('issue')
    .description('sign a token and print it')
    .requiredOption('--key <file>', 'the signing key')
    .requiredOption('--room <name>', 'the room that it opens')
    .option('--sub <id>', 'participant id, one for each call of each person; random unless told')
    .option('--publish <namespace...>', 'what may be published besides the own namespace')
    .option('--subscribe <namespace...>', 'what may be subscribed to besides the room')
    .option('--ttl <time>', `how long it is valid, ${TTL.least} to ${TTL.most}`, '1h')
    .option('--jti <id>', 'name of the token, to revoke it by; random unless told')
    .option(
      '--cnf <thumbprint>',
      "RFC 7638 thumbprint of the participant's own key, which it then has to prove to hold",
    )
    .helpOption('-h, --help', 'print this')
    .action(actions.issue)
  return program
}

async function makeKeys(options: { out: string; algorithm: string }): Promise<CommandOutput> {
  const { algorithm } = options
  if (!isAlgorithm(algorithm)) throw wrong('--algorithm', 'EdDSA or ES256', algorithm)
  const files = await writeKeyFiles(options.out, await makeSigningKey(algorithm))
  return {
    stdout: `${files.signingKey}\n${files.jwks}\n`,
    stderr:
      `${files.signingKey} is secret: whoever has it can admit anybody.\n` +
      `Start the relay with --auth ${files.jwks}\n`,
  }
}

async function issue(options: IssueOptions, context: TokenCommandContext): Promise<CommandOutput> {
  const { room, cnf } = options
  const participant = options.sub ?? context.randomId()
  const tokenId = options.jti ?? context.randomId()
  checkName('--room', 'room', room)
  checkName('--sub', 'participant', participant)
  if (tokenId === '' || tokenId.length > 256) {
    throw wrong('--jti', 'from 1 to 256 characters', tokenId)
  }
  if (cnf !== undefined && !/^[A-Za-z0-9_-]{43}$/.test(cnf)) {
    throw wrong('--cnf', '43 characters of base64url, a SHA-256 thumbprint', cnf)
  }
  const lifetime = ttlSchema.safeParse(options.ttl)
  if (!lifetime.success) {
    throw wrong('--ttl', `a time from ${TTL.least} to ${TTL.most}, e.g. 30m`, options.ttl)
  }
  const expires = context.wallClock() + lifetime.data
  const { key, warning } = await readSigningKey(options.key)
  const token = await signToken(key, {
    room,
    participant,
    expires,
    tokenId,
    ...(options.publish && { publish: prefixesOf('--publish', options.publish) }),
    ...(options.subscribe && { subscribe: prefixesOf('--subscribe', options.subscribe) }),
    ...(cnf !== undefined && { confirmationThumbprint: cnf }),
  })
  if (token.length > MAX_TOKEN_BYTES) {
    throw new TokenCommandError(
      `the token has ${token.length} bytes, and a relay takes ${MAX_TOKEN_BYTES}: name fewer namespaces`,
    )
  }
  const told = { room, sub: participant, jti: tokenId, expires: new Date(expires).toISOString() }
  const lines = [...(warning === null ? [] : [warning]), JSON.stringify(told)]
  return { stdout: `${token}\n`, stderr: `${lines.join('\n')}\n` }
}

function checkName(flag: string, what: 'room' | 'participant', name: string): void {
  try {
    checkId(what, name)
  } catch (error) {
    if (!(error instanceof MediaFormatError)) throw error
    throw new TokenCommandError(`${flag} cannot be used: ${error.message}`)
  }
}

const MAX_PREFIXES = 64

function prefixesOf(flag: string, given: readonly string[]): string[][] {
  if (given.length > MAX_PREFIXES) {
    throw new TokenCommandError(`${flag} is given ${given.length} times, at most ${MAX_PREFIXES}`)
  }
  return given.map((text) => {
    const fields = text.startsWith('[') ? fromJson(text) : text.split('/')
    if (!fields?.every((field) => field !== '') || !isNamespace(fields)) {
      throw wrong(flag, 'a namespace of up to 32 fields, e.g. sotto/demo or ["sotto","demo"]', text)
    }
    return fields
  })
}

function fromJson(text: string): string[] | null {
  try {
    const value: unknown = JSON.parse(text)
    const strings = Array.isArray(value) && value.every((field) => typeof field === 'string')
    return strings ? value : null
  } catch {
    return null
  }
}

function isNamespace(fields: readonly string[]): boolean {
  try {
    namespaceOf(...fields)
    return fields.length <= 32
  } catch {
    return false
  }
}

function isAlgorithm(name: string): name is Algorithm {
  return name === 'EdDSA' || name === 'ES256'
}

function wrong(flag: string, must: string, value: string): TokenCommandError {
  const shown = value.length > 80 ? `${value.slice(0, 77)}…` : value
  return new TokenCommandError(`${flag} must be ${must}; it is ${JSON.stringify(shown)}`)
}

/** Commander's sentence as one line of ours. */
function oneLine(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '')
}
