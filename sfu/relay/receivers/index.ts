/**
 * Receivers: sessions that tell what they show and what arrives, in a track `report` of their own, so
 * that the relay chooses for them which rendition and how many temporal layers of each picture go out.
 * A session without reports gets each track that it subscribes to.
 */

export type { Member, PictureChoice } from './member.ts'
export type { SelectionCounters } from './picture-set.ts'
export { type PathBudget, Receiver } from './receiver.ts'
export { type ReceiverPeer, Receivers } from './receivers.ts'
export { isReportTrack } from './report-track.ts'
export { TrackOffer } from './track-offer.ts'
