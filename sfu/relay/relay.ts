/**
 * The relay: connects publishers and subscribers by the names of their tracks (draft-18 section 9).
 * It sees names, headers and ciphertext, never a key. Sessions come in by `addSession`, from an engine
 * or from an endpoint in the same process.
 */

import { feedbackTrack, parseParticipantNamespace, roomNamespace } from '../../moq/media/index.ts'
import type {
  Clock,
  IncomingFetch,
  IncomingNamespacePublication,
  IncomingNamespaceSubscription,
  IncomingPublish,
  IncomingSubscribe,
  IncomingTrackStatus,
  IncomingTracksSubscription,
  Publication,
  SessionLimitName,
  SessionLimits,
} from '../../moq/session/index.ts'
import type { CloseInfo, TransportKind, TransportSession } from '../../moq/transport/transport.ts'
import { RequestCode, ResetCode } from '../../moq/wire/codes.ts'
import {
  type FullTrackName,
  formatNamespace,
  formatTrack,
  type Namespace,
} from '../../moq/wire/names.ts'
import { CacheBudget } from '../cache/index.ts'
import { DEFAULT_METER, FeedbackMeters } from '../feedback/index.ts'
import type { BudgetOptions } from '../forward/budget/index.ts'
import type { ForwardCounters } from '../forward/counters.ts'
import { gateDropCounters, makeGateTally } from '../forward/gate/index.ts'
import { RoomKeys } from '../forward/keys/index.ts'
import { makePoliceCounters, type PoliceSettings } from '../forward/police/index.ts'
import { TRAFFIC } from '../forward/traffic.ts'
import { Speakers } from '../speaker/index.ts'
import { FetchService } from './fetch.ts'
import { DEFAULT_FETCH_LIMITS, type FetchTrack } from './fetch-track.ts'
import { guardedClock } from './guarded-clock.ts'
import type { RelayLimitName, RelayLimits } from './limits.ts'
import { NamespaceRegistry } from './namespaces.ts'
import { makePathTally } from './path-tally.ts'
import { PathTicker } from './path-ticker.ts'
import { type CheckSetup, type OpenAdmission, Peer, type PeerHost } from './peer.ts'
import { PeerShares, refuseForLoad } from './peer-shares.ts'
import { PlacedHost, type Placement } from './placed-host.ts'
import { PrefixRequests } from './prefix-requests.ts'
import { isReportTrack, Receivers } from './receivers/index.ts'
import { toldRejection } from './rejections.ts'
import type { RelayTally } from './tally.ts'
import { Telling } from './telling.ts'
import type { RelayTrack } from './track.ts'
import type { TrackHost } from './track-host.ts'
import { TrackRegistry } from './track-registry.ts'
import { TrackWatchers } from './track-watchers.ts'

export interface RelayOptions {
  readonly clock: Clock
  readonly counters: ForwardCounters
  readonly limits: RelayLimits
  readonly sessionLimits?: Partial<SessionLimits>
  /** How the paths to subscribers are measured. */
  readonly budget?: BudgetOptions
  /** Makes the right of each session but our own services'; absent: everybody may do everything. */
  readonly openAdmission?: OpenAdmission
  /** Looks at the SETUP of each session but our own services'. */
  readonly checkSetup?: CheckSetup
  /** Fields, such as `.mls`, of services that come as clients do; see `isReserved`. */
  readonly foreignServices?: readonly string[]
  /** Where rooms are, of several relays that share them; absent: all are here. */
  readonly placement?: Placement
  /** What each session but our own services' may send; absent: whatever it likes. */
  readonly police?: PoliceSettings
  /** A session sends more than it may, and so many objects were dropped since this was last told. */
  onPoliced?(peer: Peer, dropped: number): void
  /** A bound of the relay's was hit; for metrics. */
  onLimit?(limit: RelayLimitName): void
  /** A bound of one session was hit; for metrics. */
  onSessionLimit?(limit: SessionLimitName): void
  onSessionClosed?(peer: Peer, info: CloseInfo): void
  /** @param transport of the session that ended by it, where one did */
  onInternalError(error: unknown, transport?: TransportSession): void
}

/** What a service of our own does grows with all rooms together, whatever one peer may do. */
const OF_SERVICE: Partial<SessionLimits> = {
  maxRequests: Number.POSITIVE_INFINITY,
  maxDataStreams: Number.POSITIVE_INFINITY,
  controlBurstBytes: Number.POSITIVE_INFINITY,
  maxUnreadRequestBytes: Number.POSITIVE_INFINITY,
}

export class Relay implements PeerHost, TrackHost<RelayTrack> {
  readonly tally: RelayTally = {
    duplicates: 0,
    malformedTracks: 0,
    malformedReports: 0,
    gateDrops: gateDropCounters(),
    gates: makeGateTally(),
    policed: makePoliceCounters(),
    paths: makePathTally(),
  }
  /** What is known of publishers' keys from the headers of their objects. */
  readonly keys = new RoomKeys()
  /** Who speaks in each room, by the levels that the objects of microphones state. */
  readonly speakers: Speakers
  /** What arrives from each publisher, and what is wanted of it. */
  readonly meters: FeedbackMeters
  private readonly options: RelayOptions
  /** Who hears what clients ask. */
  private readonly door: PeerHost
  private readonly peers = new Set<Peer>()
  private readonly shares: PeerShares
  private readonly namespaces = new NamespaceRegistry<Peer>()
  private readonly tracks: TrackRegistry
  private readonly watchers: TrackWatchers
  private readonly prefixes: PrefixRequests
  private readonly budget: CacheBudget
  private readonly fetches: FetchService
  private readonly receivers: Receivers<Peer>
  private readonly ticker: PathTicker

  constructor(options: RelayOptions) {
    const { counters, limits, onInternalError } = options
    const { tally, keys } = this
    const clock = guardedClock(options.clock, onInternalError)
    this.options = { ...options, clock }
    this.door = options.placement ? new PlacedHost(this, options.placement) : this
    this.speakers = new Speakers(clock, { maxVoices: limits.maxVoices })
    this.meters = new FeedbackMeters({
      intervalMs: limits.feedbackMs,
      urgentMs: Math.min(limits.feedbackMs, DEFAULT_METER.urgentMs),
      // More than it may send is no use to a publisher.
      uplink: { most: (options.police?.session.bytes.perSecond ?? Number.POSITIVE_INFINITY) * 8 },
    })
    this.shares = new PeerShares(limits, (limit) => this.onLimit(limit))
    this.budget = new CacheBudget(
      {
        maxBytes: limits.maxCacheBytes,
        maxBytesPerTrack: limits.maxCacheBytesPerTrack,
        maxObjects: limits.maxCacheObjects,
        maxObjectsPerTrack: limits.maxCacheObjectsPerTrack,
      },
      (limit) => this.onLimit(limit),
    )
    const { budget, speakers, meters } = this
    this.tracks = new TrackRegistry(this.namespaces, {
      clock,
      counters,
      tally,
      limits,
      budget,
      keys,
      speakers,
      meters,
      host: this,
    })
    this.watchers = new TrackWatchers((peer) => this.shares.mayTakeSubscription(peer))
    const { shares, namespaces, tracks, watchers } = this
    this.prefixes = new PrefixRequests({ clock, shares, namespaces, tracks, watchers })
    this.fetches = this.makeFetches()
    this.receivers = this.makeReceivers()
    speakers.listen((room, [first]) => this.onSpeaker(room, first?.participant ?? null))
    this.ticker = new PathTicker(clock)
  }

  /**
   * Serves a transport session whose peer is a client.
   * @param service the peer is a service of our own, which speaks for all rooms: its numbers of
   * requests and namespaces are theirs together, and each of theirs is limited already
   */
  addSession(transport: TransportSession, service = false): Peer {
    const { clock, counters, sessionLimits, limits, onInternalError } = this.options
    const host = service ? this : this.door
    const peer = new Peer(transport, host, {
      clock,
      counters,
      sessionLimits: {
        ...sessionLimits,
        ...(service && OF_SERVICE),
      },
      maxEgressBytes: limits.maxEgressBytes,
      path: service ? null : { budget: this.options.budget ?? {}, tally: this.tally.paths },
      openAdmission: service ? undefined : this.options.openAdmission,
      checkSetup: service ? undefined : this.options.checkSetup,
      police:
        service || !this.options.police
          ? undefined
          : { settings: this.options.police, counters: this.tally.policed },
      service,
      foreignServices: this.options.foreignServices ?? [],
      onLimit: (limit) => this.options.onSessionLimit?.(limit),
      onInternalError: (error) => onInternalError(error, transport),
    })
    this.peers.add(peer)
    this.shares.add(peer, !service)
    this.onBusy(peer)
    return peer
  }

  /**
   * GOAWAY to every session but our own services': come back elsewhere, or here after a while.
   * @param uri of the relay to go to; empty: the address by which each came
   */
  goaway(timeoutMs: number, uri = ''): void {
    for (const peer of this.peers) if (!peer.service) peer.session.goaway(uri, timeoutMs)
  }

  closeAll(code: number, reason: string): void {
    for (const peer of [...this.peers]) peer.session.close(code, reason)
  }

  // ---- how it is now

  get sessionCount(): number {
    return this.peers.size
  }

  sessionsByTransport(): Record<TransportKind, number> {
    const count = { webtransport: 0, websocket: 0, quic: 0, memory: 0 }
    for (const peer of this.peers) count[peer.session.transport.kind]++
    return count
  }

  get trackCount(): number {
    return this.tracks.size
  }

  get subscriptionCount(): number {
    let count = 0
    for (const track of this.tracks.list()) count += track.subscriberCount
    return count
  }

  /** Requests to and from all peers that are open or have begun. */
  get requestCount(): number {
    let count = 0
    for (const { session } of this.peers) count += session.openRequests
    return count
  }

  get waitingBytes(): number {
    let bytes = 0
    for (const peer of this.peers) bytes += peer.egress.waitingBytes
    return bytes
  }

  /** By traffic class, how long what has waited longest for a subscriber has waited, ms. */
  oldestMs(): number[] {
    const now = this.options.clock.now()
    const earliest = new Float64Array(TRAFFIC.length).fill(now)
    for (const peer of this.peers) peer.egress.oldest(earliest)
    return [...earliest].map((at) => now - at)
  }

  /** Bytes of objects kept for late joiners. */
  get cacheBytes(): number {
    return this.budget.bytes
  }

  /** Objects that are kept or remembered. */
  get cacheObjects(): number {
    return this.budget.objects
  }

  /** FETCHes that are being answered. */
  get fetchCount(): number {
    return this.fetches.active
  }

  /** Namespaces that are published now. */
  publishedNamespaces(): Namespace[] {
    return this.namespaces.list()
  }

  /** Tracks under a prefix, for a look inside a room. */
  dumpTracks(prefix: Namespace) {
    return this.tracks
      .under(prefix)
      .map((track) => ({ name: formatTrack(track.name), ...track.dump() }))
  }

  /**
   * Who is sent what under a prefix, for a look inside a room: of each session what waits, what is
   * chosen for it, and of each of its subscriptions why something was not sent of late.
   */
  dumpSubscribers(prefix: Namespace) {
    const now = this.options.clock.now()
    type Subscription = ReturnType<RelayTrack['dumpSubscribers']>[number]['subscription']
    const sessions = new Map<Peer, ({ readonly track: string } & Subscription)[]>()
    for (const track of this.tracks.under(prefix)) {
      for (const { peer, subscription } of track.dumpSubscribers()) {
        const named = { track: formatTrack(track.name), ...subscription }
        const others = sessions.get(peer)
        if (others) others.push(named)
        else sessions.set(peer, [named])
      }
    }
    return [...sessions].map(([peer, subscriptions]) => ({
      participants: [...peer.namespaces].map(({ namespace }) => formatNamespace(namespace)),
      transport: peer.session.transport.kind,
      queues: peer.egress.dump(),
      path: peer.path?.dump() ?? null,
      receiver: peer.receiver?.dump(now) ?? null,
      subscriptions,
    }))
  }

  // ---- what peers ask

  onSubscribe(peer: Peer, request: IncomingSubscribe): void {
    const { track: name, parameters } = request
    if (!this.shares.mayTakeSubscription(peer)) {
      refuseForLoad(request, 'subscriptions')
      this.onAnswered(request, null)
      return
    }
    const asked = parameters.rendezvousTimeout ?? 0
    const patience = Math.min(asked, this.options.limits.maxRendezvousMs)
    if (patience < asked) this.onLimit('rendezvous')
    const publishers = this.namespaces.publishersOf(name.namespace)
    this.tracks.getOrCreate(name).subscribe(peer, request, patience, publishers)
  }

  /**
   * Section 10.14: from an established subscription that gets every object, else forwarded to a
   * publisher, whose refusal does not matter where something is known.
   */
  onTrackStatus(_peer: Peer, request: IncomingTrackStatus): void {
    const { track: name } = request
    const track = this.tracks.get(name)
    const state = track?.status
    if (state && track?.receiving) {
      request.accept(state)
      return
    }
    const publisher = this.tracks.publishersOf(name)[0]
    if (!publisher) {
      request.reject(RequestCode.DOES_NOT_EXIST, 'nobody publishes this track')
      return
    }
    const upstream = publisher.session.trackStatus(name, {
      onStatus: (told) => request.accept(told),
      onRejected: (error) => {
        if (state) {
          request.accept(state)
          return
        }
        const code = error ? toldRejection(error) : RequestCode.INTERNAL_ERROR
        request.reject(code, error?.reason ?? 'the publisher did not answer', error?.retryAfterMs)
      },
    })
    request.onCancelled = () => upstream.cancel()
  }

  /** Section 9.5: accepted, and offered to those who asked for tracks of its namespace. */
  onPublish(peer: Peer, request: IncomingPublish): void {
    if (isReportTrack(request.track)) {
      request.reject(RequestCode.UNINTERESTED, 'the relay subscribes to reports itself')
      return
    }
    if (!this.shares.mayTakePublished(peer)) {
      refuseForLoad(request, 'published tracks')
      return
    }
    if (this.tracks.getOrCreate(request.track).publish(peer, request)) return
    // Where the draft lets a session have two: its objects come by the other one already.
    request.reject(RequestCode.UNINTERESTED, 'this session publishes the track already')
  }

  onPublishNamespace(peer: Peer, request: IncomingNamespacePublication): void {
    if (!this.shares.mayTakeNamespace(peer)) {
      refuseForLoad(request, 'namespaces')
      return
    }
    peer.namespaces.add(request)
    const { namespace } = request
    let asking: Telling | null = null
    request.onWithdrawn = () => {
      asking?.stop()
      this.withdrawNamespace(peer, request)
    }
    request.accept()
    this.namespaces.publish(namespace, peer)
    if (!peer.service) this.receivers.onNamespace(peer, namespace)
    // A short prefix may have any number of tracks below it: they are its peer's to pay for.
    asking = new Telling({
      clock: this.options.clock,
      request,
      next: (after) => {
        const found = this.tracks.next(namespace, after)
        found?.value.askAnew(peer)
        return found?.name ?? null
      },
      onStalled: () => {
        request.cancel(ResetCode.EXCESSIVE_LOAD)
        this.withdrawNamespace(peer, request)
      },
    })
  }

  onSubscribeNamespace(peer: Peer, request: IncomingNamespaceSubscription): void {
    this.prefixes.subscribeNamespace(peer, request)
  }

  onSubscribeTracks(peer: Peer, request: IncomingTracksSubscription): void {
    this.prefixes.subscribeTracks(peer, request)
  }

  onFetch(peer: Peer, request: IncomingFetch): void {
    this.fetches.onFetch(peer, request)
  }

  /** Ends what the peer may not do any more (section 10.2.2: its right was narrowed). */
  onNarrowed(peer: Peer): void {
    for (const request of [...peer.namespaces]) {
      if (peer.mayPublishNamespace(request.namespace)) continue
      request.cancel(ResetCode.EXPIRED_AUTH_TOKEN)
      this.withdrawNamespace(peer, request)
    }
    this.prefixes.narrow(peer)
    for (const track of this.tracks.list()) track.narrow(peer)
    this.fetches.narrow(peer)
  }

  onBusy(peer: Peer): void {
    if (peer.path && this.peers.has(peer)) this.ticker.add(peer)
  }

  onPoliced(peer: Peer, dropped: number): void {
    this.options.onPoliced?.(peer, dropped)
  }

  onClosed(peer: Peer, info: CloseInfo): void {
    this.peers.delete(peer)
    this.ticker.delete(peer)
    this.shares.delete(peer)
    this.receivers.onClosed(peer)
    this.options.onSessionClosed?.(peer, info)
  }

  // ---- what tracks tell

  onLimit(limit: RelayLimitName): void {
    this.options.onLimit?.(limit)
  }

  countSubscription(peer: Peer, change: number): void {
    this.shares.countSubscription(peer, change)
  }

  countPublished(peer: Peer, change: number): void {
    this.shares.countPublished(peer, change)
  }

  onAnswered(request: IncomingSubscribe, publication: Publication | null): void {
    this.fetches.onAnswered(request, publication)
  }

  onAvailable(track: RelayTrack): void {
    this.watchers.announce(track)
  }

  onMalformed(track: RelayTrack): void {
    this.fetches.onMalformed(track)
  }

  onUnused(track: RelayTrack): void {
    this.tracks.delete(track)
  }

  // ----

  private withdrawNamespace(peer: Peer, request: IncomingNamespacePublication): void {
    if (!peer.namespaces.delete(request)) return
    this.namespaces.withdraw(request.namespace, peer)
    this.receivers.onWithdrawn(peer, request.namespace)
    // It may be published by another request as well, or there is another participant.
    for (const other of peer.namespaces) this.receivers.onNamespace(peer, other.namespace)
    const place = parseParticipantNamespace(request.namespace)
    if (!place) return
    // What is for its publisher alone.
    this.tracks.get(feedbackTrack(place.room, place.participant))?.narrow(peer)
  }

  /** Who speaks changed. @param participant whose video goes before that of the others, or null */
  private onSpeaker(room: string, participant: string | null): void {
    for (const track of this.tracks.under(roomNamespace(room))) track.onSpeaker(participant)
    this.receivers.onSpeakers(room)
  }

  private makeReceivers(): Receivers<Peer> {
    const { clock, counters, limits } = this.options
    return new Receivers<Peer>({
      clock,
      counters,
      tally: this.tally,
      speakers: this.speakers,
      maxReports: limits.maxReports,
      lastN: limits.lastN,
      subscriptionsOf: (peer) => this.tracks.list().flatMap((track) => track.membersOf(peer)),
      onTooMany: () => this.onLimit('reports'),
    })
  }

  private makeFetches(): FetchService {
    const { clock, limits } = this.options
    return new FetchService({
      clock,
      limits: { ...DEFAULT_FETCH_LIMITS, maxFetchesPerSession: limits.maxFetches },
      budget: this.budget,
      host: {
        findTrack: (name: FullTrackName) => {
          const track = this.tracks.get(name)
          return track?.established ? track : null
        },
        trackOf: (_peer: Peer, publication: Publication) => this.tracks.get(publication.track),
        publishers: (name: FullTrackName) => this.tracks.publishersOf(name),
        onMalformed: (track: FetchTrack) => this.tracks.get(track.name)?.malformed(null),
      },
      onLimit: () => this.onLimit('fetches'),
    })
  }
}
