import type { Publication } from '../../moq/session/index.ts'
import { DoneCode } from '../../moq/wire/codes.ts'
import type { FlowOwner } from '../forward/flow.ts'
import type { TrackTraffic } from '../forward/traffic.ts'
import type { Peer } from './peer.ts'

/**
 * One subscriber of a track: its publication in the subscriber's session, served by that session's
 * egress scheduler.
 */
export class Downstream implements FlowOwner {
  readonly peer: Peer
  readonly publication: Publication
  readonly streamClass: number
  readonly datagramClass: number
  waiting = 0
  private readonly onLost: () => void
  private ending: { readonly status: number; readonly reason: string } | null = null

  constructor(peer: Peer, publication: Publication, traffic: TrackTraffic, onLost: () => void) {
    this.peer = peer
    this.publication = publication
    this.streamClass = traffic.stream
    this.datagramClass = traffic.datagram
    this.onLost = onLost
  }

  /** PUBLISH_DONE, behind what still waits (section 10.11: only when every stream is closed). */
  end(status: number = DoneCode.TRACK_ENDED, reason = 'the publisher ended the track'): void {
    this.ending ??= { status, reason }
    if (this.waiting === 0) this.onIdle()
  }

  onIdle(): void {
    if (this.ending) this.publication.done(this.ending.status, this.ending.reason)
  }

  onSubgroupLost(): void {
    this.onLost()
  }
}
