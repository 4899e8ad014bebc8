import type { TrackOffer } from './track-offer.ts'

/** One subscription of a receiver's, as the switching set sees it that it belongs to. */
export interface Member {
  readonly offer: TrackOffer
  /** It wants objects (Forward State 1). */
  readonly forwarding: boolean
  /** Frames go out that the receiver can decode. */
  readonly isOpen: boolean
  /** By what it is chosen; null: everything of the track is forwarded. */
  choice: PictureChoice | null
  /** What the publisher is to be asked for changed. @param layers temporal layers, 0..8 */
  want(layers: number): void
  /**
   * It is awaited: goes on with the newest group if its key frame is no older than so, ms; else a key
   * frame is asked for.
   */
  begin(maxAgeMs: number): void
  askKeyFrame(): void
  /** Nothing goes out of it: what waits is not sent, and only a key frame begins it again. */
  stop(): void
}

/** Asked for each object of a member, and told of it; see `PictureSet`. */
export interface PictureChoice {
  /** Whether it is the one that goes out. */
  isActive(member: Member): boolean
  /** Whether it is to be the next, from a key frame on. */
  isAwaited(member: Member): boolean
  /** Whether an object of the one that goes out does. @param marking see `markingOf` */
  passes(marking: number): boolean
  /** A key frame of the awaited one goes out. */
  onKeyFrame(member: Member): void
  /** A member wants objects, or none any more (REQUEST_UPDATE). */
  onForward(member: Member): void
}
