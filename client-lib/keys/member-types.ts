/** What goes into a member of a room's group and what comes out. */

import type { SuiteName } from '../../moq/delivery/index.ts'
import type { Clock } from '../../moq/session/clock.ts'
import type { EpochKeys } from './epoch.ts'
import type { KeysError, KeysErrorCode } from './errors.ts'
import type { SignatureKeys } from './identity.ts'
import type { StateName } from './member-state.ts'
import type { Authenticate } from './mls-engine.ts'

export type AlarmCode =
  /** The room has another suite than was asked for. */
  | 'suite-adopted'
  /** The delivery service has no group, or another one, for a room that this member is in. */
  | 'group-replaced'
  /** Entries are missing for good, or one could not be applied: this member joins anew. */
  | 'rejoining'
  /** Somebody removed this member though it had not left: it joins anew. */
  | 'removed'
  | KeysErrorCode

export interface KeysAlarm {
  readonly code: AlarmCode
  readonly message: string
  readonly cause?: unknown
}

export interface MemberEvents {
  /** Publish as the next object of this participant's `mls` track. */
  submit(submission: Uint8Array): void
  /** Ask the `group-info` track for a new group. The answer goes to `onSnapshot`. */
  requestSnapshot(): void
  /** Fetch the log from the entry that made `fromEpoch`. The entries go to `onLogEntry`. */
  requestLog(fromEpoch: number): void
  onEpoch(epoch: EpochKeys): void
  onState(state: StateName): void
  onAlarm(alarm: KeysAlarm): void
  /** The last event but for `onState('failed')` before it. */
  onFailed(error: KeysError): void
}

export interface MemberSettings {
  /** Bytes of a base key: Nk of the SFrame suite, 32 for AES_256_GCM_SHA512_128. */
  readonly baseKeyBytes: number
  readonly maxMembers: number
  /** A member whose namespace is gone is removed after this, ms. */
  readonly graceMs: number
  /** The n-th member by leaf waits n times this before it commits a removal, ms. */
  readonly removalStepMs: number
  /** Patience with an unanswered request or submission, ms; it grows by half with each try. */
  readonly answerMs: number
  /** Tries before `contention` or `no-answer`. */
  readonly maxTries: number
  /** After a lost race: a random delay below this, doubling with each loss, at most `backoffMaxMs`. */
  readonly backoffMs: number
  readonly backoffMaxMs: number
  /** Patience with entries out of order before they are fetched, ms. */
  readonly reorderMs: number
  /** Patience with fetched entries before this member joins anew, ms. */
  readonly gapMs: number
  /** Membership that lasted this long clears the count of tries, ms. */
  readonly stableMs: number
}

export const defaultMemberSettings: MemberSettings = {
  baseKeyBytes: 32,
  maxMembers: 250,
  graceMs: 10_000,
  removalStepMs: 300,
  answerMs: 2000,
  maxTries: 24,
  backoffMs: 100,
  backoffMaxMs: 4000,
  reorderMs: 400,
  gapMs: 3000,
  stableMs: 30_000,
}

export interface MemberOptions {
  readonly participantId: string
  /** For a group that this member creates. */
  readonly suite?: SuiteName
  /** What to do in a room of another suite: take it and say so (default), or fail. */
  readonly suitePolicy?: 'adopt' | 'require'
  readonly clock: Clock
  /** Uniform in [0, 1), for jitter; not for keys. */
  readonly random: () => number
  /** Default: made anew. Given where an admission token binds the key. */
  readonly signatureKeys?: SignatureKeys
  /** Default: everyone whom the service let in. */
  readonly authenticate?: Authenticate
  readonly events: MemberEvents
  readonly settings?: Partial<MemberSettings>
}

/** What a person debugging a call sees; no secrets. */
export interface MemberDump {
  readonly state: StateName
  /** Null outside of a group. */
  readonly epoch: number | null
  readonly members: readonly string[]
  /** Whether a commit is submitted and not decided. */
  readonly pending: boolean
  readonly tries: number
  readonly rejoins: number
}
