import type { Location } from '../wire/location.ts'

/** Groups that are remembered; live media is long past what is older. */
const MAX_GROUPS = 64
/** Object ids of a group that came out of order. */
const MAX_AHEAD = 4096

/** Which objects of a group came: all below `next`, and those in `ahead`. */
class SeenGroup {
  readonly group: number
  next = 0
  readonly ahead = new Set<number>()

  constructor(group: number) {
    this.group = group
  }

  /** @returns false when the object came before */
  add(object: number): boolean {
    if (object === this.next) {
      this.next++
      if (this.ahead.size > 0) while (this.ahead.delete(this.next)) this.next++
      return true
    }
    if (object < this.next || this.ahead.has(object)) return false
    this.ahead.add(object)
    if (this.ahead.size > MAX_AHEAD) this.shrink()
    return true
  }

  /** Counts the lower half of what is ahead as complete. */
  private shrink(): void {
    const ids = [...this.ahead].sort((a, b) => a - b)
    const half = ids.length >> 1
    for (let i = 0; i < half; i++) this.ahead.delete(ids[i]!)
    this.next = ids[half - 1]! + 1
    while (this.ahead.delete(this.next)) this.next++
  }
}

/**
 * Which objects of a track came, so that each is delivered once though it comes over two sessions.
 * Memory is bounded: the oldest groups are forgotten.
 */
export class SeenObjects {
  private readonly groups = new Map<number, SeenGroup>()
  private last: SeenGroup | null = null
  private first: Location = { group: 0, object: 0 }
  /** Groups below are forgotten. */
  private floor = 0

  /** Nothing before `start` was promised; what comes of it is noted all the same. */
  startAt(start: Location): void {
    this.first = start
  }

  /**
   * Notes an object.
   * @returns whether it is new; one of a forgotten group counts as new
   */
  add(group: number, object: number): boolean {
    if (group < this.floor) return true
    const seen = this.last?.group === group ? this.last : this.open(group)
    return seen.add(object)
  }

  /** Whether the group is forgotten: nothing is known of its objects. */
  forgot(group: number): boolean {
    return group < this.floor
  }

  /** The first promised object of a group that did not come; ids may have gaps, so it need not exist. */
  missing(group: number): Location {
    if (group < this.first.group) return this.missing(this.first.group)
    const seen = this.groups.get(group)
    let object = Math.max(seen?.next ?? 0, group === this.first.group ? this.first.object : 0)
    while (seen?.ahead.has(object)) object++
    return { group, object }
  }

  private open(group: number): SeenGroup {
    let seen = this.groups.get(group)
    if (!seen) {
      seen = new SeenGroup(group)
      this.groups.set(group, seen)
      if (this.groups.size > MAX_GROUPS) this.forget()
    }
    this.last = seen
    return seen
  }

  private forget(): void {
    let oldest = Number.POSITIVE_INFINITY
    for (const group of this.groups.keys()) if (group < oldest) oldest = group
    this.groups.delete(oldest)
    this.floor = Math.max(this.floor, oldest + 1)
  }
}
