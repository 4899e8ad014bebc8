/** What a member tells its call about an epoch that has begun. */

import type { SuiteName } from '../../moq/delivery/index.ts'
import type { CheckedCommit } from './policy.ts'
import type { RosterEntry, RosterMember } from './roster.ts'

export type EpochReason =
  /** This member made the group. */
  | 'created'
  /** This member came in. */
  | 'joined'
  /** This member is back, with its leaf, after a reload. */
  | 'restored'
  | 'member-joined'
  | 'member-left'
  /** Keys were renewed; the same members as before. */
  | 'updated'

/** An epoch that has begun. Whoever is given it owns `baseKey`. */
export interface EpochKeys {
  /** MLS group id: a room has another one when its group was founded anew. */
  readonly groupId: Uint8Array
  readonly epoch: number
  readonly suite: SuiteName
  /** RFC 9605 section 5.2; `baseKeyBytes` long. */
  readonly baseKey: Uint8Array
  /** RFC 9420 section 8.7: the same for every member, to be compared among them. */
  readonly epochAuthenticator: Uint8Array
  /** 30 digits from the epoch authenticator, to be compared by people. */
  readonly verificationCode: string
  /** Own leaf index. */
  readonly leaf: number
  readonly roster: readonly RosterMember[]
  /** Leaves of this member's epoch before that are no more; a participant may have a new one. */
  readonly removed: readonly RosterEntry[]
  readonly reason: EpochReason
}

export interface EpochCause {
  readonly reason: EpochReason
  /** Who took a new leaf in the place of its old one, if this is why. */
  readonly rejoined: string | null
}

export const created: EpochCause = { reason: 'created', rejoined: null }
export const joined: EpochCause = { reason: 'joined', rejoined: null }
export const restored: EpochCause = { reason: 'restored', rejoined: null }

/** By a commit of this member's own. */
export function ownCause(removed: number): EpochCause {
  return { reason: removed > 0 ? 'member-left' : 'updated', rejoined: null }
}

export function causeOf(commit: CheckedCommit): EpochCause {
  if (!commit.external) {
    return { reason: commit.removed.length > 0 ? 'member-left' : 'updated', rejoined: null }
  }
  const rejoined = commit.removed.length > 0 ? commit.committer : null
  return { reason: 'member-joined', rejoined }
}
