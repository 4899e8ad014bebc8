import type { Clock } from '../../moq/session/index.ts'
import { ResetCode } from '../../moq/wire/codes.ts'
import { reencodeDatagram } from '../../moq/wire/datagram.ts'
import type { MoqObject } from '../../moq/wire/object.ts'
import { DEFAULT_PRIORITY } from '../../moq/wire/priority.ts'
import type { TrackCache } from '../cache/index.ts'
import type { ForwardCounters } from '../forward/counters.ts'
import type { ForwardObject } from '../forward/object.ts'
import type { Downstream } from './downstream.ts'
import { nothingBetween } from './next-object.ts'
import { OpenSubgroups } from './open-subgroups.ts'
import type { SubgroupFeed } from './subgroup-feed.ts'
import { subgroupTimeouts } from './subgroup-timeouts.ts'
import type { Subscribers } from './subscribers.ts'
import type { RelayTally } from './tally.ts'
import type { Upstream } from './upstream.ts'

export interface FanoutOptions {
  /** The relay's alias for the track. */
  readonly alias: number
  readonly clock: Clock
  readonly counters: ForwardCounters
  readonly tally: RelayTally
  readonly cache: TrackCache
  readonly subscribers: Subscribers
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

  /** @returns false when the object makes the track malformed (section 2.4.2) */
  receive(object: MoqObject, feed: SubgroupFeed | null): boolean {
    const { counters, clock, tally } = this.options
    counters.objects.received++
    counters.bytes.received += object.payloadLength
    const beganAt = feed ? feed.incoming.objectBeganAt : -1
    const arrivedAt = beganAt >= 0 ? beganAt : clock.now()
    const verdict = this.cache.add(object, arrivedAt)
    if (verdict === 'malformed') return false
    if (!feed) {
      if (verdict === 'new') this.forwardDatagram(object, arrivedAt)
      else tally.duplicates++
      return true
    }
    const subgroup = feed.subgroup ?? this.subgroups.join(feed, object.subgroup ?? 0)
    if (feed.mayHaveTimeouts && feed.last < 0 && feed.incoming.header.firstObject) {
      subgroup.setTimeouts(subgroupTimeouts(object.properties))
    }
    if (verdict === 'new') subgroup.forward(this.shared(object, arrivedAt), feed, this.subscribers)
    else tally.duplicates++
    feed.last = object.object
    if (verdict !== 'withdrawn') feed.previous = object.object
    return true
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
  drop(upstream: Upstream, others: boolean): void {
    for (const feed of upstream.takeFeeds()) this.reset(feed, ResetCode.CANCELLED, others)
  }

  removeSubscriber(downstream: Downstream): void {
    this.subgroups.removeSubscriber(downstream)
  }

  /** Forgets every stream; what is queued is still sent. */
  clear(): void {
    this.subgroups.clear()
  }

  private forwardDatagram(object: MoqObject, arrivedAt: number): void {
    const shared: ForwardObject = {
      group: object.group,
      object: object.object,
      subgroup: -1,
      priority: object.priority ?? this.defaultPriority,
      body: object.body,
      datagram: reencodeDatagram(this.options.alias, object),
      arrivedAt,
    }
    const { slots } = this.subscribers
    for (let slot = 0; slot < slots.length; slot++) {
      const downstream = slots[slot]
      if (!downstream?.publication.passes(shared.group, shared.object)) continue
      downstream.peer.egress.queueDatagram(downstream, shared)
    }
  }

  private shared(object: MoqObject, arrivedAt: number): ForwardObject {
    return {
      group: object.group,
      object: object.object,
      subgroup: object.subgroup ?? 0,
      priority: object.priority ?? this.defaultPriority,
      body: object.body,
      datagram: null,
      arrivedAt,
    }
  }
}
