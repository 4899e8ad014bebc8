import type { Clock } from '../../moq/session/index.ts'
import type { FetchObject } from '../../moq/wire/fetch.ts'
import { isAfter, type Location } from '../../moq/wire/location.ts'
import { type MoqObject, ObjectStatus } from '../../moq/wire/object.ts'
import { DEFAULT_PRIORITY } from '../../moq/wire/priority.ts'
import type { CacheBudget } from './budget.ts'
import { sameObject } from './compare.ts'
import { TrackExtent } from './extent.ts'
import type { CachedGroup, RunState } from './group.ts'
import { BodyKeeper } from './keeper.ts'
import { CachedObject } from './object.ts'
import { ObjectProperties } from './object-properties.ts'
import { TrackGroups } from './track-groups.ts'

/**
 * What the ledger says of an object that came: whether it is `new`, came before (`duplicate`), shows
 * that the track is `malformed` (draft-18 section 2.4.2), or was said not to exist (`withdrawn`, not
 * forwarded: section 9.1).
 */
export type CacheVerdict = 'new' | 'duplicate' | 'malformed' | 'withdrawn'

/**
 * The objects of one track that the relay knows (draft-18 section 9.1): a cache of their bytes, and
 * the ledger that de-duplicates them and finds a malformed track. An object is known to exist, known
 * not to exist, or unknown; what is evicted or expired is unknown again. The ledger remembers objects
 * for longer than their bytes, and no more of them than the budget allows.
 */
export class TrackCache {
  /** MAX_CACHE_DURATION (section 12.3), ms from the receipt of an object. */
  maxAgeMs = Number.POSITIVE_INFINITY
  /** DEFAULT_PUBLISHER_PRIORITY of the track: what an object without its own has. */
  defaultPriority = DEFAULT_PRIORITY
  private readonly budget: CacheBudget
  private readonly clock: Pick<Clock, 'now'>
  private readonly keeper = new BodyKeeper()
  private readonly properties = new ObjectProperties()
  private readonly groups: TrackGroups
  private extent = new TrackExtent()
  private largestSeen: Location | null = null
  private over = false

  constructor(budget: CacheBudget, clock: Pick<Clock, 'now'>) {
    this.budget = budget
    this.clock = clock
    this.groups = new TrackGroups(budget)
  }

  /** Bytes that it keeps. */
  get bytes(): number {
    return this.groups.bytes
  }

  /** What it remembers, as `CacheLimits.maxObjectsPerTrack` counts. */
  get objects(): number {
    return this.groups.objects
  }

  /** Largest location of an object that came, by subscription or fetch. */
  get largest(): Location | null {
    return this.largestSeen
  }

  /** First location that does not exist, where the publisher said that the track ends. */
  get end(): Location | null {
    return this.extent.end
  }

  /** An object came by subscription. */
  add(object: MoqObject, arrivedAt: number): CacheVerdict {
    return this.receive(object, arrivedAt, true)
  }

  /** An object came by fetch: it is `new` to the ledger, and still new to it by subscription. */
  addFetched(object: MoqObject, arrivedAt: number): CacheVerdict {
    return this.receive(object, arrivedAt, false)
  }

  /**
   * A subgroup stream was finished.
   * @param lastObject id of the last object on it
   * @param endOfGroup whether the stream's header says that the group ends with it
   * @returns false when the track is malformed (section 2.4.2, 2 to 4)
   */
  subgroupEnded(group: number, subgroup: number, lastObject: number, endOfGroup: boolean): boolean {
    const known = this.groups.find(group)
    if (!known) return true
    if (!known.endSubgroup(subgroup, lastObject)) return false
    if (!endOfGroup) return true
    const held = known.endAt(lastObject, lastObject + 1)
    this.groups.account(known)
    return held
  }

  /**
   * Objects do not exist, because a fetch had a gap there; one that comes anyway is `withdrawn`.
   * @param to inclusive; its object may be infinite for the rest of the group
   */
  absent(from: Location, to: Location): void {
    if (this.over || isAfter(from, to)) return
    if (from.group === to.group) {
      this.absentIn(from.group, from.object, to.object)
      return
    }
    const firstWhole = from.object === 0 ? from.group : from.group + 1
    const lastWhole = to.object === Number.POSITIVE_INFINITY ? to.group : to.group - 1
    if (firstWhole > from.group) this.absentIn(from.group, from.object, Number.POSITIVE_INFINITY)
    if (firstWhole <= lastWhole) this.absentGroups(firstWhole, lastWhole)
    if (lastWhole < to.group) this.absentIn(to.group, 0, to.object)
  }

  /** A fetch showed that the track ends with this object; false when it is malformed. */
  endsWith(last: Location): boolean {
    const end = { group: last.group, object: last.object + 1 }
    return this.extent.endAt(last, end, this.largestSeen)
  }

  isAbsent(group: number, object: number): boolean {
    if (this.extent.isGone(group) || this.extent.isBeyondEnd({ group, object })) return true
    return this.groups.find(group)?.isAbsent(object) ?? false
  }

  /** The subgroup of an object that is remembered, null for a datagram; undefined when it is not. */
  subgroupOf(group: number, object: number): number | null | undefined {
    return this.groups.find(group)?.find(object)?.subgroup
  }

  /** An object with its bytes, to be served; undefined when they are not there or have expired. */
  find(group: number, object: number): FetchObject | undefined {
    const known = this.groups.find(group)
    const found = known?.find(object)
    if (!known || !found?.body || !this.isFresh(found)) return undefined
    this.groups.use(known)
    return found.toSend()
  }

  // ---- for the plan of a fetch

  /** State of the run of objects that begins here; `runEnd` is its last id in this group. */
  look(group: number, object: number): RunState {
    this.runEnd = Number.POSITIVE_INFINITY
    if (this.extent.isGone(group) || this.extent.isBeyondEnd({ group, object })) return 'absent'
    const known = this.groups.find(group)
    let state: RunState = 'unknown'
    if (known) {
      state = known.look(object, this.isFresh)
      this.runEnd = known.runEnd
    }
    const { end } = this.extent
    if (end?.group === group && this.runEnd >= end.object && state === 'unknown') {
      this.runEnd = end.object - 1
    }
    return state
  }

  /** Of the last `look`. */
  runEnd = -1

  /**
   * The last group, counted from this one upwards or downwards, of which exactly as much is known as of
   * this one: nothing, or that it does not exist. Upwards it may be infinite.
   */
  alike(group: number, descending: boolean): number {
    const far = this.extent.alike(group, descending)
    if (this.extent.isGone(group)) return far
    if (this.groups.find(group)) return group
    if (descending) return Math.max(far, this.groups.below(group) + 1)
    return Math.min(far, this.groups.from(group) - 1)
  }

  // ---- its end

  /** Forgets everything: another publisher's history begins. */
  clear(): void {
    this.groups.clear()
    this.extent = new TrackExtent()
    this.largestSeen = null
  }

  close(): void {
    this.clear()
    this.over = true
  }

  // ----

  private receive(object: MoqObject, arrivedAt: number, forwarded: boolean): CacheVerdict {
    if (this.over) return 'duplicate'
    const { group: id } = object
    if (!this.extent.mayCome(object)) return 'malformed'
    if (!this.properties.read(object)) return 'malformed'
    if (object.status !== ObjectStatus.NORMAL) return this.receiveEnd(object)
    if (this.extent.isGone(id) || this.extent.isBeyondEnd(object)) return 'withdrawn'
    return this.receiveIn(this.groups.findOrAdd(id), object, arrivedAt, forwarded)
  }

  private receiveIn(
    group: CachedGroup,
    object: MoqObject,
    arrivedAt: number,
    forwarded: boolean,
  ): CacheVerdict {
    if (!group.mayCome(object.object)) return 'malformed'
    const verdict = this.enter(group, object, arrivedAt, forwarded)
    this.groups.received(group)
    this.limit(arrivedAt)
    return verdict
  }

  private enter(
    group: CachedGroup,
    object: MoqObject,
    arrivedAt: number,
    forwarded: boolean,
  ): CacheVerdict {
    const priority = object.priority ?? this.defaultPriority
    const index = group.indexOf(object.object)
    const known = group.objects[index]
    if (known?.object === object.object) {
      if (!sameObject(known, object, priority, this.properties)) return 'malformed'
      if (!known.body || !this.isFresh(known)) this.keep(group, index, object, arrivedAt)
      if (known.forwarded || !forwarded) return 'duplicate'
      known.forwarded = true
      return 'new'
    }
    if (group.isAbsent(object.object)) return 'withdrawn'
    const { subgroup } = object
    if (subgroup !== null && !group.joinSubgroup(subgroup, priority, object.object)) {
      return 'malformed'
    }
    const { objectGap } = this.properties
    if (objectGap > 0) {
      const from = object.object - objectGap
      if (!group.addAbsent(from, object.object - 1, true)) return 'malformed'
    }
    if (this.properties.hasGroupGap && !this.gapBefore(group)) return 'malformed'
    if (object.endOfGroup && !group.endAt(object.object, object.object + 1)) return 'malformed'
    group.insert(index, new CachedObject(object, priority, arrivedAt, forwarded))
    this.keep(group, index, object, arrivedAt)
    this.see(object)
    return 'new'
  }

  private keep(group: CachedGroup, index: number, object: MoqObject, arrivedAt: number): void {
    const { maxBytes, maxBytesPerTrack } = this.budget.limits
    if (maxBytes === 0 || this.maxAgeMs === 0) return
    const { body } = object
    if (body.length > maxBytes || body.length > maxBytesPerTrack) {
      this.budget.hit(body.length > maxBytesPerTrack ? 'cache-track-bytes' : 'cache-bytes')
      return
    }
    group.keep(index, object, this.keeper.keep(body), arrivedAt)
  }

  /** END_OF_GROUP or END_OF_TRACK (section 11.2.1.1). It is remembered as an end, not as an object. */
  private receiveEnd(object: MoqObject): CacheVerdict {
    const { group: id, object: end } = object
    if (object.status === ObjectStatus.END_OF_TRACK) {
      const { end: known } = this.extent
      if (known && known.group === id && known.object === end) return 'duplicate'
      return this.extent.endAt(object, object, this.largestSeen) ? 'new' : 'malformed'
    }
    if (this.extent.isGone(id)) return 'withdrawn'
    const group = this.groups.findOrAdd(id)
    if (group.end === end) return 'duplicate'
    const held = group.mayCome(end) && group.endAt(end, end)
    this.groups.account(group)
    this.limit(this.clock.now())
    return held ? 'new' : 'malformed'
  }

  /** PRIOR_GROUP_ID_GAP (section 12.8). */
  private gapBefore(group: CachedGroup): boolean {
    const gap = this.properties.groupGap
    if (group.priorGap >= 0) return group.priorGap === gap
    group.priorGap = gap
    if (gap === 0) return true
    const from = group.id - gap
    for (const { largest } of this.groups.between(from, group.id - 1)) {
      if (largest >= 0) return false
    }
    this.addGone(from, group.id - 1, true)
    return true
  }

  private absentIn(id: number, from: number, to: number): void {
    if (this.extent.isGone(id)) return
    const group = this.groups.findOrAdd(id)
    group.addAbsent(from, to, false)
    this.groups.account(group)
    this.limit(this.clock.now())
  }

  private absentGroups(from: number, to: number): void {
    this.addGone(from, to, false)
    for (const group of this.groups.between(from, to)) {
      group.addAbsent(0, Number.POSITIVE_INFINITY, false)
      this.groups.account(group)
    }
    this.limit(this.clock.now())
  }

  private addGone(from: number, to: number, promised: boolean): void {
    const before = this.extent.weight
    this.extent.addGone(from, to, promised)
    this.groups.count(0, this.extent.weight - before)
  }

  private see(object: Location): void {
    if (this.largestSeen && !isAfter(object, this.largestSeen)) return
    this.largestSeen = { group: object.group, object: object.object }
  }

  private readonly isFresh = (object: CachedObject): boolean =>
    this.maxAgeMs === Number.POSITIVE_INFINITY ||
    this.clock.now() - object.arrivedAt <= this.maxAgeMs

  /** Lets go of what has expired and of what is too much. */
  private limit(now: number): void {
    if (this.maxAgeMs !== Number.POSITIVE_INFINITY) this.groups.expire(now - this.maxAgeMs)
    // Without groups it is ranges that are too much.
    if (!this.groups.limit()) this.clear()
    this.budget.enforce()
  }
}
