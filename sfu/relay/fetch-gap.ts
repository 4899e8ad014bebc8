import { isAfter, type Location } from '../../moq/wire/location.ts'
import type { FetchSpan, TrackCache } from '../cache/index.ts'
import { firstIn, lastIn } from '../cache/index.ts'
import { before, earlier } from './fetch-range.ts'

/**
 * Tells the cache of a gap in the response to a fetch: what the publisher left out does not exist
 * (draft-18 section 10.12.3).
 * @param from first location of the gap, in the order of the span
 * @param until first location behind it; null: it reaches to the span's end
 * @param bound nothing is known of what is behind it, because a fetch does not retrieve it
 */
export function rememberGap(
  cache: TrackCache,
  span: FetchSpan,
  from: Location,
  until: Location | null,
  bound: Location,
): void {
  const absent = (low: Location, high: Location) => {
    const last = earlier(high, bound)
    if (!isAfter(low, last)) cache.absent(low, last)
  }
  if (span.order === 'ascending') {
    const high = until ? before(until) : span.last
    if (high) absent(from, high)
    return
  }
  const endGroup = until ? until.group : span.start.group
  const endObject = until ? until.object - 1 : lastIn(span, endGroup)
  if (from.group === endGroup) {
    absent(from, { group: endGroup, object: endObject })
    return
  }
  absent(from, { group: from.group, object: lastIn(span, from.group) })
  // The groups between are whole, and the last one begins where the span lets it.
  const low = { group: endGroup + 1, object: 0 }
  const high = { group: from.group - 1, object: Number.POSITIVE_INFINITY }
  if (low.group <= high.group) absent(low, high)
  const first = { group: endGroup, object: firstIn(span, endGroup) }
  absent(first, { group: endGroup, object: endObject })
}
