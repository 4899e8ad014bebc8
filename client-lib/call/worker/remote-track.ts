import type { CatalogTrack } from '../../../moq/media/index.ts'
import type { Clock } from '../../../moq/session/index.ts'
import type { FullTrackName } from '../../../moq/wire/names.ts'
import type { ArrivalCounts } from '../../media/arrival-meter.ts'
import type { MediaError } from '../../media/media-error.ts'
import type { TrackInfo } from '../types.ts'
import type { CallSession } from './call-session.ts'
import type { JoinSteps } from './join-steps.ts'
import type { MediaKeys } from './media-keys.ts'

/** What receiving anything of somebody else's needs. */
export interface RemoteTrackOptions {
  readonly session: CallSession
  readonly participantId: string
  readonly nameOf: (track: string) => FullTrackName
  readonly keys: MediaKeys
  readonly clock: Clock
  /** Round trip to the relay, ms; Infinity while it is not known. */
  readonly rttMs: () => number
  /** Told of the first picture. */
  readonly steps: JoinSteps
  readonly onError: (error: MediaError) => void
}

/** Sound or picture of somebody else's, as the call shows it; a picture may be of several tracks. */
export interface RemoteTrack {
  /**
   * What the newest catalog says of it.
   * @returns false when it cannot go on with that and has to be made anew
   */
  update(entries: readonly CatalogTrack[]): boolean
  /** Receive keys of a new epoch are there. */
  keysChanged(): void
  /** Acts on what is due; called every few ms. */
  poll(): void
  info(): TrackInfo
  /** Of each track that it is made of. */
  arrivals(): ArrivalCounts[]
  close(): void
}
