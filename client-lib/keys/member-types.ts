/** What goes into a member of a room's group and what comes out. */

import type { CryptoProvider } from 'ts-mls'
import type { SuiteName } from '../../moq/delivery/index.ts'
import type { Clock } from '../../moq/session/clock.ts'
import type { Authenticate } from './authenticate.ts'
import type { EpochKeys } from './epoch.ts'
import type { KeysError, KeysErrorCode } from './errors.ts'
import type { SignatureKeys } from './identity.ts'
import type { StateName } from './member-state.ts'
import type { StateSlot } from './state-store.ts'

export type AlarmCode =
  /** The room has another suite than was asked for. */
  | 'suite-adopted'
  /** The delivery service has no group, or another one, for a room that this member is in. */
  | 'group-replaced'
  /** Entries are missing for good, or one could not be applied: this member joins anew. */
  | 'rejoining'
  /** Somebody removed this member though it had not left: it joins anew. */
  | 'removed'
  /** The service took a commit that this member cannot apply: it was reported. */
  | 'commit-disputed'
  /** A commit was taken back, because most members could not apply it. */
  | 'commit-skipped'
  /** The service wants to take back a commit without the word of most members. */
  | 'skip-refused'
  /** The state of a membership could not be kept for a reload, or read after one. */
  | 'state-not-kept'
  | KeysErrorCode

export interface KeysAlarm {
  readonly code: AlarmCode
  readonly message: string
  readonly cause?: unknown
  /**
   * Of `commit-skipped`: this member was in this epoch, and goes back from it for the signed word of
   * most of those who were to apply its commit. Absent where nobody's word was checked: then the
   * service may want a fork to be forgotten.
   */
  readonly epoch?: number
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
  /** When nothing was heard for this long, the log is fetched: the last entry may be lost, ms; 0: never. */
  readonly checkMs: number
  /** A member renews its keys about this often, ms, for post-compromise security; 0: never. */
  readonly updateMs: number
  /** How long a reported commit may stay before this member joins anew, ms. */
  readonly disputeMs: number
  /** After the first one, an epoch's state is stored this late, ms: of a burst only the last one is. */
  readonly saveMs: number
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
  checkMs: 20_000,
  updateMs: 600_000,
  disputeMs: 6000,
  saveMs: 500,
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
  /** ms since 1970, for the roster. Default: `Date.now`. */
  readonly wallClock?: () => number
  /** Default: those of a stored state, else made anew. Given where an admission token binds the key. */
  readonly signatureKeys?: SignatureKeys
  /** Admission token that binds the signature key: for the others to check. */
  readonly token?: string | null
  /** Default: everyone whom the service let in. */
  readonly authenticate?: Authenticate
  /** Where the state is kept over a reload; this member closes it. Default: nowhere. */
  readonly slot?: StateSlot | null
  /** Default: WebCrypto and noble. */
  readonly crypto?: CryptoProvider
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
  /** The epoch whose commit this member has reported and waits for to be taken back. */
  readonly disputed: number | null
  readonly tries: number
  readonly rejoins: number
}
