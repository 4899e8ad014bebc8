import { MAX_LAYERS } from '../../moq/media/index.ts'
import type { Clock, Publication } from '../../moq/session/index.ts'
import { DoneCode, ResetCode } from '../../moq/wire/codes.ts'
import type { DatagramLoss, FlowOwner } from '../forward/flow.ts'
import {
  asksForKeyFrame,
  type GateDropCounters,
  type GatedObject,
  type GateTally,
  type GateVerdict,
  GateWatch,
  KeyFrameGate,
  startsKeyFrame,
} from '../forward/gate/index.ts'
import { type ForwardObject, UNMARKED } from '../forward/object.ts'
import { baseClassOf, TRAFFIC, type TrackTraffic } from '../forward/traffic.ts'
import { DropLog } from './drop-log.ts'
import type { Peer } from './peer.ts'
import type { Member, PictureChoice, TrackOffer } from './receivers/index.ts'
import type { TrackDefaults } from './track-defaults.ts'
import type { VideoGate } from './video-gate.ts'

/** The subscriber's track, as it knows it. */
export interface DownstreamTrack {
  readonly clock: Clock
  readonly traffic: TrackTraffic
  /** Null for what is no sound or picture of a participant's. */
  readonly offer: TrackOffer | null
  /** Of a picture; null for every other track. */
  readonly video: VideoGate | null
  /** Objects that were not forwarded, by reason. */
  readonly drops: GateDropCounters
  /** What gates did, of all subscribers. */
  readonly gates: GateTally
  /** A subgroup was given up. Not called where there is a gate. */
  readonly onLost: () => void
  /** What the subscriber takes changed; see `Downstream.demand`. */
  readonly onDemand: (downstream: Downstream) => void
  /** To be begun at once, in the middle of what is published; see `Member.begin`. */
  readonly onBegin: (downstream: Downstream, maxAgeMs: number) => void
  /** Nothing goes out of it any more. */
  readonly onStopped: (downstream: Downstream) => void
}

/**
 * One subscriber of a track: its publication in the subscriber's session, served by that session's
 * egress scheduler.
 */
export class Downstream implements FlowOwner, Member {
  readonly peer: Peer
  readonly publication: Publication
  streamClass: number
  readonly datagramClass: number
  /** By what it is chosen, where its session leaves that to the relay; else null. */
  choice: PictureChoice | null = null
  /** `demand`, as the track counts it. */
  counted = -1
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
  private told: boolean
  private readonly track: DownstreamTrack
  private readonly gate: KeyFrameGate | null
  private readonly watch: GateWatch | null
  /** Temporal layers that the choice takes. */
  private chosenLayers = 0
  /** Of the groups that it had before it was stopped, the last; -1: none. */
  private servedGroup = -1
  private dropLog: DropLog | null = null
  private ending: { readonly status: number; readonly reason: string } | null = null

  constructor(peer: Peer, publication: Publication, track: DownstreamTrack) {
    this.peer = peer
    this.publication = publication
    this.streamClass = track.traffic.stream
    this.datagramClass = track.traffic.datagram
    this.track = track
    this.gate = track.video ? new KeyFrameGate() : null
    this.watch = track.video && new GateWatch(track.gates)
    this.told = publication.forward
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

  get offer(): TrackOffer {
    return this.track.offer!
  }

  get forwarding(): boolean {
    return this.publication.forward
  }

  get isOpen(): boolean {
    return this.gate?.isOpen ?? true
  }

  /** Temporal layers of the track that it takes; -1: it wants no objects. */
  get demand(): number {
    if (!this.forwarding) return -1
    return this.choice === null ? MAX_LAYERS : this.chosenLayers
  }

  /** @param speaks the track is of the room's active speaker */
  setSpeaking(speaks: boolean): void {
    const streamClass = baseClassOf(this.track.traffic, speaks)
    if (streamClass === this.streamClass) return
    this.streamClass = streamClass
    this.peer.egress.reprioritize(this)
  }

  // ---- as one of a switching set

  want(layers: number): void {
    this.chosenLayers = layers
    this.track.onDemand(this)
  }

  begin(maxAgeMs: number): void {
    this.track.onBegin(this, maxAgeMs)
  }

  askKeyFrame(): void {
    this.track.video?.ask()
  }

  stop(): void {
    const { gate } = this
    if (gate && gate.group > this.servedGroup) this.servedGroup = gate.group
    gate?.close()
    this.peer.egress.withdraw(this)
    this.track.onStopped(this)
  }

  // ----

  /** REQUEST_UPDATE: what it missed while it wanted nothing is not built on. */
  updated(): void {
    const { forward } = this.publication
    if (forward && !this.told) this.gate?.close()
    this.told = forward
  }

  /**
   * Whether a new object that passes the filter is of use to the subscriber; see `KeyFrameGate`. One
   * that is not sent after all is to be `lost`.
   */
  takes(object: ForwardObject): boolean {
    const { gate, choice } = this
    if (object.generation < 0) return this.drop('keys', object)
    if (choice !== null) return this.takesChosen(object, choice)
    if (gate === null || object.marking === UNMARKED) return true
    const verdict = this.judge(gate, object)
    if (verdict === 'forward') return true
    return this.drop(verdict, object)
  }

  /** Whether it may begin with an object that came before. */
  mayBegin({ group, object }: GatedObject): boolean {
    return this.choice === null || (object === 0 && group > this.servedGroup)
  }

  /** A picture goes on in another rendition where a key frame begins a group. */
  private takesChosen(object: ForwardObject, choice: PictureChoice): boolean {
    const { marking } = object
    const begins =
      choice.isAwaited(this) &&
      object.object === 0 &&
      marking !== UNMARKED &&
      startsKeyFrame(marking)
    if (!begins) {
      if (!choice.isActive(this)) return this.leaveOut('rendition')
      if (marking === UNMARKED) return true
      if (!choice.passes(marking)) return this.leaveOut('layer')
    }
    const verdict = this.judge(this.gate!, object)
    if (verdict !== 'forward') return this.drop(verdict, object)
    if (begins) choice.onKeyFrame(this)
    return true
  }

  private judge(gate: KeyFrameGate, object: ForwardObject): GateVerdict {
    const { isOpen } = gate
    const verdict = gate.decide(object)
    if (asksForKeyFrame(verdict)) this.watch?.heldBack(object.arrivedAt)
    else if (!isOpen && gate.isOpen) this.watch?.opened(object.arrivedAt)
    return verdict
  }

  private leaveOut(reason: 'rendition' | 'layer'): boolean {
    this.track.drops[reason]++
    return false
  }

  private drop(verdict: Exclude<GateVerdict, 'forward'>, object: ForwardObject): boolean {
    const { drops, video } = this.track
    drops[verdict]++
    this.noteDrop(verdict, object.arrivedAt)
    if (asksForKeyFrame(verdict)) video?.ask()
    return false
  }

  private noteDrop(reason: string, at: number): void {
    this.dropLog ??= new DropLog()
    this.dropLog.note(reason, at)
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

  onSubgroupLost(group: number, subgroup: number, code: number): void {
    const { gate, track } = this
    const reason = code === ResetCode.DELIVERY_TIMEOUT ? 'deadline' : 'overflow'
    this.noteDrop(reason, track.clock.now())
    if (gate === null) track.onLost()
    else if (gate.subgroupLost(group, subgroup)) track.video?.ask()
  }

  onDatagramLost(object: ForwardObject, reason: DatagramLoss): void {
    if (reason !== 'useless') this.noteDrop(reason, this.track.clock.now())
    this.lost(object)
  }

  isUseful(object: ForwardObject): boolean {
    if (this.gate === null || object.marking === UNMARKED) return true
    const { choice } = this
    if (choice !== null && !(choice.isActive(this) && choice.passes(object.marking))) {
      return this.leaveOut('layer')
    }
    if (this.gate.isUseful(object)) return true
    return this.drop('reference', object)
  }

  /** For a look inside. */
  dump() {
    const { publication, gate, streamClass } = this
    return {
      forward: publication.forward,
      priority: publication.subscriberPriority,
      class: TRAFFIC[streamClass]!,
      waiting: this.waiting,
      gate: gate?.dump() ?? null,
      demand: this.demand,
      drops: this.dropLog?.dump() ?? [],
    }
  }
}

/** Section 8: the smaller of the two that are set; zero and absent mean none. */
function smaller(property: number, parameter: number | null): number {
  return parameter === null || parameter === 0 ? property : Math.min(property, parameter)
}
