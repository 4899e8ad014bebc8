/**
 * The settings of the QUIC and WebSocket engines: which paths and authorities they serve, and what one
 * connection may cost.
 */

import { isIP } from 'node:net'
import { z } from 'zod'
import { countOption, type Option, sizeOption } from './config-values.ts'
import { DEFAULT_LIMITS, type EngineLimits, type ServedTargets } from './engine/index.ts'

/** Sizes are in bytes. An empty list serves all. */
export interface ConnectionSettings extends ServedTargets {
  readonly maxHandshakes: number
  readonly uniStreams: number
  readonly bidiStreams: number
  readonly connectionWindow: number
  readonly streamWindow: number
  /** Bytes of a session that may wait in the transport or be unacknowledged. */
  readonly sendBuffer: number
  /** Of these, bytes that may wait in one stream. */
  readonly streamSendBuffer: number
}

const SERVED = 'Addresses:'
const OF_CONNECTION = 'Limits of a connection:'

/** As many requests as a session may have: one more is refused in words, and does not just wait. */
const BIDI_STREAMS = 2048

const isPath = (text: string) => /^\/(?:[\w.~!$&'()*+;=:@/-]|%[0-9a-f]{2})*$/i.test(text)

function isAuthority(text: string): boolean {
  const [, address, name] = /^(?:\[([^\]]*)\]|([^[\]:]*))(?::\d{1,5})?$/.exec(text) ?? []
  if (address !== undefined) return isIP(address) === 6
  return /^(?=.{1,253}$)[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i.test(name ?? '')
}

/** Items with commas between them, or a list in the file; `all` is the empty list. */
function listOf(isItem: (text: string) => boolean, what: string) {
  const error = `must be all, or ${what}`
  const items = z.array(z.string({ error }).refine(isItem, { error }), { error }).min(1, { error })
  const all = z.literal('all').transform((): readonly string[] => [])
  const separated = z
    .string({ error })
    .transform((text) => text.split(',').map((item) => item.trim()))
    .pipe(items)
  return z.union([all, separated, items], { error })
}

function servedOption(
  flag: string,
  value: string,
  help: string,
  schema: z.ZodType<readonly string[]>,
) {
  const fallback: readonly string[] = []
  return { flag, value, help, group: SERVED, fallback, fallbackText: 'all', schema }
}

const ofConnection = (flag: string, help: string, fallback: number) => ({
  flag,
  help,
  fallback,
  group: OF_CONNECTION,
})

export const connectionOptions: {
  readonly [Key in keyof ConnectionSettings]: Option<ConnectionSettings[Key]>
} = {
  paths: servedOption(
    'paths',
    '<path,…>',
    'paths at which MoQT is served, e.g. /call',
    listOf(isPath, 'paths that begin with / and have no query, with commas between them'),
  ),
  authorities: servedOption(
    'authorities',
    '<host,…>',
    'hosts, with a port or at any, for which MoQT is served',
    listOf(isAuthority, 'hosts with or without a port, with commas between them'),
  ),
  maxHandshakes: countOption(
    ofConnection(
      'max-handshakes',
      'connections without a session yet, in all',
      DEFAULT_LIMITS.maxHandshakes,
    ),
    1,
    1_000_000,
  ),
  uniStreams: countOption(
    ofConnection('uni-streams', 'streams of media that it may open', DEFAULT_LIMITS.uniStreams),
    16,
    1_000_000,
  ),
  bidiStreams: countOption(
    ofConnection('bidi-streams', 'streams of requests that it may open', BIDI_STREAMS),
    4,
    1_000_000,
  ),
  connectionWindow: sizeOption(
    ofConnection(
      'connection-window',
      'bytes that it may send before we read',
      DEFAULT_LIMITS.connectionWindow,
    ),
    '64KiB',
    '1GiB',
  ),
  streamWindow: sizeOption(
    ofConnection('stream-window', 'of these, in one stream', DEFAULT_LIMITS.streamWindow),
    '16KiB',
    '1GiB',
  ),
  sendBuffer: sizeOption(
    ofConnection(
      'send-buffer',
      'bytes that the transport holds or it has not acknowledged; more ends it',
      DEFAULT_LIMITS.sessionBuffer,
    ),
    '256KiB',
    '16GiB',
  ),
  streamSendBuffer: sizeOption(
    ofConnection(
      'stream-send-buffer',
      'bytes that wait in one stream; more ends it',
      DEFAULT_LIMITS.streamBuffer,
    ),
    '64KiB',
    '16GiB',
  ),
}

type EngineSettings = Omit<ConnectionSettings, keyof ServedTargets> & {
  readonly maxSessions: number
  readonly idleTimeoutMs: number
  readonly handshakeTimeoutMs: number
}

/** Limits of the engines, from the settings. */
export function engineLimitsOf(settings: EngineSettings): EngineLimits {
  return {
    maxSessions: settings.maxSessions,
    maxHandshakes: settings.maxHandshakes,
    idleTimeoutMs: settings.idleTimeoutMs,
    handshakeTimeoutMs: settings.handshakeTimeoutMs,
    uniStreams: settings.uniStreams,
    bidiStreams: settings.bidiStreams,
    connectionWindow: settings.connectionWindow,
    streamWindow: Math.min(settings.streamWindow, settings.connectionWindow),
    sessionBuffer: settings.sendBuffer,
    streamBuffer: Math.min(settings.streamSendBuffer, settings.sendBuffer),
    datagramQueue: DEFAULT_LIMITS.datagramQueue,
    udpPayload: DEFAULT_LIMITS.udpPayload,
  }
}
