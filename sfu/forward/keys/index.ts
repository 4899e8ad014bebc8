/**
 * The SFrame tracker: what the relay knows of each publisher's keys from the headers of its objects
 * alone. It finds key phases and their overlap, counters that go back or jump, and leaves that are not
 * the publisher's; it holds no key and judges nothing that needs one.
 */

export { type EpochTally, makeEpochTally } from './epoch-tally.ts'
export { CLAIM_IDLE_MS } from './leaf-claims.ts'
export { type KeysHandle, RoomKeys } from './room-keys.ts'
export { OVERLAP_MS, REFUSED, RESTART_MS, TrackKeys } from './track-keys.ts'
export { KEY_TROUBLES, type KeyTrouble, type KeyTroubleCounters } from './troubles.ts'
