/**
 * The keys of a call: membership in the room's MLS group (RFC 9420), from which SFrame's keys come.
 * Transport-free; runs in a worker, in Node, and in a simulation.
 */

export type { EpochKeys, EpochReason } from './epoch.ts'
export { KeysError, type KeysErrorCode } from './errors.ts'
export { fingerprint, type SignatureKeys } from './identity.ts'
export { MlsMember } from './member.ts'
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
export type { Authenticate } from './mls-engine.ts'
export type { RosterEntry } from './roster.ts'
