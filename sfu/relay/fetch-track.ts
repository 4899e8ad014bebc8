import type { Publication } from '../../moq/session/index.ts'
import type { Location } from '../../moq/wire/location.ts'
import type { FullTrackName } from '../../moq/wire/names.ts'
import type { Property } from '../../moq/wire/properties.ts'
import type { TrackCache } from '../cache/index.ts'
import type { Peer } from './peer.ts'

/** A track as a FETCH sees it; the relay's own is one. */
export interface FetchTrack {
  readonly name: FullTrackName
  readonly cache: TrackCache
  readonly properties: readonly Property[]
  /** As LARGEST_OBJECT would be told now (draft-18 section 10.2.11). */
  readonly largest: Location | null
  /** Whether a publisher sends its objects now, so that `largest` is up to date. */
  readonly receiving: boolean
}

/** What FETCH needs of the relay. */
export interface FetchHost {
  /** The relay's track while an upstream subscription is established, else null. */
  findTrack(name: FullTrackName): FetchTrack | null
  /** The track of a subscription of this peer's. */
  trackOf(peer: Peer, publication: Publication): FetchTrack | null
  /** Whom to ask for it, the best first: publishers of the track, then of its namespace (section 9.5). */
  publishers(name: FullTrackName): readonly Peer[]
  /** A fetched object showed that the track is malformed (section 2.4.2). */
  onMalformed(track: FetchTrack): void
}

export interface FetchLimits {
  /** Of one session, those that wait included. */
  readonly maxFetchesPerSession: number
  /** Bytes that one fetch may have waiting between a publisher and its requester. */
  readonly maxFetchBytes: number
  /** Longest time for which a fetch waits for publishers, and the time without FILL_TIMEOUT, ms. */
  readonly maxFillMs: number
}

export const DEFAULT_FETCH_LIMITS: FetchLimits = {
  maxFetchesPerSession: 100,
  maxFetchBytes: 256 * 1024,
  maxFillMs: 10_000,
}
