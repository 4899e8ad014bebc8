import type { MoqObject } from '../../moq/wire/object.ts'
import type { CachedObject } from './object.ts'
import { RangeSet } from './ranges.ts'
import { Recency } from './recency.ts'

/** What all objects of a subgroup have in common, and where it ends. */
export interface SubgroupRecord {
  readonly id: number
  readonly priority: number
  /** Largest object id that was received of it. */
  largest: number
  /** Its final object, or -1 while it is not known. */
  final: number
}

/** What is known of a position in a group: of the run of objects that begins there. */
export type RunState = 'cached' | 'absent' | 'unknown'

/** The groups of a track, which a group belongs to: it lets go of them. */
export interface GroupOwner {
  /** Lets go of the bytes of a group: of the newest only the oldest, about as many as given. */
  release(group: CachedGroup, bytes: number): void
  /**
   * Forgets a group: of the newest only its older half, while it has one. `compact` has to follow.
   */
  forget(group: CachedGroup): void
  /** After `forget`. */
  compact(): void
}

/**
 * What the relay knows of one group of a track: its objects by ascending id, which ids do not exist and
 * where it ends (draft-18 section 2.1). Objects mostly come in order, so that an array that is searched
 * from its end is both the quickest to add to and in the order that a FETCH wants.
 */
export class CachedGroup {
  readonly id: number
  readonly owner: GroupOwner
  /** Ascending by id; those that only a count remains of have no body. */
  readonly objects: CachedObject[] = []
  /** Bytes of the bodies. */
  bytes = 0
  /** What its owner counts of it. */
  countedBytes = 0
  countedWeight = 0
  /** It is about to leave its track. */
  forgotten = false
  /** When the newest object came, ms. */
  newestAt = 0
  /** First id that does not exist, as the publisher said where the group ends; infinite until then. */
  end = Number.POSITIVE_INFINITY
  /** PRIOR_GROUP_ID_GAP of its objects (section 12.8), or -1 while none has one. */
  priorGap = -1
  /** Its places in its track's list and in that of all tracks. */
  readonly inTrack = new Recency<CachedGroup>(this)
  readonly inAll = new Recency<CachedGroup>(this)
  /** Largest object id that came, or -1. */
  largest = -1
  /** Largest id that may come: END_OF_GROUP itself is one, though no object has its id. */
  private last = Number.POSITIVE_INFINITY
  private subgroup: SubgroupRecord | null = null
  private subgroups: Map<number, SubgroupRecord> | null = null
  /** Ids that do not exist, whoever said so. */
  private gone: RangeSet | null = null
  /** Those that the publisher promised by a property: an object there makes the track malformed. */
  private promised: RangeSet | null = null
  /** No object before this index has a body. */
  private bodiesFrom = 0

  constructor(id: number, owner: GroupOwner) {
    this.id = id
    this.owner = owner
  }

  /** What it counts against the bound of remembered objects. */
  get weight(): number {
    const ranges = (this.gone?.length ?? 0) + (this.promised?.length ?? 0)
    return 1 + this.objects.length + ranges + (this.subgroups?.size ?? 0)
  }

  /** Index of the first object whose id is not smaller. */
  indexOf(object: number): number {
    const { objects } = this
    let high = objects.length
    if (high === 0 || objects[high - 1]!.object < object) return high
    let low = 0
    while (low < high) {
      const middle = (low + high) >>> 1
      if (objects[middle]!.object < object) low = middle + 1
      else high = middle
    }
    return low
  }

  find(object: number): CachedObject | null {
    const found = this.objects[this.indexOf(object)]
    return found?.object === object ? found : null
  }

  insert(index: number, object: CachedObject): void {
    if (index === this.objects.length) this.objects.push(object)
    else this.objects.splice(index, 0, object)
    if (index < this.bodiesFrom) this.bodiesFrom = index
    if (object.object > this.largest) this.largest = object.object
  }

  /** Keeps the bytes of one of its objects. */
  keep(index: number, object: MoqObject, body: Uint8Array, arrivedAt: number): void {
    const entry = this.objects[index]!
    if (entry.body) this.bytes -= entry.body.length
    entry.keep(object, body, arrivedAt)
    this.bytes += body.length
    if (arrivedAt > this.newestAt) this.newestAt = arrivedAt
    if (index < this.bodiesFrom) this.bodiesFrom = index
  }

  dropBodies(): void {
    for (let i = this.bodiesFrom; i < this.objects.length; i++) this.objects[i]!.body = null
    this.bodiesFrom = this.objects.length
    this.bytes = 0
  }

  /** Lets go of the bodies of its first objects: of those that came before, and down to so many bytes. */
  dropFirstBodies(bytesAtMost: number, cameBefore: number): void {
    for (; this.bodiesFrom < this.objects.length; this.bodiesFrom++) {
      const object = this.objects[this.bodiesFrom]!
      if (!object.body) continue
      if (this.bytes <= bytesAtMost && object.arrivedAt >= cameBefore) break
      this.bytes -= object.body.length
      object.body = null
    }
  }

  /** Forgets the first half of its objects. */
  forgetFirstHalf(): void {
    const forgotten = this.objects.splice(0, Math.ceil(this.objects.length / 2))
    for (const { body } of forgotten) this.bytes -= body?.length ?? 0
    this.bodiesFrom = Math.max(0, this.bodiesFrom - forgotten.length)
  }

  /** Whether an object with this id can still come: false makes the track malformed. */
  mayCome(object: number): boolean {
    return object <= this.last && !this.promised?.has(object)
  }

  isAbsent(object: number): boolean {
    return object >= this.end || (this.gone?.has(object) ?? false)
  }

  /**
   * A statement that some ids do not exist. Objects there cease to exist (section 9.1).
   * @param promised by a property of the publisher's, which may not be broken
   * @returns false when it breaks with an object that came before: the track is malformed
   */
  addAbsent(from: number, to: number, promised: boolean): boolean {
    if (promised) {
      if (this.promised?.endAt(from) === to) return true
      const index = this.indexOf(from)
      if (index < this.objects.length && this.objects[index]!.object <= to) return false
      this.promised ??= new RangeSet()
      this.promised.add(from, to)
    } else this.removeObjects(from, to)
    this.gone ??= new RangeSet()
    this.gone.add(from, to)
    return true
  }

  /**
   * The group's end.
   * @param last largest id that may come
   * @param end first id that does not exist: `last` itself for END_OF_GROUP, else the next
   * @returns false when it breaks with what is known: the track is malformed (section 2.4.2, 4)
   */
  endAt(last: number, end: number): boolean {
    if (this.largest > last) return false
    if (this.end !== Number.POSITIVE_INFINITY) {
      // The same end in its other form (section 9.1), or the FIN behind END_OF_GROUP itself.
      if (end !== this.end && last !== this.end) return false
      this.last = Math.max(this.last, Math.min(last, this.end))
      return true
    }
    this.last = last
    this.end = end
    this.removeObjects(end, Number.POSITIVE_INFINITY)
    return true
  }

  /** @returns false when the object breaks with its subgroup (section 2.4.2, 1 and 2) */
  joinSubgroup(id: number, priority: number, object: number): boolean {
    const known = this.subgroupRecord(id)
    if (!known) {
      this.addSubgroup({ id, priority, largest: object, final: -1 })
      return true
    }
    if (known.priority !== priority) return false
    if (object > known.largest) {
      if (known.final >= 0 && object > known.final) return false
      known.largest = object
    }
    return true
  }

  /** A subgroup's stream was finished; false when it breaks with another (section 2.4.2, 2 and 3). */
  endSubgroup(id: number, final: number): boolean {
    const known = this.subgroupRecord(id)
    if (!known) return true
    if (known.final >= 0) return known.final === final
    if (known.largest > final) return false
    known.final = final
    return true
  }

  /** State of the run of objects that begins at `object`; its last id is `runEnd` (may be infinite). */
  look(object: number, isFresh: (object: CachedObject) => boolean): RunState {
    if (object >= this.end) {
      this.runEnd = Number.POSITIVE_INFINITY
      return 'absent'
    }
    const goneTo = this.gone?.endAt(object) ?? -1
    if (goneTo >= 0) {
      this.runEnd = goneTo
      return 'absent'
    }
    let index = this.indexOf(object)
    const first = this.objects[index]
    if (first?.object === object && first.body && isFresh(first)) {
      this.runEnd = object
      return 'cached'
    }
    for (; index < this.objects.length; index++) {
      const next = this.objects[index]!
      if (next.body && isFresh(next)) break
    }
    const cached = this.objects[index]?.object ?? Number.POSITIVE_INFINITY
    const gone = this.gone?.nextFrom(object) ?? Number.POSITIVE_INFINITY
    this.runEnd = Math.min(cached, gone, this.end) - 1
    return 'unknown'
  }

  /** Of the last `look`. */
  runEnd = -1

  private removeObjects(from: number, to: number): void {
    const first = this.indexOf(from)
    let next = first
    for (; next < this.objects.length && this.objects[next]!.object <= to; next++) {
      this.bytes -= this.objects[next]!.body?.length ?? 0
    }
    this.objects.splice(first, next - first)
    this.bodiesFrom = Math.min(this.bodiesFrom, first)
  }

  private subgroupRecord(id: number): SubgroupRecord | null {
    if (this.subgroup?.id === id) return this.subgroup
    const known = this.subgroups?.get(id) ?? null
    // The next object is likely of the same one.
    if (known) this.subgroup = known
    return known
  }

  private addSubgroup(record: SubgroupRecord): void {
    if (this.subgroup) {
      // Most groups have one subgroup and no map.
      this.subgroups ??= new Map([[this.subgroup.id, this.subgroup]])
      this.subgroups.set(record.id, record)
    }
    this.subgroup = record
  }
}
