/** What a member tells its call about an epoch that has begun. */

import type { ClientState } from 'ts-mls'
import type { SuiteName } from '../../moq/delivery/index.ts'
import type { MlsEngine } from './mls-engine.ts'
import type { CheckedCommit } from './policy.ts'
import { type RosterEntry, rosterOf } from './roster.ts'

export type EpochReason =
  /** This member made the group. */
  | 'created'
  /** This member came in. */
  | 'joined'
  | 'member-joined'
  | 'member-left'
  /** Keys were renewed; the same members as before. */
  | 'updated'

/** An epoch that has begun. Whoever is given it owns `baseKey`. */
export interface EpochKeys {
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
  readonly roster: readonly RosterEntry[]
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
export const removedOthers: EpochCause = { reason: 'member-left', rejoined: null }

export function causeOf(commit: CheckedCommit): EpochCause {
  if (!commit.external) {
    return { reason: commit.removed.length > 0 ? 'member-left' : 'updated', rejoined: null }
  }
  const rejoined = commit.removed.length > 0 ? commit.committer : null
  return { reason: 'member-joined', rejoined }
}

export async function epochKeys(
  engine: MlsEngine,
  group: ClientState,
  before: readonly RosterEntry[],
  { reason, rejoined }: EpochCause,
  baseKeyBytes: number,
): Promise<EpochKeys> {
  const exported = await engine.exportKeys(group, baseKeyBytes)
  const roster = rosterOf(group.ratchetTree)
  const removed = before.filter(
    (old) => old.participantId === rejoined || !roster.some((entry) => isSame(entry, old)),
  )
  const epoch = Number(group.groupContext.epoch)
  const leaf = group.privatePath.leafIndex
  return { epoch, suite: engine.suite, leaf, roster, removed, reason, ...exported }
}

function isSame(a: RosterEntry, b: RosterEntry): boolean {
  return a.leaf === b.leaf && a.participantId === b.participantId && a.fingerprint === b.fingerprint
}
