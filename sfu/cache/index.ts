/**
 * What the relay remembers of tracks: a cache of objects, bounded in bytes, age and number, and the
 * ledger that tells new objects from duplicates and finds malformed tracks (draft-18 sections 2.1,
 * 2.4.2 and 9.1).
 */

export {
  CacheBudget,
  type CacheLimitName,
  type CacheLimits,
  DEFAULT_CACHE_LIMITS,
} from './budget.ts'
export { CachedObject } from './object.ts'
export {
  behind,
  type FetchSpan,
  firstIn,
  firstOf,
  lastIn,
  locationAfter,
  nextSegment,
  plan,
  type Segment,
  tipOf,
} from './plan.ts'
export { type CacheVerdict, TrackCache } from './track-cache.ts'
