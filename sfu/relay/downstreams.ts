import type {
  Clock,
  IncomingSubscribe,
  Publication,
  PublicationHandler,
} from '../../moq/session/index.ts'
import { DoneCode, RequestCode } from '../../moq/wire/codes.ts'
import type { FullTrackName } from '../../moq/wire/names.ts'
import type { Parameters } from '../../moq/wire/parameters.ts'
import { countReset, type ForwardCounters } from '../forward/counters.ts'
import type { GateDropCounters, GateTally } from '../forward/gate/index.ts'
import type { TrackTraffic } from '../forward/traffic.ts'
import { Downstream, type DownstreamTrack } from './downstream.ts'
import type { Fanout } from './fanout.ts'
import { RETRY_AFTER_MS, type RelayLimits } from './limits.ts'
import type { Peer } from './peer.ts'
import type { Publishers } from './publishers.ts'
import type { TrackOffer } from './receivers/index.ts'
import type { Subscribers } from './subscribers.ts'
import { TrackDemand } from './track-demand.ts'
import type { TrackFacts } from './track-facts.ts'
import type { TrackHost } from './track-host.ts'
import type { VideoGate } from './video-gate.ts'
import { type WaitingSubscriber, WaitingSubscribers } from './waiting-subscribers.ts'

export interface DownstreamsOptions {
  readonly name: FullTrackName
  /** The relay's alias for the track. */
  readonly alias: number
  readonly clock: Clock
  readonly counters: ForwardCounters
  readonly limits: RelayLimits
  readonly host: Pick<TrackHost<unknown>, 'countSubscription' | 'onAnswered' | 'onLimit'>
  readonly publishers: Publishers
  readonly facts: TrackFacts
  readonly fanout: Fanout
  readonly subscribers: Subscribers
  readonly drops: GateDropCounters
  readonly gates: GateTally
  readonly traffic: TrackTraffic
  /** Null for a track that is no picture. */
  readonly video: VideoGate | null
  /** Null for what is no sound or picture of a participant's. */
  readonly offer: TrackOffer | null
  /** A subscriber left: it may have been the last. */
  readonly onLeft: () => void
  /** Temporal layers that subscribers want now, from the base up; 0: nobody wants objects. */
  readonly onWanted: (layers: number) => void
  /** A new group was asked for. */
  readonly onKeyFrameWanted: () => void
}

/**
 * The subscriptions of one track downstream: those that wait for a publisher and those that are served
 * (draft-18 section 9.4). Tells the publishers what is wanted of them.
 */
export class Downstreams {
  private readonly options: DownstreamsOptions
  private readonly track: DownstreamTrack
  private readonly subscribers: Subscribers
  private readonly waiting: WaitingSubscribers
  private readonly publishers: Publishers
  private readonly facts: TrackFacts
  private readonly demand: TrackDemand
  /** As `onWanted` told. */
  private wanted = 0
  /** The track is of the room's active speaker. */
  private speaks = false

  constructor(options: DownstreamsOptions) {
    const { clock, host, publishers, facts, subscribers, drops, video, offer } = options
    this.options = options
    this.track = {
      clock,
      traffic: options.traffic,
      gates: options.gates,
      offer,
      drops,
      video,
      onLost: () => this.requestGroup(0),
      onDemand: (downstream) => this.countDemand(downstream),
      onBegin: (downstream, maxAgeMs) => this.join(downstream, maxAgeMs),
      onStopped: (downstream) => options.fanout.leave(downstream),
    }
    this.demand = new TrackDemand(clock, () => this.tellWanted())
    this.publishers = publishers
    this.facts = facts
    this.subscribers = subscribers
    this.waiting = new WaitingSubscribers({
      clock,
      onCount: (peer, change) => host.countSubscription(peer, change),
      onRejected: (request) => host.onAnswered(request, null),
    })
  }

  /** Those that are served. */
  get size(): number {
    return this.subscribers.size
  }

  get waitingCount(): number {
    return this.waiting.size
  }

  /** Whether any is served or waits. */
  get any(): boolean {
    return this.subscribers.size > 0 || this.waiting.size > 0
  }

  /** Whether any wants objects (Forward State 1). */
  get wantObjects(): boolean {
    return this.demand.wantsObjects || this.waiting.wantObjects
  }

  /** Temporal layers that somebody takes. */
  get layers(): number {
    return this.wanted
  }

  /** Tells the publishers whether objects are wanted, and how much of them. */
  tellWanted(): void {
    this.publishers.setForward(this.wantObjects)
    // Who waits may take anything: it is served first.
    const layers = Math.max(this.demand.layers, this.waiting.wantObjects ? 1 : 0)
    if (layers === this.wanted) return
    this.wanted = layers
    this.options.offer?.ask(layers, this.options.clock.now())
    this.options.onWanted(layers)
  }

  /** The subscriptions of a session that are served. A copy. */
  of(peer: Peer): Downstream[] {
    return this.subscribers.of(peer)
  }

  /** Those that are served. A copy. */
  list(): Downstream[] {
    return this.subscribers.list()
  }

  /** @param speaks the track is of the room's active speaker now */
  setSpeaking(speaks: boolean): void {
    if (speaks === this.speaks) return
    this.speaks = speaks
    for (const downstream of this.subscribers.list()) downstream.setSpeaking(speaks)
  }

  /** Nothing is asked of publishers any more. */
  close(): void {
    this.demand.close()
  }

  /** See `WaitingSubscribers`. */
  get newGroupRequest(): number | null {
    return this.waiting.newGroupRequest
  }

  /** Whether the session is served, or waits for it. */
  has(peer: Peer): boolean {
    return this.subscribers.has(peer) || this.waiting.has(peer)
  }

  // ---- those who come

  /** @returns false when it was refused: there is no room */
  wait(peer: Peer, request: IncomingSubscribe, rendezvousMs: number): boolean {
    if (this.isFull()) {
      const reason = 'too many subscribers to this track'
      this.reject(request, RequestCode.EXCESSIVE_LOAD, reason, RETRY_AFTER_MS)
      return false
    }
    const waiting = this.waiting.add(peer, request, rendezvousMs, () => this.onImpatient(waiting))
    request.onCancelled = () => {
      this.waiting.remove(waiting)
      this.options.host.onAnswered(request, null)
      this.tellWanted()
      this.options.onLeft()
    }
    return true
  }

  /** Serves those who wait, as far as what they are told would be true (section 10.2.11). */
  serveWaiting(): void {
    if (!this.publishers.anyEstablished) return
    for (const waiting of this.waiting.list()) {
      const wantsObjects = waiting.request.parameters.forward ?? true
      if (wantsObjects && !this.publishers.anyCurrent) continue
      if (this.waiting.remove(waiting)) this.serve(waiting)
    }
  }

  /** Offers the track with PUBLISH; see `RelayTrack.offer`. */
  offer(peer: Peer, asked: Parameters): boolean {
    if (this.isFull()) return false
    const publication = peer.session.publish(
      this.options.name,
      { ...this.told(), forward: asked.forward ?? true, terms: asked },
      {
        ...this.publicationHandler(() => downstream),
        onAccepted: (parameters) => this.onParameters(downstream, parameters),
        onRejected: () => this.remove(downstream),
      },
    )
    const downstream = this.add(peer, publication)
    this.options.host.countSubscription(peer, 1)
    if (publication.sent) {
      this.requestGroup(asked.newGroupRequest)
      this.start(downstream)
      return true
    }
    this.remove(downstream)
    publication.done(DoneCode.EXCESSIVE_LOAD, 'no stream for the request')
    return false
  }

  /** What the publishers say of the track's delivery is new. */
  settle(): void {
    for (const downstream of this.subscribers.list()) downstream.settle(this.facts.defaults)
  }

  /** A key frame, unless a new group was asked for already. */
  requestKeyFrame(): void {
    if (this.publishers.groupRequested) return
    // Of a publisher that sends nothing yet it is not known what it has published.
    this.requestGroup(this.publishers.anyCurrent ? this.facts.largestGroup + 1 : 0)
  }

  // ---- those who go

  /** No publisher is left to ask: only those wait on who would wait for one to appear. */
  rejectImpatient(): void {
    this.waiting.rejectImpatient(this.publishers.lastRefusal)
  }

  /** Ends those of a session that may not subscribe to the track any more. */
  forbid(peer: Peer): void {
    const reason = 'no longer allowed to subscribe to this track'
    for (const waiting of this.waiting.of(peer)) {
      this.waiting.reject(waiting, RequestCode.UNAUTHORIZED, reason)
    }
    for (const downstream of this.subscribers.of(peer)) {
      this.remove(downstream)
      downstream.publication.done(DoneCode.UNAUTHORIZED, reason)
    }
    this.tellWanted()
  }

  /** Ends all that are served, at once. */
  stop(status: number, reason: string): void {
    for (const downstream of this.subscribers.list()) {
      this.remove(downstream)
      downstream.publication.done(status, reason)
    }
  }

  rejectWaiting(code: number, reason: string): void {
    this.waiting.rejectAll(code, reason)
  }

  /** Ends all that are served, behind what is still queued for them. */
  end(status: number, reason: string): void {
    for (const downstream of this.subscribers.list()) {
      this.remove(downstream)
      downstream.end(status, reason)
    }
  }

  // ----

  private serve({ peer, request }: WaitingSubscriber): void {
    if (request.outOfRange(this.facts.largest)) {
      const reason = 'every group up to the end group is published already'
      this.reject(request, RequestCode.INVALID_RANGE, reason)
      this.tellWanted()
      return
    }
    const publication = request.accept(
      this.told(),
      this.publicationHandler(() => downstream),
    )
    const downstream = this.add(peer, publication)
    this.options.host.countSubscription(peer, 1)
    this.options.host.onAnswered(request, publication)
    this.requestGroup(request.parameters.newGroupRequest)
    this.start(downstream)
  }

  /** A picture that the relay chooses, or does not, is begun when it is chosen. */
  private start(downstream: Downstream): void {
    if (downstream.choice === null) this.join(downstream, Number.POSITIVE_INFINITY)
  }

  /**
   * A picture is begun with the newest group, where there is one that may still be served and the
   * filter lets it pass (section 5.1.2); otherwise with a key frame, which is asked for.
   * @param maxAgeMs of the group's key frame, beside the limit
   */
  private join(downstream: Downstream, maxAgeMs: number): void {
    const { video, fanout } = this.options
    const { largest } = this.facts
    // Nothing was published: the first object is a key frame.
    if (!video || !largest || !downstream.publication.passes(largest.group, largest.object)) return
    if (!fanout.join(downstream, video, maxAgeMs)) video.ask()
  }

  private told() {
    const { largest, properties } = this.facts
    const expires = this.expiresIn()
    const trackAlias = this.options.alias
    return { trackAlias, largest, properties, ...(expires !== null && { expires }) }
  }

  private expiresIn(): number | null {
    return this.publishers.expiresIn(this.options.clock.now())
  }

  private publicationHandler(downstream: () => Downstream): PublicationHandler {
    return {
      onUpdate: (parameters) => this.onParameters(downstream(), parameters),
      largest: () => this.facts.largest,
      expires: () => this.expiresIn(),
      onCancelled: () => this.remove(downstream()),
      onSubgroupStopped: (code) => countReset(this.options.counters.resets.stopped, code),
    }
  }

  private add(peer: Peer, publication: Publication): Downstream {
    const downstream = new Downstream(peer, publication, this.track)
    downstream.settle(this.facts.defaults)
    if (this.speaks) downstream.setSpeaking(true)
    this.subscribers.add(downstream)
    if (this.options.offer) peer.receiver?.add(downstream)
    this.countDemand(downstream)
    return downstream
  }

  private remove(downstream: Downstream): void {
    // Before its slot is another's.
    this.options.fanout.removeSubscriber(downstream)
    if (!this.subscribers.remove(downstream)) return
    if (this.options.offer) downstream.peer.receiver?.remove(downstream)
    this.demand.change(downstream.counted, -1)
    downstream.counted = -1
    this.options.host.countSubscription(downstream.peer, -1)
    this.tellWanted()
    this.options.onLeft()
  }

  private countDemand(downstream: Downstream): void {
    const { counted, demand } = downstream
    if (demand === counted) return
    downstream.counted = demand
    this.demand.change(counted, demand)
    this.tellWanted()
  }

  private onParameters(downstream: Downstream, parameters: Parameters): void {
    downstream.settle(this.facts.defaults)
    downstream.updated()
    if (parameters.subscriberPriority !== undefined) downstream.peer.egress.reprioritize(downstream)
    downstream.choice?.onForward(downstream)
    this.countDemand(downstream)
    this.tellWanted()
    this.requestGroup(parameters.newGroupRequest)
  }

  /** Section 10.2.13, relay handling. */
  private requestGroup(value: number | undefined): void {
    if (value === undefined) return
    if (value !== 0 && value <= this.facts.largestGroup) return
    this.options.onKeyFrameWanted()
    if (!this.facts.defaults.dynamicGroups) return
    if (this.publishers.anyEstablished && this.publishers.requestGroup(value)) {
      this.options.counters.keyFrameRequests++
    }
  }

  private isFull(): boolean {
    const most = this.options.limits.maxSubscribersPerTrack
    if (this.subscribers.size + this.waiting.size < most) return false
    this.options.host.onLimit('track-subscribers')
    return true
  }

  private onImpatient(waiting: WaitingSubscriber): void {
    if (this.publishers.size > 0) return
    this.waiting.reject(waiting, RequestCode.TIMEOUT, 'no publisher appeared in time')
    this.options.onLeft()
  }

  private reject(
    request: IncomingSubscribe,
    code: number,
    reason: string,
    retryAfterMs: number | null = null,
  ): void {
    request.reject(code, reason, retryAfterMs)
    this.options.host.onAnswered(request, null)
  }
}
