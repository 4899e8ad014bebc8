/**
 * The keys of a call: membership in the room's MLS group (RFC 9420), from which SFrame's keys come.
 * Transport-free; runs in a worker, in Node, and in a simulation.
 */

export { type Authenticate, admitAll, type IdentityClaim } from './authenticate.ts'
export type { EpochKeys, EpochReason } from './epoch.ts'
export { KeysError, type KeysErrorCode, UnsupportedSuiteError } from './errors.ts'
export { fingerprint } from './fingerprint.ts'
export type { SignatureKeys } from './identity.ts'
export { proveKey } from './key-proof.ts'
export { type EpochSecretBytes, MlsMember } from './member.ts'
export type { StateName } from './member-state.ts'
export {
  type AlarmCode,
  defaultMemberSettings,
  type KeysAlarm,
  type MemberDump,
  type MemberEvents,
  type MemberOptions,
  type MemberSettings,
} from './member-types.ts'
export type { RosterEntry, RosterMember } from './roster.ts'
export { leaveSeat, type Seat, type SeatRequest, takeSeat } from './seat.ts'
export { MemoryStateStore, type StateSlot, type StateStore } from './state-store.ts'
export { warmUpKeys } from './warm-up.ts'
