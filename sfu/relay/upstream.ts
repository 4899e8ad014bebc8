import type {
  AcceptedSubscription,
  Clock,
  IncomingPublish,
  IncomingSubgroup,
  Subscription,
  SubscriptionHandler,
} from '../../moq/session/index.ts'
import { RequestCode } from '../../moq/wire/codes.ts'
import type { Location } from '../../moq/wire/location.ts'
import type { RequestError } from '../../moq/wire/messages.ts'
import type { FullTrackName } from '../../moq/wire/names.ts'
import type { MoqObject } from '../../moq/wire/object.ts'
import type { Property } from '../../moq/wire/properties.ts'
import type { TrackTraffic } from '../forward/traffic.ts'
import type { Peer } from './peer.ts'
import type { UpstreamPolice } from './peer-police.ts'
import { SubgroupFeed } from './subgroup-feed.ts'

/** What an upstream tells the track that it feeds. */
export interface UpstreamOwner {
  onEstablished(upstream: Upstream): void
  onUpstreamRejected(upstream: Upstream, error: RequestError): void
  /** Its Forward State is what was asked for, and `largest` and `expiresAt` are new. */
  onUpdated(upstream: Upstream): void
  onObject(upstream: Upstream, object: MoqObject, feed: SubgroupFeed | null): void
  onFeedEnd(upstream: Upstream, feed: SubgroupFeed): void
  onFeedReset(feed: SubgroupFeed, code: number): void
  /** PUBLISH_DONE came, or the session is gone; `onOver` follows. */
  onEnding(upstream: Upstream): void
  /** Its feeds that are still open carry nothing more. */
  onOver(upstream: Upstream, status: number, reason: string): void
}

export interface UpstreamOptions {
  readonly clock: Clock
  /** How long an answer may take, ms. */
  readonly maxAnswerMs: number
  /** An answer took longer. */
  readonly onLimit: () => void
  /** What the track is, for policing. */
  readonly traffic: TrackTraffic
}

/** How long a subscriber waits for the answer to an update, ms. */
const UPDATE_MS = 1000

/**
 * `pending` (our SUBSCRIBE is under way) → `established` → `ending` (PUBLISH_DONE came, streams may
 * still deliver) → `over`.
 */
export type UpstreamState = 'pending' | 'established' | 'ending' | 'over'

/**
 * One publisher of a track as the relay's upstream (draft-18 section 9.3): the subscription in its
 * session, begun by our SUBSCRIBE or by its PUBLISH.
 */
export class Upstream implements SubscriptionHandler {
  readonly peer: Peer
  readonly origin: 'subscribe' | 'publish'
  /** Null for a publisher that may send whatever it likes. */
  readonly police: UpstreamPolice | null
  /** Track properties as it told them. */
  properties: readonly Property[] = []
  /** The largest location that it told. */
  largest: Location | null = null
  /** When it will end the subscription, ms of the relay's clock; null where it does not say. */
  expiresAt: number | null = null
  private readonly owner: UpstreamOwner
  private readonly options: UpstreamOptions
  private readonly feeds = new Set<SubgroupFeed>()
  private phase: UpstreamState = 'pending'
  private subscription: Subscription | null = null
  /** Forward State as the publisher was told, and as it should be. */
  private forward: boolean
  private wanted: boolean
  private updating = false
  /** Its REQUEST_UPDATE has no answer yet, whether or not that is still waited for. */
  private unanswered = false
  private askingGroup = false
  private wantedGroup: number | null = null
  private done: { readonly status: number; readonly reason: string } | null = null
  private stopTimer: () => void = () => {}

  private constructor(
    peer: Peer,
    origin: 'subscribe' | 'publish',
    forward: boolean,
    owner: UpstreamOwner,
    options: UpstreamOptions,
  ) {
    this.peer = peer
    this.origin = origin
    this.forward = forward
    this.wanted = forward
    this.owner = owner
    this.options = options
    this.police = peer.police?.upstream(options.traffic) ?? null
  }

  /** Asks a publisher; with Forward State 1, whatever the subscribers have (section 9.2). */
  static subscribe(
    peer: Peer,
    track: FullTrackName,
    newGroupRequest: number | null,
    owner: UpstreamOwner,
    options: UpstreamOptions,
  ): Upstream {
    const upstream = new Upstream(peer, 'subscribe', true, owner, options)
    upstream.stopTimer = options.clock.after(options.maxAnswerMs, () => upstream.giveUp())
    upstream.subscription = peer.session.subscribe(
      track,
      { forward: true, ...(newGroupRequest !== null && { newGroupRequest }) },
      upstream,
    )
    return upstream
  }

  /** A publisher's PUBLISH; `accept` follows. */
  static published(
    peer: Peer,
    request: IncomingPublish,
    owner: UpstreamOwner,
    options: UpstreamOptions,
  ): Upstream {
    const upstream = new Upstream(peer, 'publish', false, owner, options)
    upstream.phase = 'established'
    upstream.properties = request.properties
    upstream.largest = request.largest
    upstream.expireAfter(request.parameters.expires)
    return upstream
  }

  /** PUBLISH_OK. Objects that came early are delivered from here. */
  accept(request: IncomingPublish, forward: boolean, newGroupRequest: number | null): void {
    this.forward = forward
    this.wanted = forward
    this.subscription = request.accept(
      { forward, ...(newGroupRequest !== null && { newGroupRequest }) },
      this,
    )
  }

  get state(): UpstreamState {
    return this.phase
  }

  get established(): boolean {
    return this.phase === 'established'
  }

  /** Whether what it told of the largest object holds: it sends every later one. */
  get isCurrent(): boolean {
    if (!this.established) return false
    return this.subscription === null || (this.forward && !this.updating)
  }

  /**
   * REQUEST_UPDATE of the Forward State, one at a time; the last wish wins, and goes with the answer
   * where the publisher is still to give one.
   */
  setForward(wanted: boolean): void {
    this.wanted = wanted
    if (!this.established || !this.subscription) return
    if (this.updating || wanted === this.forward) return
    this.forward = wanted
    this.update()
  }

  /** One at a time as well: what is asked while one is unanswered waits, and the last counts. */
  requestGroup(newGroupRequest: number): void {
    if (!this.established || !this.subscription) return
    if (this.askingGroup) {
      this.wantedGroup = newGroupRequest
      return
    }
    this.askingGroup = true
    this.subscription.update({ newGroupRequest }, (error) => {
      const wanted = this.wantedGroup
      this.askingGroup = false
      this.wantedGroup = null
      if (!error && wanted !== null) this.requestGroup(wanted)
    })
  }

  /** Ends it from our side: nothing more is delivered, and the owner is not told. */
  cancel(): void {
    if (this.phase === 'over') return
    this.close()
    this.subscription?.unsubscribe()
  }

  /** Its streams that are open; they are its owner's no more. */
  takeFeeds(): SubgroupFeed[] {
    const feeds = [...this.feeds]
    this.feeds.clear()
    return feeds
  }

  // ---- what the session tells

  onAccepted(accepted: AcceptedSubscription): void {
    if (this.phase !== 'pending') return
    this.stopTimer()
    this.phase = 'established'
    this.properties = accepted.properties
    this.largest = accepted.largest
    this.expireAfter(accepted.parameters.expires)
    this.owner.onEstablished(this)
  }

  onRejected(error: RequestError): void {
    if (this.phase === 'over') return
    this.close()
    this.owner.onUpstreamRejected(this, error)
  }

  onSubgroup(subgroup: IncomingSubgroup): void {
    const feed = new SubgroupFeed(subgroup, this.peer.session.rules.subgroupTimeouts)
    subgroup.context = feed
    this.feeds.add(feed)
  }

  onObject(object: MoqObject, subgroup: IncomingSubgroup | null): void {
    // What stands behind an object that ended it, in the same bytes.
    if (this.phase === 'over') return
    const feed = subgroup ? (subgroup.context as SubgroupFeed) : null
    this.owner.onObject(this, object, feed)
  }

  onSubgroupEnd(subgroup: IncomingSubgroup): void {
    const feed = subgroup.context as SubgroupFeed
    if (!this.feeds.delete(feed)) return
    this.owner.onFeedEnd(this, feed)
  }

  onSubgroupReset(subgroup: IncomingSubgroup, code: number): void {
    const feed = subgroup.context as SubgroupFeed
    if (!this.feeds.delete(feed)) return
    this.owner.onFeedReset(feed, code)
  }

  onDone(done: { readonly status: number; readonly reason: string }): void {
    if (this.phase === 'over') return
    this.done = done
    this.phase = 'ending'
    this.owner.onEnding(this)
  }

  onDrained(): void {
    if (this.phase === 'over') return
    const { status, reason } = this.done!
    this.close()
    this.owner.onOver(this, status, reason)
  }

  // ----

  private update(): void {
    this.updating = true
    // A publisher that does not answer is not waited for.
    this.stopTimer = this.options.clock.after(UPDATE_MS, () => this.updated())
    if (this.unanswered) return
    const { forward } = this
    this.unanswered = true
    this.subscription?.update({ forward }, (error, answer) => {
      this.unanswered = false
      // A refused update ends the subscription: PUBLISH_DONE follows (section 10.9.1).
      if (!this.established || error) return
      if (answer.largestObject) this.largest = answer.largestObject
      this.expireAfter(answer.expires)
      if (forward === this.forward) this.updated()
      else {
        this.stopTimer()
        this.update()
      }
    })
  }

  private updated(): void {
    this.stopTimer()
    this.updating = false
    this.owner.onUpdated(this)
    this.setForward(this.wanted)
  }

  private expireAfter(expires: number | undefined): void {
    if (expires === undefined) return
    this.expiresAt = expires === 0 ? null : this.options.clock.now() + expires
  }

  private giveUp(): void {
    if (this.phase !== 'pending') return
    this.options.onLimit()
    this.subscription?.unsubscribe()
    this.onRejected({
      type: 'REQUEST_ERROR',
      code: RequestCode.TIMEOUT,
      retryAfterMs: null,
      reason: 'the publisher did not answer in time',
    })
  }

  private close(): void {
    this.phase = 'over'
    this.stopTimer()
  }
}
