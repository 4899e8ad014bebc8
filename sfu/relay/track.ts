import type {
  AcceptedSubscription,
  Clock,
  IncomingSubgroup,
  IncomingSubscribe,
  Subscription,
  SubscriptionHandler,
  TrackState,
} from '../../moq/session/index.ts'
import { RequestCode } from '../../moq/wire/codes.ts'
import { reencodeDatagram } from '../../moq/wire/datagram.ts'
import { isAfter, type Location } from '../../moq/wire/location.ts'
import type { RequestError } from '../../moq/wire/messages.ts'
import type { FullTrackName } from '../../moq/wire/names.ts'
import type { MoqObject } from '../../moq/wire/object.ts'
import type { Parameters } from '../../moq/wire/parameters.ts'
import { findInteger, type Property, PropertyType } from '../../moq/wire/properties.ts'
import type { ForwardCounters } from '../forward/counters.ts'
import type { ForwardObject } from '../forward/object.ts'
import { type TrackTraffic, trafficOf } from '../forward/traffic.ts'
import { Downstream } from './downstream.ts'
import type { Peer } from './peer.ts'
import { RelayedSubgroup } from './relayed-subgroup.ts'

export interface TrackOptions {
  readonly name: FullTrackName
  /** The relay's alias for it, the same towards every subscriber. */
  readonly alias: number
  readonly clock: Clock
  readonly counters: ForwardCounters
  /** Nobody subscribes to it any more and it is not being set up. */
  readonly onUnused: (track: RelayTrack) => void
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'pending'; readonly upstream: Subscription }
  | { readonly kind: 'established'; readonly upstream: Subscription }

/**
 * A track in the relay: one subscription upstream, shared by all subscribers downstream (draft-18
 * section 9.4). `idle` → `pending` (SUBSCRIBE is under way) → `established` → `idle`.
 */
export class RelayTrack implements SubscriptionHandler {
  readonly name: FullTrackName
  readonly alias: number
  private readonly options: TrackOptions
  private readonly traffic: TrackTraffic
  private state: State = { kind: 'idle' }
  /** Waiting for a publisher, or for its answer. */
  private readonly waiting = new Map<IncomingSubscribe, { peer: Peer; stopTimer: () => void }>()
  /** A session subscribes to a track once at most (section 5.1). */
  private readonly subscribers = new Map<Peer, Downstream>()
  private readonly subgroups = new Set<RelayedSubgroup>()
  private largest: Location | null = null
  private properties: readonly Property[] = []
  private dynamicGroups = false
  /** NEW_GROUP_REQUEST that is outstanding upstream, or null (section 10.2.13). */
  private requestedGroup: number | null = null

  constructor(options: TrackOptions) {
    this.options = options
    this.name = options.name
    this.alias = options.alias
    this.traffic = trafficOf(options.name)
  }

  get subscriberCount(): number {
    return this.subscribers.size
  }

  /** What a SUBSCRIBE_OK would tell; null while no publisher has answered. */
  get status(): TrackState | null {
    if (this.state.kind !== 'established') return null
    return { largest: this.largest, properties: this.properties }
  }

  get idle(): boolean {
    return this.state.kind === 'idle'
  }

  /**
   * A subscriber asks. It is answered at once when the track is established, else when the publisher
   * has answered, else (with RENDEZVOUS_TIMEOUT) when one appears.
   */
  subscribe(peer: Peer, request: IncomingSubscribe, rendezvousMs: number): void {
    if (this.serves(peer)) {
      request.reject(RequestCode.DUPLICATE_SUBSCRIPTION, 'this session has the track already')
      return
    }
    if (this.state.kind === 'established') {
      this.serve(peer, request)
      return
    }
    const stopTimer =
      this.state.kind === 'idle'
        ? this.options.clock.after(rendezvousMs, () => this.giveUp(request))
        : () => {}
    this.waiting.set(request, { peer, stopTimer })
    request.onCancelled = () => {
      this.forget(request)
      this.releaseIfUnused()
    }
  }

  /** Asks `publisher` for the track; only while idle. */
  subscribeUpstream(publisher: Peer): void {
    for (const { stopTimer } of this.waiting.values()) stopTimer()
    const asked = [...this.waiting.keys()].map((request) => request.parameters.newGroupRequest)
    const newGroupRequest = asked.find((value) => value !== undefined)
    const parameters: Parameters = {
      forward: true,
      ...(newGroupRequest !== undefined && { newGroupRequest }),
    }
    this.requestedGroup = newGroupRequest ?? null
    const upstream = publisher.session.subscribe(this.name, parameters, this)
    this.state = { kind: 'pending', upstream }
  }

  /** What can be seen of it from outside. */
  dump() {
    return {
      state: this.state.kind,
      alias: this.alias,
      largest: this.largest,
      subscribers: this.subscribers.size,
      waiting: this.waiting.size,
    }
  }

  // ---- upstream

  onAccepted(accepted: AcceptedSubscription): void {
    if (this.state.kind !== 'pending') return
    this.state = { kind: 'established', upstream: this.state.upstream }
    this.largest = accepted.largest
    this.properties = accepted.properties
    this.dynamicGroups = findInteger(accepted.properties, PropertyType.DYNAMIC_GROUPS) === 1
    const waiting = [...this.waiting]
    this.waiting.clear()
    for (const [request, { peer }] of waiting) this.serve(peer, request)
    this.releaseIfUnused()
  }

  onRejected(error: RequestError): void {
    this.state = { kind: 'idle' }
    const { code, reason, retryAfterMs } = error
    // A redirect is not followed and not forwarded: its URI is the upstream's matter.
    const told = code === RequestCode.REDIRECT ? RequestCode.DOES_NOT_EXIST : code
    this.rejectWaiting(told, reason, retryAfterMs)
    this.releaseIfUnused()
  }

  onSubgroup(subgroup: IncomingSubgroup): void {
    const relayed = new RelayedSubgroup(subgroup, this.alias)
    subgroup.context = relayed
    this.subgroups.add(relayed)
  }

  onObject(object: MoqObject, subgroup: IncomingSubgroup | null): void {
    const { counters, clock } = this.options
    counters.objects.received++
    counters.bytes.received += object.payloadLength
    this.note(object)
    const shared: ForwardObject = {
      group: object.group,
      object: object.object,
      body: object.body,
      datagram: subgroup ? null : reencodeDatagram(this.alias, object),
      arrivedAt: clock.now(),
    }
    if (subgroup) {
      const relayed = subgroup.context as RelayedSubgroup
      relayed.forward(object, shared, this.subscribers.values())
      return
    }
    for (const downstream of this.subscribers.values()) {
      if (!downstream.publication.passes(object.group, object.object)) continue
      downstream.peer.egress.queueDatagram(downstream, shared)
    }
  }

  onSubgroupEnd(subgroup: IncomingSubgroup): void {
    const relayed = subgroup.context as RelayedSubgroup
    this.subgroups.delete(relayed)
    relayed.end()
  }

  onSubgroupReset(subgroup: IncomingSubgroup, code: number): void {
    const relayed = subgroup.context as RelayedSubgroup
    this.subgroups.delete(relayed)
    relayed.reset(code)
  }

  onDone(done: { readonly status: number; readonly reason: string }): void {
    this.state = { kind: 'idle' }
    for (const downstream of this.subscribers.values()) downstream.end(done.status, done.reason)
    this.subscribers.clear()
    this.subgroups.clear()
    this.releaseIfUnused()
  }

  // ---- downstream

  private serve(peer: Peer, request: IncomingSubscribe): void {
    if (request.over) return
    const publication = request.accept(
      { trackAlias: this.alias, largest: this.largest, properties: this.properties },
      {
        onUpdate: (parameters) => this.requestGroup(parameters.newGroupRequest),
        onCancelled: () => this.removeSubscriber(downstream),
      },
    )
    const downstream = new Downstream(peer, publication, this.traffic, () => this.requestGroup(0))
    this.subscribers.set(peer, downstream)
    this.requestGroup(request.parameters.newGroupRequest)
  }

  /** Section 10.2.13, relay handling: coalesced until the largest group increases. */
  private requestGroup(value: number | undefined): void {
    if (value === undefined || this.state.kind !== 'established' || !this.dynamicGroups) return
    if (value !== 0 && value <= (this.largest?.group ?? -1)) return
    if (this.requestedGroup !== null && this.requestedGroup >= value) return
    this.requestedGroup = value
    this.options.counters.keyFrameRequests++
    this.state.upstream.update({ newGroupRequest: value })
  }

  private note(object: MoqObject): void {
    const { group } = object
    if (this.largest && !isAfter(object, this.largest)) return
    if (!this.largest || group > this.largest.group) this.requestedGroup = null
    this.largest = { group, object: object.object }
  }

  private removeSubscriber(downstream: Downstream): void {
    if (this.subscribers.get(downstream.peer) !== downstream) return
    this.subscribers.delete(downstream.peer)
    for (const subgroup of this.subgroups) subgroup.removeSubscriber(downstream)
    this.releaseIfUnused()
  }

  private serves(peer: Peer): boolean {
    if (this.subscribers.has(peer)) return true
    for (const waiting of this.waiting.values()) if (waiting.peer === peer) return true
    return false
  }

  private giveUp(request: IncomingSubscribe): void {
    this.forget(request)
    request.reject(RequestCode.TIMEOUT, 'no publisher appeared in time')
    this.releaseIfUnused()
  }

  private forget(request: IncomingSubscribe): void {
    this.waiting.get(request)?.stopTimer()
    this.waiting.delete(request)
  }

  private rejectWaiting(code: number, reason: string, retryAfterMs: number | null): void {
    for (const request of [...this.waiting.keys()]) {
      this.forget(request)
      request.reject(code, reason, retryAfterMs)
    }
  }

  /** The last subscriber left: the upstream subscription goes too. */
  private releaseIfUnused(): void {
    if (this.subscribers.size > 0 || this.waiting.size > 0) return
    if (this.state.kind !== 'idle') this.state.upstream.unsubscribe()
    this.state = { kind: 'idle' }
    this.subgroups.clear()
    this.options.onUnused(this)
  }
}
