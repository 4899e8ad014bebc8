import type { GateDropCounters, GateTally } from '../forward/gate/index.ts'
import type { PoliceCounters } from '../forward/police/index.ts'
import type { PathTally } from './path-tally.ts'

/** What the relay counts beside forwarding; plain numbers that the hot path increments. */
export interface RelayTally {
  /** Objects that came again, or are recorded as not existing: not forwarded. */
  duplicates: number
  /** Tracks found malformed (draft-18 section 2.4.2). */
  malformedTracks: number
  /** Objects that a subscriber did not get because it could not decode them, or was given less. */
  readonly gateDrops: GateDropCounters
  readonly gates: GateTally
  /** Objects of publishers that send more than they may, by reason. */
  readonly policed: PoliceCounters
  /** Objects of `report` tracks that are no reports. */
  malformedReports: number
  readonly paths: PathTally
}
