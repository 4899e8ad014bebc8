/**
 * Puts the log's commits in order. Each epoch is a stream of its own, so they may come in any order,
 * twice, or not at all; what is missing is fetched, and given up when that does not help.
 */

import { sameBytes } from '../../moq/wire/names.ts'
import { type HeldCommit, HeldCommits } from './held-commits.ts'
import type { MemberSettings } from './member-types.ts'
import type { Timers } from './timers.ts'

export class LogFollower {
  private readonly settings: MemberSettings
  private readonly timers: Timers
  private readonly fetch: (fromEpoch: number) => void
  private readonly giveUp: (epoch: number) => void
  private readonly held = new HeldCommits()
  private groupId: Uint8Array | null = null
  private newest = -1
  private missing: number | null = null
  private online = true

  /**
   * @param fetch asks for the log from the entry that made an epoch
   * @param giveUp the commit that made an epoch did not come
   */
  constructor(
    settings: MemberSettings,
    timers: Timers,
    fetch: (fromEpoch: number) => void,
    giveUp: (epoch: number) => void,
  ) {
    this.settings = settings
    this.timers = timers
    this.fetch = fetch
    this.giveUp = giveUp
  }

  /** The newest epoch heard of in the group last heard of; -1 before. */
  get newestEpoch(): number {
    return this.newest
  }

  /** That a group is at least at this epoch. Commits of another group are forgotten. */
  hear(groupId: Uint8Array, epoch: number): void {
    if (this.groupId !== null && sameBytes(this.groupId, groupId)) {
      this.newest = Math.max(this.newest, epoch)
    } else {
      this.groupId = groupId
      this.newest = epoch
      this.held.clear()
    }
  }

  /** Commits from the one that made `epoch` on were taken back, except of those that are `kept`. */
  goBack(epoch: number, kept: (commit: HeldCommit) => boolean): void {
    this.held.drop((commit) => commit.epoch >= epoch && !kept(commit))
    this.newest = Math.min(this.newest, epoch - 1)
    this.rest()
  }

  hold(commit: HeldCommit): void {
    this.hear(commit.message.content.groupId, commit.epoch)
    this.held.put(commit)
  }

  /** The commit that made `epoch`, if it is here; else watches for it. */
  take(epoch: number): HeldCommit | undefined {
    this.held.dropThrough(epoch - 1)
    const commit = this.held.take(epoch)
    if (commit === undefined) this.watch(epoch)
    return commit
  }

  /** Begins to worry if the group is at `nextEpoch` or beyond, and its commit is not here. */
  private watch(nextEpoch: number): void {
    if (this.newest < nextEpoch) {
      this.rest()
      return
    }
    if (this.missing === nextEpoch) return
    this.missing = nextEpoch
    this.timers.set('gap', this.settings.reorderMs, () => {
      this.fetch(nextEpoch)
      this.expect(nextEpoch)
    })
  }

  /** While offline nothing is given up; back online, what is missing is fetched. */
  setOnline(online: boolean): void {
    const returned = online && !this.online
    this.online = online
    if (!returned || this.missing === null) return
    this.fetch(this.missing)
    this.expect(this.missing)
  }

  private expect(epoch: number): void {
    this.timers.set('gap', this.settings.gapMs, () => {
      if (this.online) this.giveUp(epoch)
      else this.expect(epoch)
    })
  }

  rest(): void {
    this.missing = null
    this.timers.clear('gap')
  }
}
