import type { Clock, IncomingSubscribe, Publication } from '../../moq/session/index.ts'
import type { FullTrackName } from '../../moq/wire/names.ts'
import type { CacheBudget } from '../cache/index.ts'
import type { FeedbackMeters } from '../feedback/index.ts'
import type { ForwardCounters } from '../forward/counters.ts'
import type { RoomKeys } from '../forward/keys/index.ts'
import type { Speakers } from '../speaker/index.ts'
import type { RelayLimitName, RelayLimits } from './limits.ts'
import type { Peer } from './peer.ts'
import type { RelayTally } from './tally.ts'

export interface TrackOptions<Track> {
  readonly name: FullTrackName
  /** The relay's alias for it, the same towards every subscriber. */
  readonly alias: number
  readonly clock: Clock
  readonly counters: ForwardCounters
  readonly tally: RelayTally
  readonly limits: RelayLimits
  readonly budget: CacheBudget
  /** Of all tracks: what is known of publishers' keys. */
  readonly keys: RoomKeys
  /** Of all tracks: who speaks. */
  readonly speakers: Speakers
  /** Of all tracks: what arrives from publishers. */
  readonly meters: FeedbackMeters
  readonly host: TrackHost<Track>
}

/** What a track asks of the relay, and tells it. */
export interface TrackHost<Track> {
  onLimit(limit: RelayLimitName): void
  /** A session has one more subscription or published track, or one less; see `PeerShares`. */
  countSubscription(peer: Peer, change: 1 | -1): void
  countPublished(peer: Peer, change: 1 | -1): void
  /** A SUBSCRIBE was answered; null: refused or gone. */
  onAnswered(request: IncomingSubscribe, publication: Publication | null): void
  /** A publisher's answer or PUBLISH came: the track can be offered to those who watch. */
  onAvailable(track: Track): void
  /** One of its publishers broke the rules for a track (section 2.4.2). */
  onMalformed(track: Track): void
  /** Nobody subscribes to it, publishes it or waits for it. */
  onUnused(track: Track): void
}
