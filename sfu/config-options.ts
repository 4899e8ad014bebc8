/**
 * The relay's settings, one table: the name, the default, what is allowed and the help of each.
 * Flags, `SOTTO_` variables and keys of the configuration file are all derived from it, so that
 * the three cannot drift apart. `config.ts` reads them.
 */

import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { type CongestionSettings, congestionOptions } from './config-congestion.ts'
import { type ConnectionSettings, connectionOptions } from './config-connection.ts'
import { type DeliverySettings, deliveryOptions } from './config-delivery.ts'
import { type LimitSettings, limitOptions } from './config-limits.ts'
import { type OperateSettings, operateOptions } from './config-operate.ts'
import { type PublishSettings, publishOptions } from './config-police.ts'
import { duration, type Option, size, wholeNumber } from './config-values.ts'

/** Who may enter: everyone, or bearers of a token signed by a key of this JSON Web Key Set. */
export type AuthSetting =
  | { readonly kind: 'none' }
  | { readonly kind: 'jwks-file'; readonly path: string }
  | { readonly kind: 'jwks-url'; readonly url: string }

export const engines = ['auto', 'fails', 'quiche'] as const
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export const logFormats = ['auto', 'json', 'text'] as const

/** The settings after validation. Times are in milliseconds and sizes in bytes. */
export interface Settings
  extends LimitSettings,
    PublishSettings,
    ConnectionSettings,
    CongestionSettings,
    DeliverySettings,
    OperateSettings {
  /** Address that the relay and the call page listen on. */
  readonly host: string
  /** UDP for QUIC, TCP for the WebSocket fallback. 0 takes any free port. */
  readonly port: number
  /** Processes that serve calls; above 1 each has a port of its own, from `port` on. */
  readonly workers: number
  readonly httpPort: number
  readonly opsHost: string
  readonly opsPort: number
  /** `https://host[:port][/path]` told to browsers, without a final slash; null derives it. */
  readonly publicUrl: string | null
  /** Serve the call page over HTTPS with the relay's certificate. */
  readonly https: boolean
  readonly tlsCert: string | null
  readonly tlsKey: string | null
  readonly engine: (typeof engines)[number]
  readonly auth: AuthSetting
  readonly maxSessions: number
  readonly maxSessionsPerAddress: number
  readonly handshakeTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly sessionBufferBytes: number
  readonly drainTimeoutMs: number
  readonly drainTo: string | null
  readonly logLevel: (typeof logLevels)[number]
  readonly logFormat: (typeof logFormats)[number]
  /** Prefix of the files that TLS secrets are written to, one a connection; null writes none. */
  readonly keylog: string | null
}

const port = wholeNumber(0, 65_535)

function oneOf<const Names extends readonly string[]>(names: Names) {
  return z.enum(names, { error: `must be one of ${names.join(', ')}` })
}

function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^(?=.{1,253}$)[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i.test(text)
}

const hostError = 'must be an IP address or a host name, without a port'
const host = z.string({ error: hostError }).refine(isHost, { error: hostError })

const pathError = 'must be the path of a file'
const path = z
  .string({ error: pathError })
  .min(1, { error: pathError })
  .refine((text) => !text.includes('\0'), { error: pathError })
  .nullable()

const switchError = 'must be true or false'
const toggle = z.union(
  [
    z.boolean(),
    z.enum(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1'),
  ],
  { error: switchError },
)

const publicUrlError = 'must be an https:// address without user, query or fragment'
const publicUrl = z
  .string({ error: publicUrlError })
  .refine((text) => {
    const url = URL.parse(text)
    return (
      url?.protocol === 'https:' && `${url.username}${url.password}${url.search}${url.hash}` === ''
    )
  }, publicUrlError)
  .transform((text) => new URL(text).href.replace(/\/+$/, ''))
  .nullable()

const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]'])
const authError = 'must be none, or a JWKS: the path of a file, or an https:// URL'
const auth = z
  .string({ error: authError })
  .min(1, { error: authError })
  .transform((text, context): AuthSetting => {
    if (text === 'none') return { kind: 'none' }
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { kind: 'jwks-file', path: text }
    const url = URL.parse(text)
    const secure = url?.protocol === 'https:'
    if (secure || (url?.protocol === 'http:' && loopbackNames.has(url.hostname))) {
      return { kind: 'jwks-url', url: text }
    }
    context.addIssue({ code: 'custom', message: authError })
    return z.NEVER
  })

/** More of them would be more than one machine has use for. */
const MOST_WORKERS = 64
const workersError = `must be a whole number from 1 to ${MOST_WORKERS}, or auto`
const workers = z
  .union([z.literal('auto'), z.number(), z.string().regex(/^\d+$/).transform(Number)], {
    error: workersError,
  })
  .transform((number) =>
    number === 'auto' ? Math.min(MOST_WORKERS, availableParallelism()) : number,
  )
  .refine((number) => Number.isInteger(number) && number >= 1 && number <= MOST_WORKERS, {
    error: workersError,
  })

const addresses = 'Addresses:'
const admission = 'Security:'
const limits = 'Limits:'
const diagnosis = 'Diagnosis:'

export const options: { readonly [Key in keyof Settings]: Option<Settings[Key]> } = {
  host: {
    flag: 'host',
    value: '<address>',
    help: 'address to listen on; 0.0.0.0 or :: for all',
    group: addresses,
    fallback: '127.0.0.1',
    fallbackText: '127.0.0.1',
    schema: host,
  },
  port: {
    flag: 'port',
    value: '<number>',
    help: 'the relay: UDP for QUIC, TCP for WebSocket; 0 takes any free port',
    group: addresses,
    fallback: 4433,
    fallbackText: '4433',
    schema: port,
  },
  workers: {
    flag: 'workers',
    value: '<number|auto>',
    help: 'processes that serve calls, each on a port of its own from --port on; auto: as many as cores',
    group: addresses,
    fallback: 1,
    fallbackText: '1',
    schema: workers,
  },
  httpPort: {
    flag: 'http-port',
    value: '<number>',
    help: 'the call page',
    group: addresses,
    fallback: 8080,
    fallbackText: '8080',
    schema: port,
  },
  opsHost: {
    flag: 'ops-host',
    value: '<address>',
    help: 'address for health, metrics, drain and revocation; no password protects them',
    group: addresses,
    fallback: '127.0.0.1',
    fallbackText: '127.0.0.1',
    schema: host,
  },
  opsPort: {
    flag: 'ops-port',
    value: '<number>',
    help: 'health, metrics, drain and revocation',
    group: addresses,
    fallback: 9464,
    fallbackText: '9464',
    schema: port,
  },
  publicUrl: {
    flag: 'public-url',
    value: '<url>',
    help: 'address of the relay as browsers reach it, where it differs from --host and --port',
    group: addresses,
    fallback: null,
    fallbackText: null,
    schema: publicUrl,
  },
  drainTo: {
    flag: 'drain-to',
    value: '<url>',
    help: 'relay to which callers are sent when this one drains; else they come back to this address',
    group: addresses,
    fallback: null,
    fallbackText: null,
    schema: publicUrl,
  },
  https: {
    flag: 'https',
    value: null,
    help: 'serve the call page over HTTPS with the same certificate',
    group: addresses,
    fallback: false,
    fallbackText: null,
    schema: toggle,
  },
  tlsCert: {
    flag: 'tls-cert',
    value: '<file>',
    help: 'certificate chain, PEM, leaf first; without it a short-lived one is made and renewed',
    group: admission,
    fallback: null,
    fallbackText: null,
    schema: path,
  },
  tlsKey: {
    flag: 'tls-key',
    value: '<file>',
    help: 'private key of --tls-cert, PEM',
    group: admission,
    fallback: null,
    fallbackText: null,
    schema: path,
  },
  auth: {
    flag: 'auth',
    value: '<none|jwks>',
    help: 'who may enter: anyone, or bearers of a token signed by a key of this JWKS file or URL',
    group: admission,
    fallback: { kind: 'none' },
    fallbackText: 'none',
    schema: auth,
  },
  engine: {
    flag: 'engine',
    value: `<${engines.join('|')}>`,
    help: 'QUIC engine; auto takes fails where its native part is installed, else quiche',
    group: admission,
    fallback: 'auto',
    fallbackText: 'auto',
    schema: oneOf(engines),
  },
  maxSessions: {
    flag: 'max-sessions',
    value: '<number>',
    help: 'sessions at one time',
    group: limits,
    fallback: 2000,
    fallbackText: '2000',
    schema: wholeNumber(1, 1_000_000),
  },
  maxSessionsPerAddress: {
    flag: 'max-sessions-per-address',
    value: '<number>',
    help: 'sessions at one time from one IP address',
    group: limits,
    fallback: 500,
    fallbackText: '500',
    schema: wholeNumber(1, 1_000_000),
  },
  handshakeTimeoutMs: {
    flag: 'handshake-timeout',
    value: '<time>',
    help: 'from the first packet to a working MoQT session',
    group: limits,
    fallback: 10_000,
    fallbackText: '10s',
    schema: duration('100ms', '5m'),
  },
  idleTimeoutMs: {
    flag: 'idle-timeout',
    value: '<time>',
    help: 'silence after which a session is given up',
    group: limits,
    fallback: 15_000,
    fallbackText: '15s',
    schema: duration('1s', '1h'),
  },
  sessionBufferBytes: {
    flag: 'session-buffer',
    value: '<size>',
    help: 'bytes that may wait for one session',
    group: limits,
    fallback: 16 * 2 ** 20,
    fallbackText: '16MiB',
    schema: size('64KiB', '1GiB'),
  },
  drainTimeoutMs: {
    flag: 'drain-timeout',
    value: '<time>',
    help: 'how long callers may take to move away after SIGTERM or POST /drain',
    group: limits,
    fallback: 10_000,
    fallbackText: '10s',
    schema: duration('0ms', '24h'),
  },
  ...connectionOptions,
  ...congestionOptions,
  ...limitOptions,
  ...publishOptions,
  ...deliveryOptions,
  ...operateOptions,
  logLevel: {
    flag: 'log-level',
    value: `<${logLevels.join('|')}>`,
    help: 'least severe line that is written',
    group: diagnosis,
    fallback: 'info',
    fallbackText: 'info',
    schema: oneOf(logLevels),
  },
  logFormat: {
    flag: 'log-format',
    value: `<${logFormats.join('|')}>`,
    help: 'auto writes text to a terminal and JSON elsewhere',
    group: diagnosis,
    fallback: 'auto',
    fallbackText: 'auto',
    schema: oneOf(logFormats),
  },
  keylog: {
    flag: 'keylog',
    value: '<file>',
    help: 'write TLS secrets to <file>.0, <file>.1, … for a packet analyser (quiche engine)',
    group: diagnosis,
    fallback: null,
    fallbackText: null,
    schema: path,
  },
}
