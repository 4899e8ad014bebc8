/** From a room's records to its group, and from the group to the one record that says as much. */

import { decodeLogEntry, decodeSubmission } from '../../moq/delivery/index.ts'
import { inspectGroupInfo } from './inspect.ts'
import { PublicGroup } from './public-group.ts'
import { RoomGroup } from './room-group.ts'
import type { SequencerSettings } from './settings.ts'
import { decodeStored, type Stored, type StoredBase } from './stored.ts'

/**
 * @returns null when there was no group
 * @throws Error when a record is none of ours or does not follow from those before
 */
export function replay(
  records: readonly Uint8Array[],
  settings: SequencerSettings,
): RoomGroup | null {
  let group: RoomGroup | null = null
  for (const record of records) group = next(group, decodeStored(record), settings)
  return group
}

export function baseOf({ suite, state, log }: RoomGroup): StoredBase {
  const { logGroup, nextObject, roster, departed, groupInfo } = state
  return {
    kind: 'base',
    suite,
    logGroup,
    nextObject,
    roster: [...roster],
    departed: [...departed],
    groupInfo,
    log: log.all(),
  }
}

function next(group: RoomGroup | null, stored: Stored, settings: SequencerSettings): RoomGroup {
  if (stored.kind === 'base') return fromBase(stored, settings)
  if (stored.kind === 'submission') {
    const { participant, at, logGroup } = stored
    const submission = decodeSubmission(stored.submission, settings.limits)
    if (submission.kind === 'create') {
      const { suite, groupInfo } = submission
      return RoomGroup.found(participant, suite, groupInfo, logGroup, settings)
    }
    if (group === null || submission.kind === 'report') throw new Error('a record is missing')
    const step =
      submission.kind === 'leave'
        ? group.leave(participant)
        : group.commit(participant, submission.commit, submission.groupInfo, at)
    if (step) group.adopt(step)
    return group
  }
  if (group === null) throw new Error('a record is missing')
  group.adopt(group.skip(stored.commitHash, stored.reports))
  return group
}

function fromBase(base: StoredBase, settings: SequencerSettings): RoomGroup {
  const { suite, logGroup, nextObject, roster, departed, groupInfo, log } = base
  const view = inspectGroupInfo(groupInfo)
  const state = {
    epoch: view.epoch,
    logGroup,
    nextObject,
    roster: new Map(roster),
    departed: new Set(departed),
    publicGroup: PublicGroup.from(view.groupInfo, suite),
    groupInfo,
    made: null,
  }
  const group = new RoomGroup(suite, state, log, settings)
  for (const { bytes } of log) group.remember(decodeLogEntry(bytes))
  return group
}
