import type { IncomingPublish, IncomingSubscribe, TrackState } from '../../moq/session/index.ts'
import { DoneCode, RequestCode } from '../../moq/wire/codes.ts'
import type { Location } from '../../moq/wire/location.ts'
import type { RequestError } from '../../moq/wire/messages.ts'
import type { FullTrackName } from '../../moq/wire/names.ts'
import type { MoqObject } from '../../moq/wire/object.ts'
import type { Parameters } from '../../moq/wire/parameters.ts'
import type { Property } from '../../moq/wire/properties.ts'
import { TrackCache } from '../cache/index.ts'
import { countReset } from '../forward/counters.ts'
import type { KeysHandle } from '../forward/keys/index.ts'
import { trafficOf } from '../forward/traffic.ts'
import { Downstreams } from './downstreams.ts'
import { Fanout } from './fanout.ts'
import type { FetchTrack } from './fetch-track.ts'
import type { Peer } from './peer.ts'
import { Publishers } from './publishers.ts'
import { type Member, TrackOffer } from './receivers/index.ts'
import { toldEnd } from './rejections.ts'
import type { SubgroupFeed } from './subgroup-feed.ts'
import { Subscribers } from './subscribers.ts'
import { TrackArrivals } from './track-arrivals.ts'
import { TrackFacts } from './track-facts.ts'
import type { TrackOptions } from './track-host.ts'
import { TrackVoice } from './track-voice.ts'
import type { Upstream, UpstreamOwner } from './upstream.ts'
import { isPicture, VideoGate } from './video-gate.ts'

/**
 * A track in the relay: the upstream subscriptions to all of its publishers, shared by all
 * subscribers downstream (draft-18 sections 9.3 to 9.5). The cache's ledger makes one track of what
 * they send: an object that came before is not forwarded again.
 */
export class RelayTrack implements UpstreamOwner, FetchTrack {
  readonly name: FullTrackName
  readonly alias: number
  readonly cache: TrackCache
  private readonly options: TrackOptions<RelayTrack>
  private readonly publishers: Publishers
  private readonly downstreams: Downstreams
  private readonly fanout: Fanout
  private readonly facts = new TrackFacts()
  /** Null where the track is not encrypted as those of a call are. */
  private readonly keys: KeysHandle | null
  private readonly video: VideoGate | null
  /** Null for what is no microphone of a participant's. */
  private readonly voice: TrackVoice | null
  /** Null for what is no media of a participant's. */
  private readonly arrivals: TrackArrivals | null
  /** Null for what is no sound or picture of a participant's. */
  private readonly chosenBy: TrackOffer | null
  private closed = false

  constructor(options: TrackOptions<RelayTrack>) {
    const { name, alias, clock, counters, tally, limits, host } = options
    this.options = options
    this.name = name
    this.alias = alias
    const traffic = trafficOf(name)
    this.cache = new TrackCache(options.budget, clock)
    this.publishers = new Publishers(name, this, {
      clock,
      maxAnswerMs: limits.maxAnswerMs,
      onLimit: () => host.onLimit('answer'),
      traffic,
    })
    const subscribers = new Subscribers()
    this.keys = options.keys.open(name)
    const requestGroup = () => this.downstreams.requestKeyFrame()
    const onCoalesced = () => {
      counters.keyFrameRequestsCoalesced++
    }
    this.video =
      this.keys && isPicture(name)
        ? new VideoGate({ clock, limits, requestGroup, onCoalesced })
        : null
    this.voice = TrackVoice.of(name, options.speakers, () => host.onLimit('voices'))
    this.arrivals = TrackArrivals.of(name, options.meters)
    this.chosenBy = TrackOffer.of(name)
    const { cache, publishers, facts, video, chosenBy: offer } = this
    const keys = this.keys?.keys ?? null
    const shared = { alias, clock, counters, subscribers, video, offer, traffic }
    this.fanout = new Fanout({ ...shared, tally, cache, keys })
    this.downstreams = new Downstreams({
      ...shared,
      name,
      limits,
      host,
      publishers,
      facts,
      fanout: this.fanout,
      drops: tally.gateDrops,
      gates: tally.gates,
      onLeft: () => this.releaseIfUnused(),
      onWanted: (layers) => this.arrivals?.want(layers),
      onKeyFrameWanted: () => this.arrivals?.wantKeyFrame(),
    })
    if (offer) this.onSpeaker(options.speakers.of(offer.room)[0]?.participant ?? null)
  }

  get subscriberCount(): number {
    return this.downstreams.size
  }

  /** Those that subscribers are told. */
  get properties(): readonly Property[] {
    return this.facts.properties
  }

  /** What a LARGEST_OBJECT tells (section 10.2.11); never goes down while there is a publisher. */
  get largest(): Location | null {
    return this.facts.largest
  }

  /** What a SUBSCRIBE_OK would tell; null while no publisher has answered. */
  get status(): TrackState | null {
    return this.established ? { largest: this.largest, properties: this.properties } : null
  }

  /** There is an upstream subscription in the state of that name (section 5.1). */
  get established(): boolean {
    return this.publishers.anyEstablished
  }

  /** Whether a publisher sends its objects now, so that `largest` is up to date. */
  get receiving(): boolean {
    return this.publishers.anyCurrent
  }

  /** Somebody subscribes to it or waits for it. */
  get wanted(): boolean {
    return this.downstreams.any
  }

  /** Peers whose upstream subscription is established. */
  get publishing(): Peer[] {
    return this.publishers.established.map(({ peer }) => peer)
  }

  isPublishedBy(peer: Peer): boolean {
    return this.publishers.get(peer) !== undefined
  }

  /** Whether the session subscribes to it already, or waits for that. */
  serves(peer: Peer): boolean {
    return this.downstreams.has(peer)
  }

  /** What can be seen of it from outside. */
  dump() {
    return {
      state: this.publishers.state,
      alias: this.alias,
      largest: this.largest,
      publishers: this.publishers.size,
      subscribers: this.downstreams.size,
      waiting: this.downstreams.waitingCount,
      wantedLayers: this.downstreams.layers,
      cachedBytes: this.cache.bytes,
      cachedObjects: this.cache.objects,
      keys: this.keys?.keys.dump() ?? null,
    }
  }

  /** Its subscriptions, by session; for a look inside. */
  dumpSubscribers() {
    return this.downstreams
      .list()
      .map((downstream) => ({ peer: downstream.peer, subscription: downstream.dump() }))
  }

  /** A session's subscriptions to it, where it is a sound or a picture of a participant's. */
  membersOf(peer: Peer): Member[] {
    return this.chosenBy ? this.downstreams.of(peer) : []
  }

  /** @param participant the active speaker of the track's room, or null */
  onSpeaker(participant: string | null): void {
    const { chosenBy } = this
    if (chosenBy?.source !== 'camera') return
    this.downstreams.setSpeaking(chosenBy.participant === participant)
  }

  // ---- what subscribers ask

  /**
   * A subscriber asks. It is answered at once when the track is established, else when a publisher
   * has answered, else (with RENDEZVOUS_TIMEOUT) when one appears.
   * @param publishers who publish its namespace: asked, where they were not yet
   */
  subscribe(
    peer: Peer,
    request: IncomingSubscribe,
    rendezvousMs: number,
    publishers: readonly Peer[],
  ): void {
    if (!this.downstreams.wait(peer, request, rendezvousMs)) {
      this.releaseIfUnused()
      return
    }
    for (const publisher of publishers) this.ask(publisher)
    if (request.parameters.forward ?? true) this.downstreams.tellWanted()
    this.downstreams.serveWaiting()
    if (this.publishers.size === 0) this.downstreams.rejectImpatient()
    this.releaseIfUnused()
  }

  /**
   * Offers it to a subscriber with PUBLISH (section 10.10).
   * @param asked by the subscriber's SUBSCRIBE_TRACKS, of the subscription that this begins
   * @returns false when it cannot: there is no stream for the request, or no room here
   */
  offer(peer: Peer, asked: Parameters): boolean {
    return this.downstreams.offer(peer, asked)
  }

  /** What the peer may do was narrowed: what it no longer may is ended. */
  narrow(peer: Peer): void {
    if (!peer.maySubscribe(this.name)) this.downstreams.forbid(peer)
    const upstream = this.publishers.get(peer)
    if (upstream && !peer.mayPublish(this.name)) {
      upstream.cancel()
      this.lose(upstream, DoneCode.TRACK_ENDED, 'the publisher may not publish it any more')
    }
    this.releaseIfUnused()
  }

  // ---- what publishers offer

  /** A publisher of its namespace: asked for the track, unless it was. */
  ask(peer: Peer): void {
    // It may publish a namespace above one that is reserved.
    if (peer.mayPublish(this.name)) this.publishers.ask(peer, this.downstreams.newGroupRequest)
  }

  /** It publishes the namespace anew: it is asked, where the track is wanted. */
  askAnew(peer: Peer): void {
    this.publishers.forgive(peer)
    if (this.wanted) this.ask(peer)
  }

  /**
   * PUBLISH (section 9.5): accepted, with Forward State 1 where somebody wants objects.
   * @returns false when the session publishes it already
   */
  publish(peer: Peer, request: IncomingPublish): boolean {
    const known = this.publishers.get(peer)
    if (known?.established) return false
    // Section 5.1: a SUBSCRIBE of ours that crosses it has to end first.
    if (known) {
      known.cancel()
      this.fanout.dropPublisher(known, true)
      this.remove(known)
    }
    const upstream = this.publishers.offered(peer, request)
    this.options.host.countPublished(peer, 1)
    this.onEstablished(upstream)
    if (!this.publishers.has(upstream)) return true
    this.publishers.accept(
      upstream,
      request,
      this.downstreams.wantObjects,
      this.facts.defaults.dynamicGroups,
    )
    return true
  }

  onEstablished(upstream: Upstream): void {
    this.publishers.answered()
    this.arrivals?.begin(this.options.clock.now())
    const first = this.publishers.isAlone(upstream)
    // What a publisher sent before, and who had it, is another history.
    if (first && this.downstreams.size === 0) {
      this.cache.clear()
      this.video?.clear()
      this.facts.forgetObjects()
    }
    this.learn(upstream, first)
    this.downstreams.serveWaiting()
    this.options.host.onAvailable(this)
    this.releaseIfUnused()
  }

  onUpstreamRejected(upstream: Upstream, error: RequestError): void {
    this.publishers.refused(upstream, error)
    this.endIfAbandoned(DoneCode.TRACK_ENDED, 'no publisher of the track is left')
    this.releaseIfUnused()
  }

  onUpdated(upstream: Upstream): void {
    if (upstream.largest) this.note(upstream.largest)
    this.downstreams.serveWaiting()
  }

  onEnding(): void {
    // Who waits for objects waits for another publisher now.
    if (!this.publishers.anyEstablished && !this.publishers.anyPending)
      this.downstreams.rejectImpatient()
  }

  onOver(upstream: Upstream, status: number, reason: string): void {
    this.lose(upstream, toldEnd(status), reason)
    this.releaseIfUnused()
  }

  onObject(upstream: Upstream, object: MoqObject, feed: SubgroupFeed | null): void {
    const now = this.options.clock.now()
    if (upstream.police?.passes(object, now) === false) {
      this.drop(upstream, object, feed, now)
      return
    }
    const verdict = this.fanout.receive(object, feed, now)
    if (verdict === 'malformed') {
      this.malformed(upstream)
      return
    }
    if (verdict === 'new') this.arrivals?.received(object, now)
    this.voice?.heard(upstream, object, now)
    this.note(object)
  }

  onFeedEnd(upstream: Upstream, feed: SubgroupFeed): void {
    if (!this.fanout.finish(feed)) this.malformed(upstream)
  }

  onFeedReset(feed: SubgroupFeed, code: number): void {
    countReset(this.options.counters.resets.received, code)
    this.fanout.reset(feed, code, this.publishers.size > 1)
  }

  /**
   * Section 2.4.2: the subscriptions end at once, with the reason.
   * @param culprit the publisher that showed it; null: a fetch showed it
   */
  malformed(culprit: Upstream | null): void {
    this.options.tally.malformedTracks++
    const reason = 'what its publishers sent breaks the rules for a track'
    if (culprit) {
      culprit.cancel()
      this.remove(culprit)
      this.fanout.dropPublisher(culprit, false)
    }
    this.downstreams.stop(DoneCode.MALFORMED_TRACK, reason)
    if (culprit) this.options.host.onMalformed(this)
    this.downstreams.rejectWaiting(RequestCode.MALFORMED_TRACK, reason)
    this.releaseIfUnused()
  }

  // ---- upstream

  /** Its publisher sends more than it may. That it exists is known, and that it arrived. */
  private drop(
    upstream: Upstream,
    object: MoqObject,
    feed: SubgroupFeed | null,
    now: number,
  ): void {
    this.fanout.drop(object, feed)
    this.arrivals?.received(object, now)
    if (this.facts.note(object)) this.publishers.groupStarted()
    if (upstream.police!.keyFrameWanted) this.video?.ask()
  }

  /** Takes over what a publisher said of the track. */
  private learn(upstream: Upstream, first: boolean): void {
    if (this.facts.learn(upstream.properties, first)) {
      const { defaults } = this.facts
      this.cache.maxAgeMs = defaults.maxCacheMs
      this.cache.defaultPriority = defaults.priority
      this.fanout.defaultPriority = defaults.priority
      this.chosenBy?.learn(this.facts.properties)
      this.downstreams.settle()
    }
    if (upstream.largest) this.note(upstream.largest)
  }

  private note(at: Location): void {
    if (!this.facts.note(at)) return
    this.publishers.groupStarted()
    this.arrivals?.gotKeyFrame()
  }

  /** A publisher is gone; the track goes on while another is there. */
  private lose(upstream: Upstream, status: number, reason: string): void {
    if (!this.remove(upstream)) return
    this.fanout.dropPublisher(upstream, this.publishers.size > 0)
    this.endIfAbandoned(status, reason)
  }

  private remove(upstream: Upstream): boolean {
    if (!this.publishers.remove(upstream)) return false
    this.left(upstream)
    if (upstream.origin === 'publish') this.options.host.countPublished(upstream.peer, -1)
    return true
  }

  /** What is known of what it sends. */
  private left(upstream: Upstream): void {
    this.voice?.left(upstream, this.publishers.size > 0)
    if (this.publishers.size === 0) this.arrivals?.end()
  }

  private endIfAbandoned(status: number, reason: string): void {
    if (this.publishers.size > 0) return
    this.fanout.clear()
    this.downstreams.end(status, reason)
    this.downstreams.rejectImpatient()
  }

  /** The last subscriber left: our upstream subscriptions go too. */
  private releaseIfUnused(): void {
    if (this.closed || this.wanted) return
    for (const upstream of this.publishers.release()) {
      this.left(upstream)
      this.fanout.dropPublisher(upstream, false)
    }
    if (this.publishers.size > 0) return
    this.closed = true
    this.fanout.clear()
    this.downstreams.close()
    this.cache.close()
    this.video?.close()
    this.keys?.close()
    this.voice?.end()
    this.arrivals?.end()
    this.options.host.onUnused(this)
  }
}
