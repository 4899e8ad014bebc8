import type { IncomingTracksSubscription } from '../../moq/session/index.ts'
import type { Namespace } from '../../moq/wire/names.ts'
import type { Peer } from './peer.ts'
import { PrefixIndex } from './prefix-index.ts'
import type { RelayTrack } from './track.ts'

/** One SUBSCRIBE_TRACKS and the tracks that it was offered. */
interface TrackWatch {
  readonly peer: Peer
  readonly request: IncomingTracksSubscription
  /**
   * A track that was refused or unsubscribed, or for which PUBLISH_BLOCKED was sent, is not offered
   * again while it lives (section 6.1).
   */
  readonly offered: WeakSet<RelayTrack>
}

/**
 * Who asked for tracks by SUBSCRIBE_TRACKS, and what they are offered with PUBLISH (draft-18 sections
 * 6.1, 9.5 and 10.19).
 */
export class TrackWatchers {
  private readonly index = new PrefixIndex<TrackWatch>()
  private readonly watches = new Map<IncomingTracksSubscription, TrackWatch>()
  /** Whether a session may have one more subscription. */
  private readonly hasRoom: (peer: Peer) => boolean

  constructor(hasRoom: (peer: Peer) => boolean) {
    this.hasRoom = hasRoom
  }

  add(peer: Peer, request: IncomingTracksSubscription): void {
    const watch = { peer, request, offered: new WeakSet<RelayTrack>() }
    this.watches.set(request, watch)
    this.index.add(request.prefix, watch)
  }

  remove(request: IncomingTracksSubscription): void {
    const watch = this.watches.get(request)
    if (!watch) return
    this.watches.delete(request)
    this.index.delete(request.prefix, watch)
  }

  /** The prefix changes; existing subscriptions stay (section 10.9.2). */
  move(request: IncomingTracksSubscription, prefix: Namespace): void {
    const watch = this.watches.get(request)
    if (!watch) return
    this.index.delete(request.prefix, watch)
    this.index.add(prefix, watch)
  }

  /** Offers a track to all who asked for such. */
  announce(track: RelayTrack): void {
    for (const watch of this.index.matching(track.name.namespace)) this.offer(watch, track)
  }

  /** Offers a track to one of them. */
  announceTo(request: IncomingTracksSubscription, track: RelayTrack): void {
    const watch = this.watches.get(request)
    if (watch) this.offer(watch, track)
  }

  /**
   * Not to its publisher, nor to a session that subscribes to it or waits for it (sections 6.1 and
   * 9.5).
   */
  private offer({ peer, request, offered }: TrackWatch, track: RelayTrack): void {
    if (request.over || peer.session.closed || !track.established) return
    // After a GOAWAY nothing new should be asked of its sender (section 10.4).
    if (peer.session.goawayReceived) return
    if (offered.has(track)) return
    if (track.isPublishedBy(peer) || track.serves(peer) || !peer.maySubscribe(track.name)) return
    offered.add(track)
    if (!this.hasRoom(peer) || !track.offer(peer, request.parameters)) request.blocked(track.name)
  }
}
