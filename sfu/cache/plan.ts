/** What a FETCH finds in the cache: its range as a sequence of segments, in the order asked for. */

import { isAfter, type Location } from '../../moq/wire/location.ts'
import type { GroupOrder } from '../../moq/wire/parameters.ts'
import type { TrackCache } from './track-cache.ts'

/** The objects that a FETCH wants, both ends inclusive, in its order. */
export interface FetchSpan {
  readonly start: Location
  /** Its object is infinite where the whole group is wanted. */
  readonly last: Location
  readonly order: GroupOrder
}

export type Segment =
  | { readonly kind: 'cached'; readonly low: Location; readonly high: Location }
  /**
   * All locations from `low` to `high` (inclusive, the higher object may be infinite). In descending
   * order a segment of several groups has them whole, as far as the span goes: so it is one range of
   * locations too, which one FETCH can ask for.
   */
  | { readonly kind: 'absent' | 'unknown'; readonly low: Location; readonly high: Location }

/** Where a span begins in its order; null when it is empty. */
export function firstOf(span: FetchSpan): Location | null {
  const { start, last } = span
  if (start.group > last.group) return null
  if (start.group === last.group && start.object > last.object) return null
  return span.order === 'ascending' || start.group === last.group
    ? start
    : { group: last.group, object: 0 }
}

/** The segment that begins at `at`, which is in the span. A `cached` one is a single object. */
export function nextSegment(cache: TrackCache, span: FetchSpan, at: Location): Segment {
  const descending = span.order === 'descending'
  const kind = cache.look(at.group, at.object)
  if (kind === 'cached') return { kind, low: at, high: at }
  const end = lastIn(span, at.group)
  let low = at
  let high = { group: at.group, object: Math.min(cache.runEnd, end) }
  const whole = high.object === end && (!descending || at.object === firstIn(span, at.group))
  let next = whole ? groupAfter(span, at.group) : null
  while (next !== null) {
    if (cache.look(next, firstIn(span, next)) !== kind) break
    const until = Math.min(cache.runEnd, lastIn(span, next))
    if (until < lastIn(span, next)) {
      if (!descending) high = { group: next, object: until }
      break
    }
    const far = clip(span, cache.alike(next, descending))
    if (descending) low = { group: far, object: firstIn(span, far) }
    else high = { group: far, object: lastIn(span, far) }
    next = groupAfter(span, far)
  }
  return { kind, low, high }
}

/** Where the span goes on behind a segment; null at its end. */
export function behind(span: FetchSpan, { low, high }: Segment): Location | null {
  if (span.order === 'descending' && low.group < high.group) return beginOf(span, low.group)
  return locationAfter(span, high)
}

/** The first location of the span behind this one; null when there is none. */
export function locationAfter(span: FetchSpan, at: Location): Location | null {
  if (span.order === 'ascending' ? !isAfter(span.last, at) : at.group > span.last.group) {
    return span.order === 'ascending' ? null : firstOf(span)
  }
  if (at.object < lastIn(span, at.group)) return { group: at.group, object: at.object + 1 }
  return beginOf(span, at.group)
}

/** The last location of a segment in the order of its span. */
export function tipOf(span: FetchSpan, { low, high }: Segment): Location {
  if (span.order === 'ascending' || low.group === high.group) return high
  return { group: low.group, object: lastIn(span, low.group) }
}

/** The whole plan. A FETCH that is served goes from segment to segment, because the cache changes. */
export function plan(cache: TrackCache, span: FetchSpan): Segment[] {
  const segments: Segment[] = []
  for (let at = firstOf(span); at; ) {
    const segment = nextSegment(cache, span, at)
    segments.push(segment)
    at = behind(span, segment)
  }
  return segments
}

/** First object of a group that is in the span. */
export function firstIn(span: FetchSpan, group: number): number {
  return group === span.start.group ? span.start.object : 0
}

/** Last object of a group that is in the span; may be infinite. */
export function lastIn(span: FetchSpan, group: number): number {
  return group === span.last.group ? span.last.object : Number.POSITIVE_INFINITY
}

/** Where the group behind this one begins; null when this is the last. */
function beginOf(span: FetchSpan, group: number): Location | null {
  const next = groupAfter(span, group)
  return next === null ? null : { group: next, object: firstIn(span, next) }
}

function groupAfter(span: FetchSpan, group: number): number | null {
  if (span.order === 'ascending') return group < span.last.group ? group + 1 : null
  return group > span.start.group ? group - 1 : null
}

function clip(span: FetchSpan, group: number): number {
  return Math.min(Math.max(group, span.start.group), span.last.group)
}
