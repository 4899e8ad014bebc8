/** What a member knows of the group it is in: who is in it since when, and what can be exported. */

import type { ClientState } from 'ts-mls'
import { sameBytes } from '../../moq/wire/names.ts'
import type { EpochCause, EpochKeys } from './epoch.ts'
import type { EpochExporter } from './exporter.ts'
import type { MlsEngine } from './mls-engine.ts'
import { isSameLeaf, type RosterMember, rosterOf } from './roster.ts'
import { forgetExporter } from './secrets.ts'

export class GroupBook {
  private readonly baseKeyBytes: number
  private readonly wallClock: () => number
  private members: readonly RosterMember[] = []
  /** That `members` are of. */
  private groupId = new Uint8Array(0)
  private exports: EpochExporter | null = null

  constructor(baseKeyBytes: number, wallClock: () => number) {
    this.baseKeyBytes = baseKeyBytes
    this.wallClock = wallClock
  }

  get roster(): readonly RosterMember[] {
    return this.members
  }

  /** Of the newest epoch; null outside of a group. */
  get exporter(): EpochExporter | null {
    return this.exports
  }

  /** An epoch has begun: takes what it exports, and deletes its exporter secret. */
  async begin(engine: MlsEngine, group: ClientState, cause: EpochCause): Promise<EpochKeys> {
    const epoch = Number(group.groupContext.epoch)
    const exported = await engine.exportKeys(group, this.baseKeyBytes)
    const exporter = await engine.exporter(group)
    forgetExporter(group)
    const before = this.members
    this.members = this.rosterAt(epoch, group)
    this.exports?.destroy()
    this.exports = exporter
    const removed = before.filter(
      (old) =>
        old.participantId === cause.rejoined ||
        !this.members.some((entry) => isSameLeaf(entry, old)),
    )
    return {
      groupId: group.groupContext.groupId,
      epoch,
      suite: engine.suite,
      leaf: group.privatePath.leafIndex,
      roster: this.members,
      removed,
      reason: cause.reason,
      ...exported,
    }
  }

  /** This member is in no group any more. Who was in it stays known: who is gone is told at the next. */
  close(): void {
    this.exports?.destroy()
    this.exports = null
  }

  private rosterAt(epoch: number, group: ClientState): RosterMember[] {
    const now = { epoch, time: this.wallClock() }
    const { groupId } = group.groupContext
    // The epochs of a group that was founded anew count from the start.
    const known = sameBytes(groupId, this.groupId) ? this.members : []
    this.groupId = groupId.slice()
    return rosterOf(group.ratchetTree).map((entry) => {
      const same = known.find((member) => isSameLeaf(member, entry))
      return { ...entry, since: same?.since ?? now }
    })
  }
}
