/** How often each limit was hit, by a name that the metrics show: those of sessions and of the relay. */

import type { SessionLimitName } from '../../moq/session/index.ts'
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
}

/** Hits by the value of the label `limit`. */
export type LimitHits = Record<string, number>

/** Every limit at zero. */
export function makeLimitHits(): LimitHits {
  const names = [...Object.values(OF_SESSION), ...RELAY_LIMIT_NAMES]
  return Object.fromEntries(names.map((name) => [name, 0]))
}

export function countLimit(hits: LimitHits, limit: RelayLimitName): void {
  hits[limit] = (hits[limit] ?? 0) + 1
}

export function countSessionLimit(hits: LimitHits, limit: SessionLimitName): void {
  const name = OF_SESSION[limit]
  hits[name] = (hits[name] ?? 0) + 1
}
