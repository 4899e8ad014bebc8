/**
 * How often each limit was hit, by a name that the metrics show: those of sessions, of the relay, of
 * its engines, of tokens and of the door. `sfu/LIMITS.md` has a row for each.
 */

import type { SessionLimitName } from '../../moq/session/index.ts'
import { ENGINE_LIMIT_NAMES, type EngineLimitName } from '../engine/index.ts'
import { RELAY_LIMIT_NAMES, type RelayLimitName } from '../relay/limits.ts'

const OF_SESSION: Readonly<Record<SessionLimitName, string>> = {
  maxObjectBytes: 'object-bytes',
  maxPropertiesBytes: 'properties-bytes',
  maxNameBytes: 'name-bytes',
  maxRequests: 'requests',
  controlBytesPerSecond: 'control-rate',
  maxDataStreams: 'data-streams',
  earlyStreams: 'early-streams',
  earlyDatagrams: 'early-datagrams',
  setupMs: 'setup-time',
  dataStreamMs: 'stream-time',
  maxUnreadRequestBytes: 'unread-answers',
  maxRequestUpdates: 'updates',
}

/** Limits of the relay process as a whole. */
const OF_PROCESS = [
  /** Sessions from one address: one was refused. The engines share the name `sessions`. */
  'address-sessions',
  /** MAX_AUTH_TOKEN_CACHE_SIZE: a token was not registered. */
  'token-cache',
  /** `/rooms` left out a room or a group, and entries of a list. */
  'rooms-shown',
  'rooms-entries',
  /** The event loop was later than it may be for the relay to be ready, for some seconds. */
  'loop-lag',
] as const

/** What is counted under its own name. */
export type LimitName = RelayLimitName | EngineLimitName | (typeof OF_PROCESS)[number]

/** Hits by the value of the label `limit`. */
export type LimitHits = Record<string, number>

/** Every limit at zero. */
export function makeLimitHits(): LimitHits {
  const names = [
    ...ENGINE_LIMIT_NAMES,
    ...Object.values(OF_SESSION),
    ...RELAY_LIMIT_NAMES,
    ...OF_PROCESS,
  ]
  return Object.fromEntries(names.map((name) => [name, 0]))
}

export function countLimit(hits: LimitHits, limit: LimitName): void {
  hits[limit] = (hits[limit] ?? 0) + 1
}

export function countSessionLimit(hits: LimitHits, limit: SessionLimitName): void {
  const name = OF_SESSION[limit]
  hits[name] = (hits[name] ?? 0) + 1
}
