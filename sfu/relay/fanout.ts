import type { Clock } from '../../moq/session/index.ts'
import { ResetCode } from '../../moq/wire/codes.ts'
import { reencodeDatagram } from '../../moq/wire/datagram.ts'
import { type MoqObject, ObjectStatus } from '../../moq/wire/object.ts'
import { DEFAULT_PRIORITY } from '../../moq/wire/priority.ts'
import type { CacheVerdict, TrackCache } from '../cache/index.ts'
import type { ForwardCounters } from '../forward/counters.ts'
import { markingOf } from '../forward/gate/index.ts'
import type { TrackKeys } from '../forward/keys/index.ts'
import { type ForwardObject, UNMARKED } from '../forward/object.ts'
import type { TrackTraffic } from '../forward/traffic.ts'
import type { Downstream } from './downstream.ts'
import { nothingBetween } from './next-object.ts'
import { OpenSubgroups } from './open-subgroups.ts'
import type { TrackOffer } from './receivers/index.ts'
import type { SubgroupFeed } from './subgroup-feed.ts'
import { subgroupTimeouts } from './subgroup-timeouts.ts'
import type { Subscribers } from './subscribers.ts'
import type { RelayTally } from './tally.ts'
import type { Upstream } from './upstream.ts'
import type { VideoGate } from './video-gate.ts'

export interface FanoutOptions {
  /** The relay's alias for the track. */
  readonly alias: number
  readonly clock: Clock
  readonly counters: ForwardCounters
  readonly tally: RelayTally
  /** Classes of what is received. */
  readonly traffic: TrackTraffic
  readonly cache: TrackCache
  readonly subscribers: Subscribers
  /** Null where there are no SFrame headers to follow. */
  readonly keys: TrackKeys | null
  /** Null for a track that is no picture. */
  readonly video: VideoGate | null
  /** Null for what is no sound or picture of a participant's. */
  readonly offer: TrackOffer | null
}

/** Codes that tell of the publisher's leaving, not of the subgroup. */
const LEAVING: ReadonlySet<number> = new Set([
  ResetCode.CANCELLED,
  ResetCode.SESSION_CLOSED,
  ResetCode.GOING_AWAY,
])

/**
 * The way of a track's objects through the relay: from the streams and datagrams of its publishers,
 * past the ledger, to the queues of its subscribers. This is the hot path.
 */
export class Fanout {
  /** The track's DEFAULT_PUBLISHER_PRIORITY. */
  defaultPriority = DEFAULT_PRIORITY
  private readonly options: FanoutOptions
  private readonly subscribers: Subscribers
  private readonly cache: TrackCache
  private readonly subgroups: OpenSubgroups

  constructor(options: FanoutOptions) {
    const { alias, clock, cache, subscribers } = options
    this.options = options
    this.subscribers = subscribers
    this.cache = cache
    this.subgroups = new OpenSubgroups(clock, alias, (group, subgroup, after, before) =>
      nothingBetween(cache, group, subgroup, after, before),
    )
  }

  /**
   * @param now ms
   * @returns what the ledger says of it; a malformed track is for the caller to end
   */
  receive(object: MoqObject, feed: SubgroupFeed | null, now: number): CacheVerdict {
    const { counters, tally, traffic } = this.options
    counters.received.count(feed ? traffic.stream : traffic.datagram, !feed, object.payloadLength)
    const beganAt = feed ? feed.incoming.objectBeganAt : -1
    const arrivedAt = beganAt >= 0 ? beganAt : now
    const verdict = this.cache.add(object, arrivedAt)
    if (verdict === 'malformed') return verdict
    if (!feed) {
      if (verdict === 'new') this.offer(this.shared(object, null, arrivedAt), object, null, now)
      else tally.duplicates++
      return verdict
    }
    const subgroup = feed.subgroup ?? this.subgroups.join(feed, object.subgroup ?? 0)
    if (feed.mayHaveTimeouts && feed.last < 0 && feed.incoming.header.firstObject) {
      subgroup.setTimeouts(subgroupTimeouts(object.properties))
    }
    if (verdict === 'new') this.offer(this.shared(object, feed, arrivedAt), object, feed, now)
    else tally.duplicates++
    feed.last = object.object
    if (verdict !== 'withdrawn') feed.previous = object.object
    return verdict
  }

  /**
   * An object that is dropped on its way in: nothing is known of it, and the streams on which others
   * follow it do not go on as if it had not been.
   */
  drop(object: MoqObject, feed: SubgroupFeed | null): void {
    const { counters } = this.options
    const traffic = feed ? this.options.traffic.stream : this.options.traffic.datagram
    counters.received.count(traffic, !feed, object.payloadLength)
    counters.drops.policing++
    counters.dropsOf[traffic]!++
    if (!feed) return
    const subgroup = feed.subgroup ?? this.subgroups.join(feed, object.subgroup ?? 0)
    subgroup.leaveGap(this.subscribers)
    feed.last = object.object
    feed.previous = object.object
  }

  /**
   * A publisher finished the stream of a subgroup.
   * @returns false when that makes the track malformed
   */
  finish(feed: SubgroupFeed): boolean {
    const { header } = feed.incoming
    const whole =
      !feed.subgroup ||
      this.cache.subgroupEnded(header.group, feed.subgroup.subgroup, feed.last, header.endOfGroup)
    if (whole) this.subgroups.finish(feed)
    return whole
  }

  /** @param others there are publishers that may go on where this one stopped */
  reset(feed: SubgroupFeed, code: number, others: boolean): void {
    if (others && LEAVING.has(code)) this.subgroups.orphan(feed, code)
    else this.subgroups.reset(feed, code)
  }

  /** Nothing more comes of a publisher. @param others may go on where it stopped */
  dropPublisher(upstream: Upstream, others: boolean): void {
    for (const feed of upstream.takeFeeds()) this.reset(feed, ResetCode.CANCELLED, others)
  }

  removeSubscriber(downstream: Downstream): void {
    this.subgroups.removeSubscriber(downstream)
  }

  /** The subscriber has something else instead: its streams end, and others may begin. */
  leave(downstream: Downstream): void {
    this.subgroups.leave(downstream)
  }

  /** Forgets every stream; what is queued is still sent. */
  clear(): void {
    this.subgroups.clear()
  }

  /**
   * Gives a new subscriber the newest group up to now, before any other object is read: the live
   * objects follow it.
   * @param maxAgeMs of the group's key frame
   * @returns false when there is none that could be decoded, or sent as it stands
   */
  join(downstream: Downstream, video: VideoGate, maxAgeMs: number): boolean {
    const now = this.options.clock.now()
    const age = Math.min(maxAgeMs, downstream.objectTimeoutMs)
    const found = video.joinGroup(this.cache, now, age)
    if (!found) return false
    const { group, objects } = found
    if (!downstream.mayBegin(objects[0]!.facts)) return false
    if (!objects.every(({ facts }) => downstream.publication.passes(group, facts.object)))
      return false
    const parts = Map.groupBy(objects, ({ facts }) => this.subgroups.find(group, facts.subgroup))
    for (const [subgroup, part] of parts) {
      if (!subgroup?.isWhole(part[0]!.facts.object, part.length)) return false
    }
    for (const joined of objects) {
      const subgroup = this.subgroups.find(group, joined.facts.subgroup)
      subgroup?.replay(downstream, joined, joined.object.priority ?? this.defaultPriority, now)
    }
    return true
  }

  /** An object that is new to the track: to the subscribers, unless it has to wait for its base. */
  private offer(
    shared: ForwardObject,
    object: MoqObject,
    feed: SubgroupFeed | null,
    now: number,
  ): void {
    const { video, offer } = this.options
    if (offer !== null && shared.generation >= 0) {
      offer.add(shared.marking, object.payloadLength, now)
    }
    if (video === null || shared.marking === UNMARKED) {
      this.forward(shared, feed)
      return
    }
    if (video.add(shared, object.payloadLength, now)) {
      this.forward(shared, feed)
      video.follow(now, this.forwardDatagram)
    }
  }

  private forward(shared: ForwardObject, feed: SubgroupFeed | null): void {
    if (feed) feed.subgroup?.forward(shared, feed, this.subscribers)
    else this.forwardDatagram(shared)
  }

  private readonly forwardDatagram = (shared: ForwardObject): void => {
    const { slots } = this.subscribers
    for (let slot = 0; slot < slots.length; slot++) {
      const downstream = slots[slot]
      if (!downstream?.publication.passes(shared.group, shared.object)) continue
      if (downstream.takes(shared)) downstream.peer.egress.queueDatagram(downstream, shared)
    }
  }

  /** What all subscribers share of an object; one of a datagram belongs to no subgroup. */
  private shared(object: MoqObject, feed: SubgroupFeed | null, arrivedAt: number): ForwardObject {
    return {
      group: object.group,
      object: object.object,
      subgroup: feed ? (object.subgroup ?? 0) : -1,
      priority: object.priority ?? this.defaultPriority,
      marking: this.markingOf(object),
      generation: this.generationOf(object, arrivedAt),
      body: object.body,
      payloadLength: object.payloadLength,
      datagram: feed ? null : reencodeDatagram(this.options.alias, object),
      arrivedAt,
    }
  }

  private markingOf(object: MoqObject): number {
    if (this.options.video === null || object.status !== ObjectStatus.NORMAL) return UNMARKED
    const { body, propertiesStart, propertiesSize } = object
    return markingOf(body, object.object, propertiesStart, propertiesStart + propertiesSize)
  }

  /** Of a track whose keys are not followed, all objects are of one generation. */
  private generationOf(object: MoqObject, arrivedAt: number): number {
    const { keys } = this.options
    if (keys === null || object.status !== ObjectStatus.NORMAL) return 0
    return keys.read(object.body, object.body.length - object.payloadLength, arrivedAt)
  }
}
