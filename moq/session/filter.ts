import type { Location } from '../wire/location.ts'
import type { SubscriptionFilter } from '../wire/parameters.ts'

/** The objects that a subscription filter passes: from `start` to the end of `endGroup`. */
export interface FilterRange {
  readonly start: Location
  /** Infinity: the subscription is open-ended. */
  readonly endGroup: number
}

/** Whether an object is in a range; Infinity: any of the group's from there on. */
export function isInRange(
  { start, endGroup }: FilterRange,
  group: number,
  object: number,
): boolean {
  if (group > endGroup || group < start.group) return false
  return group > start.group || object >= start.object
}

const ORIGIN: Location = { group: 0, object: 0 }

/**
 * What a filter means now (draft-18 section 5.1.2). No filter passes everything.
 * @param largest the Largest Object; null when nothing was published
 */
export function filterRange(
  filter: SubscriptionFilter | undefined,
  largest: Location | null,
): FilterRange {
  const endGroup = Number.POSITIVE_INFINITY
  switch (filter?.kind) {
    case undefined:
      return { start: ORIGIN, endGroup }
    case 'largest-object':
      if (!largest) return { start: ORIGIN, endGroup }
      return { start: { group: largest.group, object: largest.object + 1 }, endGroup }
    case 'next-group-start':
      return { start: largest ? { group: largest.group + 1, object: 0 } : ORIGIN, endGroup }
    case 'absolute-start':
      return { start: filter.start, endGroup }
    case 'absolute-range':
      return { start: filter.start, endGroup: filter.endGroup }
  }
}

/** Whether nothing that a filter passes can be published any more: INVALID_RANGE (section 5.1.2). */
export function isPublished(
  filter: SubscriptionFilter | undefined,
  largest: Location | null,
): boolean {
  return filter?.kind === 'absolute-range' && largest !== null && filter.endGroup < largest.group
}
