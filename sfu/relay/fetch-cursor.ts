import type { FetchObject, FetchRangeEnd } from '../../moq/wire/fetch.ts'
import { isAfter, type Location } from '../../moq/wire/location.ts'
import {
  behind,
  type FetchSpan,
  firstOf,
  locationAfter,
  type Segment,
  tipOf,
} from '../cache/index.ts'
import { wireLocation } from './fetch-range.ts'

/** What a response has to write. */
export type Pending =
  | { readonly kind: 'object'; readonly object: FetchObject }
  | { readonly kind: 'range-end'; readonly end: FetchRangeEnd }
  | { readonly kind: 'finish' }

/** Where the response to a FETCH stands in its range, and what it has found there to write. */
export class FetchCursor {
  /** The next location to tell of; null: none is left. */
  at: Location | null
  private range: FetchSpan
  /** The end of objects that do not exist and that nothing on the stream tells of yet. */
  private skipped: Location | null = null
  private readonly pending: Pending[] = []

  constructor(span: FetchSpan) {
    this.range = span
    this.at = firstOf(span)
  }

  get span(): FetchSpan {
    return this.range
  }

  /** What is to be written next; undefined while nothing is. */
  get next(): Pending | undefined {
    return this.pending[0]
  }

  take(): Pending | undefined {
    return this.pending.shift()
  }

  give(object: FetchObject): void {
    this.skipped = null
    this.at = locationAfter(this.range, object)
    this.pending.push({ kind: 'object', object })
  }

  /** Nothing exists there. */
  skip(segment: Segment): void {
    this.skipped = tipOf(this.range, segment)
    this.at = behind(this.range, segment)
  }

  /** Nothing is known of it, and nobody says more. */
  tellUnknown(segment: Segment): void {
    this.unknownTo(tipOf(this.range, segment))
  }

  /** A publisher's end of a range. */
  tellRangeEnd(end: FetchRangeEnd): void {
    if (end.kind === 'unknown') this.unknownTo(end)
    else {
      this.skipped = end
      this.at = locationAfter(this.range, end)
    }
  }

  /** The range ends sooner than it was asked for. */
  endWith(last: Location): void {
    this.range = { ...this.range, last }
    if (!this.at || !isAfter(this.at, last)) return
    if (this.range.order === 'ascending') this.at = null
    else if (this.at.group > last.group) this.at = firstOf(this.range)
    else this.at = locationAfter(this.range, last)
  }

  finish(): void {
    this.pending.push({ kind: 'finish' })
  }

  clear(): void {
    this.pending.length = 0
  }

  /** Section 11.4.4.2: what does not exist is told only where something unknown follows. */
  private unknownTo(tip: Location): void {
    if (this.skipped) this.pushRangeEnd(this.skipped, 'non-existent')
    this.skipped = null
    this.at = locationAfter(this.range, tip)
    this.pushRangeEnd(tip, 'unknown')
  }

  private pushRangeEnd(at: Location, kind: FetchRangeEnd['kind']): void {
    this.pending.push({ kind: 'range-end', end: { ...wireLocation(at), kind } })
  }
}
