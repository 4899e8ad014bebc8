export { dumpRooms, type RelayLevels, relayLevels } from './levels.ts'
export { Peer } from './peer.ts'
export { DEFAULT_RELAY_LIMITS, Relay, type RelayLimits, type RelayOptions } from './relay.ts'
