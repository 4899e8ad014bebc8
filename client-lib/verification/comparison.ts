/** What two members' histories say of each other. Pure. */

import { isSameEpoch, type OwnRow } from './ledger.ts'
import type { Row } from './statement.ts'

/** What does not fit; the alarm, if it stays so. */
export interface Differences {
  /** Other keys for the same epoch. */
  readonly keys: boolean
  /** Now both are in the same epoch, with the same keys. */
  readonly together: boolean
  /** Each is in a group of its own. */
  readonly groups: boolean
  /** Theirs is ahead of ours (1), ours of theirs (-1), or both are in the same epoch (0). */
  readonly lead: -1 | 0 | 1
  /** Other log entries for an epoch in which both have the same keys. */
  readonly log: boolean
}

/**
 * Neither may be empty.
 * @param saidAt when theirs came, ms
 */
export function compare(
  ours: readonly OwnRow[],
  theirs: readonly Row[],
  saidAt: number,
): Differences {
  const own = ours.at(-1)!
  const other = theirs.at(-1)!
  const judged = ours.filter(({ judgedFrom }) => judgedFrom <= saidAt)
  const groups = own.group !== other.group
  const lead = groups || own.epoch === other.epoch ? 0 : own.epoch < other.epoch ? 1 : -1
  return {
    keys: theirs.some((row) => isDisputed(row, judged, theirs)),
    together: !groups && own.epoch === other.epoch && own.keyTag === other.keyTag,
    groups,
    lead,
    log: theirs.some((row) => ours.some((mine) => hasOtherLog(mine, row))),
  }
}

/** Both have been in the epoch, and one of them under keys that the other does not know of. */
function isDisputed(row: Row, ours: readonly Row[], theirs: readonly Row[]): boolean {
  const mine = ours.filter((candidate) => isSameEpoch(candidate, row))
  if (mine.length === 0) return false
  const knows = (rows: readonly Row[], { keyTag }: Row) =>
    rows.some((candidate) => isSameEpoch(candidate, row) && candidate.keyTag === keyTag)
  return !knows(mine, row) || mine.some((candidate) => !knows(theirs, candidate))
}

function hasOtherLog(a: Row, b: Row): boolean {
  if (!isSameEpoch(a, b) || a.keyTag !== b.keyTag) return false
  return a.logTag !== null && b.logTag !== null && a.logTag !== b.logTag
}
