import type { CachedGroup, GroupOwner } from './group.ts'
import { RecencyList } from './recency.ts'

export interface CacheLimits {
  /** Bytes of cached objects, of all tracks together; 0: nothing is cached, the ledger still works. */
  readonly maxBytes: number
  readonly maxBytesPerTrack: number
  /** What is remembered of objects, with or without their bytes; a group counts as one more. */
  readonly maxObjects: number
  readonly maxObjectsPerTrack: number
}

/** One remembered object costs about 150 bytes. */
export const DEFAULT_CACHE_LIMITS: CacheLimits = {
  maxBytes: 256 * 1024 * 1024,
  maxBytesPerTrack: 16 * 1024 * 1024,
  maxObjects: 500_000,
  maxObjectsPerTrack: 4096,
}

/** What is remembered is brought down to this share of its bound, so that it is done seldom. */
export const LOW_WATER = 7 / 8

export type CacheLimitName =
  | 'cache-bytes'
  | 'cache-track-bytes'
  | 'cache-objects'
  | 'cache-track-objects'

/**
 * What the caches of all tracks share: the bounds, and the order in which groups have to go when they
 * are reached. The group that was unused for longest goes first. A track's newest group is the one that
 * a late joiner wants: it goes only when nothing else is left, and then its oldest objects first.
 */
export class CacheBudget {
  readonly limits: CacheLimits
  /** Kept by the tracks. */
  bytes = 0
  objects = 0
  /** Groups with bytes that are not their track's newest. */
  readonly settled = new RecencyList<CachedGroup>()
  /** The newest group of each track. */
  readonly live = new RecencyList<CachedGroup>()
  /** Groups whose bytes are gone. */
  readonly remembered = new RecencyList<CachedGroup>()
  private readonly onLimit: ((limit: CacheLimitName) => void) | null

  constructor(limits: CacheLimits, onLimit: ((limit: CacheLimitName) => void) | null = null) {
    this.limits = limits
    this.onLimit = onLimit
  }

  /** Makes the bounds hold again after a track grew. */
  enforce(): void {
    if (this.bytes > this.limits.maxBytes) this.dropBytes()
    if (this.objects > this.limits.maxObjects) this.forget()
  }

  hit(limit: CacheLimitName): void {
    this.onLimit?.(limit)
  }

  private dropBytes(): void {
    this.hit('cache-bytes')
    while (this.bytes > this.limits.maxBytes) {
      const group = this.settled.oldest ?? this.live.oldest
      if (!group) return
      group.owner.release(group, this.bytes - this.limits.maxBytes)
    }
  }

  private forget(): void {
    this.hit('cache-objects')
    const owners = new Set<GroupOwner>()
    while (this.objects > this.limits.maxObjects * LOW_WATER) {
      const group = this.remembered.oldest ?? this.settled.oldest ?? this.live.oldest
      if (!group) break
      group.owner.forget(group)
      owners.add(group.owner)
    }
    for (const owner of owners) owner.compact()
  }
}
