import { isAfter, type Location } from '../../moq/wire/location.ts'
import { RangeSet } from './ranges.ts'

/** Which groups of a track do not exist, and where the track ends (draft-18 sections 2.1 and 12.8). */
export class TrackExtent {
  /** Groups that do not exist, whoever said so. */
  private gone: RangeSet | null = null
  /** Those that the publisher promised by a property: an object there makes the track malformed. */
  private promised: RangeSet | null = null
  /** Largest location that may come; END_OF_TRACK itself is one, though no object has its location. */
  private last: Location | null = null
  /** First location that does not exist, as the publisher said where the track ends. */
  end: Location | null = null

  /** Ranges that it holds. */
  get weight(): number {
    return (this.gone?.length ?? 0) + (this.promised?.length ?? 0)
  }

  /** Whether an object can still come here: false makes the track malformed. */
  mayCome(at: Location): boolean {
    return !(this.last && isAfter(at, this.last)) && !this.promised?.has(at.group)
  }

  isGone(group: number): boolean {
    return this.gone?.has(group) ?? false
  }

  isBeyondEnd(at: Location): boolean {
    return this.end !== null && !isAfter(this.end, at)
  }

  /** Groups do not exist; both ends inclusive. */
  addGone(from: number, to: number, promised: boolean): void {
    this.gone ??= new RangeSet()
    this.gone.add(from, to)
    if (!promised) return
    this.promised ??= new RangeSet()
    this.promised.add(from, to)
  }

  /**
   * The track's end.
   * @param last largest location that may come
   * @param end first that does not exist: `last` itself for END_OF_TRACK, else the next
   * @param largest of the objects that came
   * @returns false when it breaks with what is known: the track is malformed (section 2.4.2, 5)
   */
  endAt(last: Location, end: Location, largest: Location | null): boolean {
    if (largest && isAfter(largest, last)) return false
    if (this.end) return this.end.group === end.group && this.end.object === end.object
    this.last = { group: last.group, object: last.object }
    this.end = { group: end.group, object: end.object }
    return true
  }

  /**
   * The last group, counted from this one upwards or downwards, of which exactly as much is said here
   * as of this one. Upwards it may be infinite.
   */
  alike(group: number, descending: boolean): number {
    const { gone } = this
    const end = this.end?.group ?? Number.POSITIVE_INFINITY
    if (gone?.has(group)) return descending ? gone.startAt(group) : gone.endAt(group)
    if (group > end) return descending ? end + 1 : Number.POSITIVE_INFINITY
    if (group === end) return group
    if (descending) return (gone?.previousTo(group) ?? -1) + 1
    return Math.min(gone?.nextFrom(group) ?? Number.POSITIVE_INFINITY, end) - 1
  }
}
