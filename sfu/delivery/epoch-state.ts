/** What the service knows of one epoch of a group. Immutable, so that going back is taking the old one. */

import { mlsSuites, type SuiteName } from '../../moq/delivery/index.ts'
import { sameBytes } from '../../moq/wire/names.ts'
import type { CommitView, GroupInfoView } from './inspect.ts'
import type { PublicGroup } from './public-group.ts'
import { Refusal } from './refusal.ts'

export interface EpochState {
  readonly epoch: number
  /** Where the log is: group, and the object that the next notice gets. */
  readonly logGroup: number
  readonly nextObject: number
  /** Participants by leaf. */
  readonly roster: ReadonlyMap<number, string>
  /** Said goodbye and still hold a leaf. */
  readonly departed: ReadonlySet<string>
  readonly publicGroup: PublicGroup
  /** MLSMessage. */
  readonly groupInfo: Uint8Array
  /** Null for an epoch that nobody may report: the first one, and what a restart begins with. */
  readonly made: MadeBy | null
}

/** The commit that made an epoch. */
export interface MadeBy {
  readonly participant: string
  /** Whether a member made it, who thereby took the epoch before as good; else a newcomer. */
  readonly byMember: boolean
  /** SHA-256 of its MLSMessage. */
  readonly hash: Uint8Array
  /** ms since 1970. */
  readonly at: number
  /** Who may report it, by leaf of the epoch before; see `moq/delivery/report.ts`. */
  readonly voters: ReadonlyMap<number, string>
}

export function leafOf({ roster }: EpochState, participant: string): number | undefined {
  for (const [leaf, holder] of roster) if (holder === participant) return leaf
  return undefined
}

/**
 * The committer's leaf.
 * @throws Refusal unless it is the participant's, and the leaves that it removes are others'
 */
export function checkMember(
  state: EpochState,
  participant: string,
  leaf: number,
  { removed }: CommitView,
): number {
  const { roster, departed } = state
  if (roster.get(leaf) !== participant || departed.has(participant)) {
    throw new Refusal('not-a-member', `${participant} does not hold leaf ${leaf}`)
  }
  for (const target of removed) {
    if (!roster.has(target) || target === leaf) {
      throw new Refusal('bad-proposal', `leaf ${target} cannot be removed by leaf ${leaf}`)
    }
  }
  if (new Set(removed).size !== removed.length) throw new Refusal('bad-proposal', 'removed twice')
  return leaf
}

/**
 * @param members at most
 * @throws Refusal unless the newcomer comes as itself and leaves no older leaf of its own
 */
export function checkNewcomer(
  state: EpochState,
  participant: string,
  identity: string,
  { removed, hasPsk }: CommitView,
  members: number,
): void {
  if (identity !== participant) {
    throw new Refusal('wrong-identity', `${participant} submitted a credential of another`)
  }
  const former = leafOf(state, participant)
  const expected = former === undefined ? [] : [former]
  if (removed.length !== expected.length || removed[0] !== former) {
    throw new Refusal('bad-resync', `removes [${removed}], not [${expected}]`)
  }
  // Who is alone makes its epoch's keys new by one; others could not know it.
  if (hasPsk && state.roster.size > expected.length) {
    throw new Refusal('bad-proposal', 'a pre-shared key of a newcomer among others')
  }
  if (former === undefined && state.roster.size >= members) {
    throw new Refusal('full', `${state.roster.size} members`)
  }
}

/** @throws Refusal unless it is of that suite, group and epoch */
export function checkGroupInfo(
  view: GroupInfoView,
  suite: SuiteName,
  groupId: Uint8Array,
  epoch: number,
): void {
  if (view.cipherSuite !== mlsSuites[suite]) {
    throw new Refusal('wrong-suite', `${view.cipherSuite} in a room of ${suite}`)
  }
  if (!sameBytes(view.groupId, groupId)) throw new Refusal('bad-group-info', 'of another group')
  if (view.epoch !== epoch) {
    throw new Refusal('bad-group-info', `of epoch ${view.epoch}, not ${epoch}`)
  }
}
