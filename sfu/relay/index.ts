export { dumpRooms, type RelayLevels, relayLevels } from './levels.ts'
export {
  DEFAULT_RELAY_LIMITS,
  RELAY_LIMIT_NAMES,
  type RelayLimitName,
  type RelayLimits,
} from './limits.ts'
export { Peer } from './peer.ts'
export { Relay, type RelayOptions } from './relay.ts'
export type { RelayTally } from './tally.ts'
