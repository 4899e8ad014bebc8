import type { TrackCache } from '../cache/index.ts'

/** Object ids looked at to find that a gap is none; a wider gap counts as one. */
const MAX_GAP = 256

/**
 * Whether all objects between two of a subgroup, both exclusive, belong to other subgroups or do not
 * exist (draft-18 section 11.4.3, the third way to know that an object is the next).
 */
export function nothingBetween(
  cache: Pick<TrackCache, 'isAbsent' | 'subgroupOf'>,
  group: number,
  subgroup: number,
  after: number,
  before: number,
): boolean {
  if (before - after > MAX_GAP) return false
  for (let object = after + 1; object < before; object++) {
    if (cache.isAbsent(group, object)) continue
    const owner = cache.subgroupOf(group, object)
    if (owner === undefined || owner === subgroup) return false
  }
  return true
}
