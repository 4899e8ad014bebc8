/** The members of the group, as the call tells of them. */

import type { EpochKeys } from '../../keys/index.ts'
import type { GroupMember, Participant } from '../types.ts'

/** @param participants who is shown, for their names */
export function groupRoster(
  { leaf: own, roster }: Pick<EpochKeys, 'leaf' | 'roster'>,
  participants: readonly Participant[],
): GroupMember[] {
  const names = new Map(participants.map(({ id, name }) => [id, name]))
  const came = roster.find(({ leaf }) => leaf === own)?.since.epoch ?? 0
  return roster.map(({ leaf, participantId: id, fingerprint, since }) => {
    const local = leaf === own
    return {
      leaf,
      id,
      name: names.get(id) ?? '',
      local,
      fingerprint,
      since: { epoch: since.epoch, time: since.time, wasBefore: !local && since.epoch <= came },
    }
  })
}
