import type { Publication } from '../../moq/session/index.ts'
import { DoneCode } from '../../moq/wire/codes.ts'
import type { FlowOwner } from '../forward/flow.ts'
import type { TrackTraffic } from '../forward/traffic.ts'
import type { Peer } from './peer.ts'
import type { TrackDefaults } from './track-defaults.ts'

/**
 * One subscriber of a track: its publication in the subscriber's session, served by that session's
 * egress scheduler.
 */
export class Downstream implements FlowOwner {
  readonly peer: Peer
  readonly publication: Publication
  readonly streamClass: number
  readonly datagramClass: number
  /** Group order: the subscriber's, else the publisher's (section 7.1). */
  descending = false
  /** Section 8, ms; Infinity where neither side set one. */
  objectTimeoutMs = Number.POSITIVE_INFINITY
  subgroupTimeoutMs = Number.POSITIVE_INFINITY
  waiting = 0
  lanes: FlowOwner['lanes'] = null
  /** Its place among the track's subscribers; see `Subscribers`. */
  slot = -1
  private readonly onLost: () => void
  private ending: { readonly status: number; readonly reason: string } | null = null

  constructor(peer: Peer, publication: Publication, traffic: TrackTraffic, onLost: () => void) {
    this.peer = peer
    this.publication = publication
    this.streamClass = traffic.stream
    this.datagramClass = traffic.datagram
    this.onLost = onLost
  }

  /** Takes over what the subscriber's parameters and the track's properties say together. */
  settle(defaults: TrackDefaults): void {
    const { groupOrder, objectDeliveryTimeout, subgroupDeliveryTimeout } = this.publication
    this.descending = (groupOrder ?? defaults.groupOrder) === 'descending'
    // Section 12.3: an object that waited for longer may not be forwarded, whatever the timeouts.
    this.objectTimeoutMs = Math.min(
      smaller(defaults.objectTimeoutMs, objectDeliveryTimeout),
      defaults.maxCacheMs,
    )
    this.subgroupTimeoutMs = smaller(defaults.subgroupTimeoutMs, subgroupDeliveryTimeout)
  }

  /** The timeout of a subgroup that has its own: it stands for the track's (draft-19 section 8). */
  objectTimeoutOf(publisherMs: number): number {
    return smaller(publisherMs, this.publication.objectDeliveryTimeout)
  }

  subgroupTimeoutOf(publisherMs: number): number {
    return smaller(publisherMs, this.publication.subgroupDeliveryTimeout)
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

/** Section 8: the smaller of the two that are set; zero and absent mean none. */
function smaller(property: number, parameter: number | null): number {
  return parameter === null || parameter === 0 ? property : Math.min(property, parameter)
}
