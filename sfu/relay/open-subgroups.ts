import type { Clock } from '../../moq/session/index.ts'
import { ResetCode } from '../../moq/wire/codes.ts'
import type { Downstream } from './downstream.ts'
import { type NothingBetween, RelayedSubgroup } from './relayed-subgroup.ts'
import type { SubgroupFeed } from './subgroup-feed.ts'

/** Subgroups without a stream that are remembered, because a publisher may go on with them. */
const MAX_ENDED = 16
/** How long subscribers' streams stay open when no publisher's is, ms. */
const PATIENCE_MS = 2000

/** The subgroups of a track that publishers are sending, by group and id. */
export class OpenSubgroups {
  private readonly clock: Clock
  private readonly trackAlias: number
  private readonly nothingBetween: NothingBetween
  private readonly byGroup = new Map<number, RelayedSubgroup[]>()
  /** Reset by the publisher, oldest first. */
  private readonly ended = new Set<RelayedSubgroup>()
  /** No publisher's stream is open, but subscribers' are; what stops the wait for their end. */
  private readonly orphans = new Map<RelayedSubgroup, () => void>()

  constructor(clock: Clock, trackAlias: number, nothingBetween: NothingBetween) {
    this.clock = clock
    this.trackAlias = trackAlias
    this.nothingBetween = nothingBetween
  }

  /** The subgroup that a publisher's stream belongs to. */
  join(feed: SubgroupFeed, id: number): RelayedSubgroup {
    const { group } = feed.incoming.header
    let subgroup = this.find(group, id)
    if (!subgroup) {
      subgroup = new RelayedSubgroup(feed, id, this.trackAlias, this.nothingBetween)
      const others = this.byGroup.get(group)
      if (others) others.push(subgroup)
      else this.byGroup.set(group, [subgroup])
    }
    this.ended.delete(subgroup)
    this.orphans.get(subgroup)?.()
    this.orphans.delete(subgroup)
    subgroup.openFeeds++
    feed.subgroup = subgroup
    return subgroup
  }

  find(group: number, id: number): RelayedSubgroup | undefined {
    return this.byGroup.get(group)?.find((known) => known.subgroup === id)
  }

  /** The publisher finished the stream. */
  finish(feed: SubgroupFeed): void {
    const { subgroup } = feed
    if (!subgroup) return
    feed.subgroup = null
    const left = subgroup.feedEnded(feed.previous)
    if (subgroup.openFeeds > 0) return
    if (left) this.endLater(subgroup, ResetCode.CANCELLED)
    else this.forget(subgroup)
  }

  /** The publisher reset the stream. */
  reset(feed: SubgroupFeed, code: number): void {
    const { subgroup } = feed
    if (!subgroup) return
    feed.subgroup = null
    subgroup.feedReset(code)
    if (subgroup.openFeeds === 0) this.remember(subgroup)
  }

  /**
   * The publisher is gone, and others are not: one of them may go on where it stopped.
   * @param code for the subscribers' streams when none did
   */
  orphan(feed: SubgroupFeed, code: number): void {
    const { subgroup } = feed
    if (!subgroup) return
    feed.subgroup = null
    subgroup.openFeeds--
    if (subgroup.openFeeds === 0) this.endLater(subgroup, code)
  }

  removeSubscriber(downstream: Downstream): void {
    for (const subgroups of this.byGroup.values()) {
      for (const subgroup of subgroups) subgroup.removeSubscriber(downstream)
    }
  }

  /** See `RelayedSubgroup.leave`. */
  leave(downstream: Downstream): void {
    for (const subgroups of this.byGroup.values()) {
      for (const subgroup of subgroups) subgroup.leave(downstream)
    }
  }

  clear(): void {
    for (const stop of this.orphans.values()) stop()
    this.orphans.clear()
    this.ended.clear()
    this.byGroup.clear()
  }

  /** Not at once: a reset overtakes what is still on its way on those streams. */
  private endLater(subgroup: RelayedSubgroup, code: number): void {
    const stop = this.clock.after(PATIENCE_MS, () => {
      this.orphans.delete(subgroup)
      subgroup.abandon(code)
      this.remember(subgroup)
    })
    this.orphans.set(subgroup, stop)
  }

  private remember(subgroup: RelayedSubgroup): void {
    this.ended.add(subgroup)
    if (this.ended.size <= MAX_ENDED) return
    const [oldest] = this.ended
    this.forget(oldest!)
  }

  private forget(subgroup: RelayedSubgroup): void {
    this.ended.delete(subgroup)
    const others = this.byGroup.get(subgroup.group)
    const at = others?.indexOf(subgroup) ?? -1
    if (!others || at < 0) return
    if (others.length === 1) this.byGroup.delete(subgroup.group)
    else others.splice(at, 1)
  }
}
