/** Ranges of FETCH: from the request's form to the first and last location, and back. */

import { RequestCode } from '../../moq/wire/codes.ts'
import { isAfter, type Location } from '../../moq/wire/location.ts'
import type { FetchRange } from '../../moq/wire/messages.ts'
import type { FetchSpan } from '../cache/index.ts'

/** Both ends inclusive; the last object is infinite where the whole group is wanted. */
export interface ObjectRange {
  readonly start: Location
  readonly last: Location
}

/** Why a range cannot be served: code and reason of a REQUEST_ERROR. */
export class RangeRefusal {
  readonly code = RequestCode.INVALID_RANGE
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

/**
 * What a FETCH asks for (draft-18 sections 10.12.1 and 10.12.2).
 * @param joining of a joining fetch: where its subscription began, null when nothing was published
 */
export function rangeOf(range: FetchRange, joining: Location | null): ObjectRange | RangeRefusal {
  let asked: ObjectRange
  if (range.kind === 'standalone') {
    asked = { start: range.start, last: lastOf(range.end) }
  } else {
    if (!joining) return new RangeRefusal('nothing is published on this track')
    const group =
      range.kind === 'absolute-joining'
        ? range.joiningStart
        : Math.max(0, joining.group - range.joiningStart)
    asked = { start: { group, object: 0 }, last: joining }
  }
  if (isAfter(asked.start, asked.last)) return new RangeRefusal('the range ends before its start')
  return asked
}

/** The last location of a range whose end is told as in FETCH and FETCH_OK. */
export function lastOf(end: Location): Location {
  return end.object === 0
    ? { group: end.group, object: Number.POSITIVE_INFINITY }
    : { group: end.group, object: end.object - 1 }
}

/**
 * How FETCH and FETCH_OK tell an end: the object plus 1, or 0 for the whole group, which also ends with
 * the largest id there is.
 */
export function endOf(last: Location): Location {
  return last.object < Number.MAX_SAFE_INTEGER
    ? { group: last.group, object: last.object + 1 }
    : { group: last.group, object: 0 }
}

export function earlier(a: Location, b: Location): Location {
  return isAfter(a, b) ? b : a
}

/** The last location below one; null at the first of all. */
export function before({ group, object }: Location): Location | null {
  if (object > 0) return { group, object: object - 1 }
  return group > 0 ? { group: group - 1, object: Number.POSITIVE_INFINITY } : null
}

/** Whether `a` comes before `b` in an order of groups. */
export function precedes(span: FetchSpan, a: Location, b: Location): boolean {
  if (a.group === b.group) return a.object < b.object
  return a.group < b.group === (span.order === 'ascending')
}

export function contains({ start, last }: ObjectRange, at: Location): boolean {
  return !isAfter(start, at) && !isAfter(at, last)
}

/** The nearest location that a message can name: an infinite object is the largest id. */
export function wireLocation({ group, object }: Location): Location {
  return { group, object: Math.min(object, Number.MAX_SAFE_INTEGER) }
}
