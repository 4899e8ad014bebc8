/**
 * The relay's log: one JSON object a line, or a line of text for a person at a terminal. Secrets
 * never reach it: neither under a name that says so, nor inside a string.
 */

import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'

export interface LogOptions {
  readonly level: string
  /** `auto` writes text where stdout is a terminal. */
  readonly format: 'auto' | 'json' | 'text'
  /** Number of the worker process that writes, of several. */
  readonly worker?: number
  /** Standard output unless told. */
  readonly destination?: DestinationStream
}

const secretNames = [
  'accessToken',
  'authorization',
  'baseKey',
  'cookie',
  'jwt',
  'key',
  'keyPem',
  'password',
  'privateKey',
  'secret',
  'token',
]
/** Fields at the top, and down to two levels below. */
const secretPaths = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

const secretTexts: readonly (readonly [RegExp, string])[] = [
  // A JSON Web Token or other JOSE compact serialization.
  [/\beyJ[\w-]{8,}(?:\.[\w-]*){2,4}/g, '[redacted]'],
  // A query parameter, e.g. of the path that a session asked for.
  [/([?&](?:access_token|auth|authorization|jwt|key|secret|token)=)[^&\s"\\]+/gi, '$1[redacted]'],
  [
    /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?="))/gs,
    '[redacted]',
  ],
]

function scrub(line: string): string {
  return secretTexts.reduce((text, [secret, instead]) => text.replace(secret, instead), line)
}

export function createLogger({ level, format, worker, destination }: LogOptions): Logger {
  const asText = format === 'text' || (format === 'auto' && process.stdout.isTTY === true)
  const out = destination ?? pino.destination({ fd: 1, sync: true })
  return pino(
    {
      level,
      base: worker === undefined ? null : { worker },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretPaths, censor: '[redacted]' },
      hooks: { streamWrite: scrub },
    },
    asText ? { write: (line: string) => void out.write(toText(line)) } : out,
  )
}

/** `12:03:04.567 INFO  ready relay=https://127.0.0.1:4433`; a stack trace follows on its own lines. */
export function toText(line: string): string {
  let entry: Record<string, unknown>
  try {
    entry = JSON.parse(line)
  } catch {
    return line
  }
  const { time, level, msg, err, ...fields } = entry
  const parts = [`${time ?? ''}`.slice(11, 23), `${level ?? ''}`.toUpperCase().padEnd(5)]
  if (msg !== undefined) parts.push(printable(String(msg)))
  for (const [name, value] of Object.entries(fields)) {
    const plain = typeof value === 'string' && /^[^\s"=]+$/.test(value)
    parts.push(`${name}=${printable(plain ? value : JSON.stringify(value))}`)
  }
  return `${parts.join(' ')}\n${describeError(err)}`
}

function describeError(err: unknown): string {
  if (typeof err !== 'object' || err === null) return ''
  const stack = 'stack' in err ? err.stack : 'message' in err ? err.message : undefined
  if (typeof stack !== 'string') return ''
  const lines = stack.split('\n').map((line) => `    ${printable(line)}\n`)
  return lines.join('')
}

/** A peer's bytes must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '�')
}
