import type { Publication } from '../../moq/session/index.ts'
import { DoneCode } from '../../moq/wire/codes.ts'
import type { FlowOwner } from '../forward/flow.ts'
import { asksForKeyFrame, type GateDropCounters, KeyFrameGate } from '../forward/gate/index.ts'
import { type ForwardObject, UNMARKED } from '../forward/object.ts'
import type { TrackTraffic } from '../forward/traffic.ts'
import type { Peer } from './peer.ts'
import type { TrackDefaults } from './track-defaults.ts'
import type { VideoGate } from './video-gate.ts'

/** The subscriber's track, as it knows it. */
export interface DownstreamTrack {
  readonly traffic: TrackTraffic
  /** Of a picture; null for every other track. */
  readonly video: VideoGate | null
  /** Objects that were not forwarded, by reason. */
  readonly drops: GateDropCounters
  /** A subgroup was given up. Not called where there is a gate. */
  readonly onLost: () => void
}

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
  /** Whether it wants objects, as far as its gate was told. */
  private forwarding: boolean
  private readonly track: DownstreamTrack
  private readonly gate: KeyFrameGate | null
  private ending: { readonly status: number; readonly reason: string } | null = null

  constructor(peer: Peer, publication: Publication, track: DownstreamTrack) {
    this.peer = peer
    this.publication = publication
    this.streamClass = track.traffic.stream
    this.datagramClass = track.traffic.datagram
    this.track = track
    this.gate = track.video ? new KeyFrameGate() : null
    this.forwarding = publication.forward
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

  /** REQUEST_UPDATE: what it missed while it wanted nothing is not built on. */
  updated(): void {
    const { forward } = this.publication
    if (forward && !this.forwarding) this.gate?.close()
    this.forwarding = forward
  }

  /**
   * Whether a new object that passes the filter is of use to the subscriber; see `KeyFrameGate`. One
   * that is not sent after all is to be `lost`.
   */
  takes(object: ForwardObject): boolean {
    const { gate } = this
    const { drops, video } = this.track
    if (object.generation < 0) {
      drops.keys++
      return false
    }
    if (gate === null || object.marking === UNMARKED) return true
    const verdict = gate.decide(object)
    if (verdict === 'forward') return true
    drops[verdict]++
    if (asksForKeyFrame(verdict)) video?.ask()
    return false
  }

  /** An object that it takes is not sent to it. */
  lost(object: ForwardObject): void {
    if (object.marking !== UNMARKED && this.gate?.lost(object)) this.track.video?.ask()
  }

  /** PUBLISH_DONE, behind what still waits (section 10.11: only when every stream is closed). */
  end(status: number = DoneCode.TRACK_ENDED, reason = 'the publisher ended the track'): void {
    this.ending ??= { status, reason }
    if (this.waiting === 0) this.onIdle()
  }

  onIdle(): void {
    if (this.ending) this.publication.done(this.ending.status, this.ending.reason)
  }

  onSubgroupLost(group: number, subgroup: number): void {
    const { gate, track } = this
    if (gate === null) track.onLost()
    else if (gate.subgroupLost(group, subgroup)) track.video?.ask()
  }

  onDatagramLost(object: ForwardObject): void {
    this.lost(object)
  }

  isUseful(object: ForwardObject): boolean {
    if (this.gate === null || object.marking === UNMARKED) return true
    if (this.gate.isUseful(object)) return true
    this.track.drops.reference++
    return false
  }
}

/** Section 8: the smaller of the two that are set; zero and absent mean none. */
function smaller(property: number, parameter: number | null): number {
  return parameter === null || parameter === 0 ? property : Math.min(property, parameter)
}
