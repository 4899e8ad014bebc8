import { type CacheBudget, LOW_WATER } from './budget.ts'
import { CachedGroup, type GroupOwner } from './group.ts'
import { GroupList } from './group-list.ts'
import { RecencyList } from './recency.ts'

/**
 * The groups of one track that the relay knows: counts what they hold, and lets go of what has expired
 * or is too much. The group that was unused for longest goes first, the newest one last.
 */
export class TrackGroups implements GroupOwner {
  /** Bytes that are kept. */
  bytes = 0
  /** What is remembered, as `CacheLimits.maxObjectsPerTrack` counts. */
  objects = 0
  private readonly budget: CacheBudget
  private list = new GroupList()
  /** Groups with bytes, and groups without, by last use. */
  private readonly cached = new RecencyList<CachedGroup>()
  private readonly remembered = new RecencyList<CachedGroup>()
  /** The newest group. */
  private live: CachedGroup | null = null
  /** The group of the last object. */
  private latest: CachedGroup | null = null

  constructor(budget: CacheBudget) {
    this.budget = budget
  }

  find(id: number): CachedGroup | null {
    return this.latest?.id === id ? this.latest : this.list.find(id)
  }

  findOrAdd(id: number): CachedGroup {
    return this.find(id) ?? this.add(id)
  }

  /** Groups from one id to another, both inclusive. */
  between(from: number, to: number): Iterable<CachedGroup> {
    return this.list.between(from, to)
  }

  /** Id of the nearest group below, or -1. */
  below(id: number): number {
    return this.list.below(id)
  }

  /** Id of the nearest group at or above, or infinity. */
  from(id: number): number {
    return this.list.from(id)
  }

  /** An object of the group came. */
  received(group: CachedGroup): void {
    this.latest = group
    this.account(group)
    this.use(group)
  }

  /** Makes it the one used last, in the lists where it belongs. */
  use(group: CachedGroup): void {
    const kept = group.bytes > 0
    const inTrack = kept ? this.cached : this.remembered
    inTrack.touch(group.inTrack)
    const { live, settled, remembered } = this.budget
    const inAll = kept ? (group === this.live ? live : settled) : remembered
    inAll.touch(group.inAll)
  }

  /** Counts what changed in a group. */
  account(group: CachedGroup): void {
    const { bytes, weight, countedBytes, countedWeight } = group
    group.countedBytes = bytes
    group.countedWeight = weight
    this.count(bytes - countedBytes, weight - countedWeight)
    // Its bytes are gone: it moves to those that are only remembered.
    if (countedBytes > 0 && bytes === 0) this.use(group)
  }

  /** Counts what changed. */
  count(bytes: number, objects: number): void {
    this.bytes += bytes
    this.objects += objects
    this.budget.bytes += bytes
    this.budget.objects += objects
  }

  /** Forgets all, and what was counted beside them. */
  clear(): void {
    for (const group of this.list.all()) {
      group.inTrack.leave()
      group.inAll.leave()
    }
    this.count(-this.bytes, -this.objects)
    this.list = new GroupList()
    this.live = null
    this.latest = null
  }

  // ---- letting go

  /** Lets go of the bytes of objects that came before this time, ms. */
  expire(before: number): void {
    for (;;) {
      const group = this.cached.oldestBut(this.live)
      if (!group || group.newestAt >= before) break
      this.release(group, group.bytes)
    }
    const { live } = this
    if (!live || live.bytes === 0) return
    live.dropFirstBodies(Number.POSITIVE_INFINITY, before)
    this.account(live)
  }

  /**
   * Lets go of what is more than a track may hold.
   * @returns false when groups are not what is too much: none is left
   */
  limit(): boolean {
    const { maxBytesPerTrack, maxObjectsPerTrack } = this.budget.limits
    if (this.bytes > maxBytesPerTrack) {
      this.budget.hit('cache-track-bytes')
      this.releaseDownTo(maxBytesPerTrack)
    }
    if (this.objects <= maxObjectsPerTrack) return true
    this.budget.hit('cache-track-objects')
    return this.forgetDownTo(maxObjectsPerTrack * LOW_WATER)
  }

  release(group: CachedGroup, bytes: number): void {
    if (group === this.live) {
      group.dropFirstBodies(group.bytes - bytes, Number.NEGATIVE_INFINITY)
    } else group.dropBodies()
    this.account(group)
  }

  forget(group: CachedGroup): void {
    if (group === this.live && group.objects.length > 1) {
      group.forgetFirstHalf()
      this.account(group)
      return
    }
    group.forgotten = true
    if (this.live === group) this.live = null
    if (this.latest === group) this.latest = null
    group.inTrack.leave()
    group.inAll.leave()
    this.count(-group.countedBytes, -group.countedWeight)
  }

  compact(): void {
    this.list.compact()
  }

  private releaseDownTo(most: number): void {
    while (this.bytes > most) {
      const group = this.cached.oldestBut(this.live) ?? this.cached.oldest
      if (!group) return
      this.release(group, this.bytes - most)
    }
  }

  private forgetDownTo(most: number): boolean {
    while (this.objects > most) {
      const group =
        this.remembered.oldestBut(this.live) ?? this.cached.oldestBut(this.live) ?? this.live
      if (!group) return false
      this.forget(group)
    }
    this.compact()
    return true
  }

  private add(id: number): CachedGroup {
    const group = new CachedGroup(id, this)
    if (this.list.add(group)) {
      const before = this.live
      this.live = group
      if (before) this.use(before)
    }
    this.account(group)
    this.use(group)
    return group
  }
}
