/**
 * The relay: joins publishers and subscribers of tracks by name (draft-18 section 9), fans objects out
 * and answers fetches from its cache and from publishers.
 */

export { guardedClock } from './guarded-clock.ts'
export { dumpRoom, type RelayLevels, relayLevels } from './levels.ts'
export {
  DEFAULT_RELAY_LIMITS,
  RELAY_LIMIT_NAMES,
  type RelayLimitName,
  type RelayLimits,
} from './limits.ts'
export { Peer } from './peer.ts'
export type { Place, Placement } from './placed-host.ts'
export { Relay, type RelayOptions } from './relay.ts'
export { participantsByRoom, type RoomView, viewRoom } from './room-view.ts'
export type { RelayTally } from './tally.ts'
