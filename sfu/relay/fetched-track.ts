import type { AcceptedFetch, Clock } from '../../moq/session/index.ts'
import type { FullTrackName } from '../../moq/wire/names.ts'
import { findInteger, type Property, PropertyType } from '../../moq/wire/properties.ts'
import { type CacheBudget, TrackCache } from '../cache/index.ts'
import type { FetchTrack } from './fetch-track.ts'

/**
 * A track that nobody subscribes to, while it is fetched: fetches of it at the same time share what
 * they bring. Where it ends is for its publisher to say.
 */
export class FetchedTrack implements FetchTrack {
  readonly name: FullTrackName
  readonly cache: TrackCache
  readonly largest = null
  readonly receiving = false
  properties: readonly Property[] = []

  constructor(name: FullTrackName, budget: CacheBudget, clock: Clock) {
    this.name = name
    this.cache = new TrackCache(budget, clock)
  }

  /** A publisher told the track's properties. */
  learn({ properties }: AcceptedFetch): void {
    this.properties = properties
    const maxAge = findInteger(properties, PropertyType.MAX_CACHE_DURATION)
    const priority = findInteger(properties, PropertyType.DEFAULT_PUBLISHER_PRIORITY)
    if (maxAge !== undefined) this.cache.maxAgeMs = maxAge
    if (priority !== undefined && priority <= 255) this.cache.defaultPriority = priority
  }
}
