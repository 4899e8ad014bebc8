/** Range filters in requests (draft-19 section 5.1.3). A draft without them never gives any. */

import { RequestCode } from '../wire/codes.ts'
import type { Parameters } from '../wire/parameters.ts'
import type { RangeFilter } from '../wire/range-filter.ts'
import type { RequestRefusal } from './refusal.ts'

/**
 * Why a request, an update or a PUBLISH_OK of the peer's cannot be granted for its range filters. We
 * send no MAX_FILTER_RANGES, so that none with a range is allowed; taking filters away is.
 */
export function rangeFilterRefusal(parameters: Parameters): RequestRefusal | null {
  for (const filter of rangeFilters(parameters)) {
    if (filter.kind === 'remove') continue
    const reason = filter.kind === 'invalid' ? filter.reason : 'range filters are not served here'
    return { code: RequestCode.INVALID_FILTER, reason, retryAfterMs: null }
  }
  return null
}

/** How many ranges the filters of a request have together, as MAX_FILTER_RANGES counts them. */
export function countRanges(parameters: Parameters): number {
  let count = 0
  for (const filter of rangeFilters(parameters)) {
    if (filter.kind === 'ranges') count += filter.ranges.length
  }
  return count
}

function rangeFilters(parameters: Parameters): RangeFilter[] {
  return [
    ...(parameters.subgroupFilters ?? []),
    ...(parameters.objectIdFilters ?? []),
    ...(parameters.priorityFilters ?? []),
    ...(parameters.objectPropertyFilters ?? []),
    ...(parameters.trackPropertyFilters ?? []),
  ]
}
