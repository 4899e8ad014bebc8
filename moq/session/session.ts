/**
 * A MoQT session (draft-18 section 3) over any transport: SETUP, requests each on a stream of its
 * own, data streams and datagrams. It is both subscriber and publisher, client and server; what a
 * relay or an application makes of it is its handler's matter.
 */

import type {
  BidiStream,
  CloseInfo,
  ReceiveStream,
  ReceiveStreamHandler,
  TransportSession,
} from '../transport/transport.ts'
import type { Codec, DraftRules } from '../wire/codec.ts'
import { ResetCode, SessionCode } from '../wire/codes.ts'
import { decodeDatagram, type ReceivedDatagram } from '../wire/datagram.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { FetchRange, Goaway, RequestUpdate, Setup } from '../wire/messages.ts'
import type { FullTrackName, Namespace } from '../wire/names.ts'
import type { Parameters } from '../wire/parameters.ts'
import { codecFor } from '../wire/versions.ts'
import type { AliasSink } from './alias-sink.ts'
import type { Aliases } from './aliases.ts'
import { type Clock, systemClock } from './clock.ts'
import { ControlBudget, type Throttled } from './control-budget.ts'
import { type ControlHost, ControlStreams } from './control-streams.ts'
import { DataStream } from './data-stream.ts'
import type { DataStreamHost, WaitingStream } from './data-stream-host.ts'
import { type FetchHandler, type FetchHost, FetchRequest } from './fetch-request.ts'
import { FetchTable } from './fetch-table.ts'
import { type GoawayHost, SessionGoaway } from './goaway.ts'
import type { SessionHandler, SubscriptionHandler } from './handler.ts'
import { IncomingRequests } from './incoming-requests.ts'
import { DEFAULT_LIMITS, type SessionLimitName, type SessionLimits } from './limits.ts'
import type { MessageParser } from './message-parser.ts'
import {
  NamespacePublication,
  type NamespacePublicationHandler,
  NamespaceSubscription,
  type NamespaceSubscriptionHandler,
} from './namespaces.ts'
import { OutgoingRequests } from './outgoing-requests.ts'
import { paddingDatagram, sendPaddingStream } from './padding.ts'
import { type PeerTerms, peerCodec } from './peer-codec.ts'
import { Publication } from './publication.ts'
import type { PublishHandler } from './publication-handler.ts'
import { offer, type PublishOptions } from './publish.ts'
import type { RequestRefusal } from './refusal.ts'
import type { UpdatedRequest } from './request-rules.ts'
import { type OpenRequest, RequestStream } from './request-stream.ts'
import { type SessionOptions, setupMessage } from './session-options.ts'
import { maxFilterRanges, maxRequestUpdates } from './setup-rules.ts'
import { StreamWatch } from './stream-watch.ts'
import { Subscription } from './subscription.ts'
import { Subscriptions } from './subscriptions.ts'
import { type TrackStatusHandler, TrackStatusRequest } from './track-status.ts'
import { TracksSubscription, type TracksSubscriptionHandler } from './tracks-subscription.ts'
import type { UpdateBounds } from './update-bounds.ts'

/** For a stream that is turned away. */
const IGNORED: ReceiveStreamHandler = { onBytes() {}, onReset() {} }
const REQUEST_ORDER = 1

/** One MoQT session with one peer, over any `TransportSession` (draft-18 section 3). */
export class Session implements ControlHost, DataStreamHost, FetchHost, GoawayHost {
  readonly transport: TransportSession
  readonly role: 'client' | 'server'
  readonly limits: SessionLimits
  /** For its data streams: what they have begun and must go on with. */
  readonly watch: StreamWatch
  private readonly handler: SessionHandler
  private readonly codec: Codec
  private readonly updates: UpdateBounds
  private readonly peerTerms: PeerTerms = { maxFilterRanges: 0 }
  readonly clock: Clock
  /** For the peer's requests: what we subscribe to. */
  readonly subscriptions: Subscriptions
  readonly knownProperties: ReadonlySet<number>
  private readonly aliases: Aliases
  private readonly incoming: IncomingRequests
  private readonly fetches = new FetchTable()
  private readonly goaways: SessionGoaway
  private readonly budget: ControlBudget
  private peerUniStreams = 0
  private received = 0
  private readonly outgoing: OutgoingRequests
  private readonly control: ControlStreams
  private over = false

  constructor(transport: TransportSession, options: SessionOptions) {
    this.transport = transport
    this.role = options.role
    this.handler = options.handler
    this.clock = options.clock ?? systemClock
    this.limits = { ...DEFAULT_LIMITS, ...options.limits }
    const codec = codecFor(transport.protocol)
    this.codec = peerCodec(codec, options.role, this.peerTerms)
    const most = codec.rules.boundsRequestUpdates ? this.limits.maxRequestUpdates : 0
    // Until the peer's SETUP says how many it takes, one update is always allowed.
    this.updates = {
      theirs: most || Number.POSITIVE_INFINITY,
      ours: codec.rules.boundsRequestUpdates ? 1 : Number.POSITIVE_INFINITY,
      onExceeded: () => this.limitHit('maxRequestUpdates'),
    }
    this.outgoing = new OutgoingRequests(options.role, () => this.openRequest())
    this.knownProperties = options.knownProperties ?? new Set()
    this.subscriptions = new Subscriptions(this)
    this.aliases = this.subscriptions.aliases
    this.incoming = new IncomingRequests(this, this.handler, options.role)
    this.goaways = new SessionGoaway(this, this.clock)
    this.watch = new StreamWatch(this.clock, this.limits.dataStreamMs)
    this.budget = new ControlBudget(
      this.clock,
      this.limits.controlBytesPerSecond,
      this.limits.controlBurstBytes,
      () => this.limitHit('controlBytesPerSecond'),
    )
    transport.handler = {
      onUni: (stream) => this.onUni(stream),
      onBidi: (stream) => this.onBidi(stream),
      onDatagram: (bytes) => this.onDatagram(bytes),
      onStreamCredit: () => this.onStreamCredit(),
      onRoom: (bytes) => this.handler.onRoom?.(bytes),
      onClosed: (info) => this.onClosed(info),
    }
    this.control = new ControlStreams(this, this.codec, setupMessage(options, most))
  }

  /** Both SETUP messages are exchanged. */
  get ready(): boolean {
    return this.control.ready
  }

  get closed(): boolean {
    return this.over
  }

  /** What the draft that was negotiated does otherwise than others. */
  get rules(): DraftRules {
    return this.codec.rules
  }

  /** The peer's GOAWAY: it takes no new requests, and the session will end. */
  get goawayReceived(): Goaway | null {
    return this.goaways.received
  }

  /** Bytes of datagrams and unidirectional streams that arrived, padding among them. */
  get bytesReceived(): number {
    return this.received
  }

  get openRequests(): number {
    return this.incoming.size + this.outgoing.size
  }

  // ---- what the owner asks for

  /** Sends SUBSCRIBE, at once or as soon as there is stream credit. */
  subscribe(
    track: FullTrackName,
    parameters: Parameters,
    handler: SubscriptionHandler,
  ): Subscription {
    if (this.over) throw new Error('the session is closed')
    const id = this.nextRequestId()
    const subscription = new Subscription(this.subscriptions, id, track, handler)
    this.subscriptions.asked(subscription)
    this.request(subscription, (stream) => subscription.start(stream, parameters))
    return subscription
  }

  /**
   * Offers a track with PUBLISH (section 10.10). The publication can be used at once; objects pass as
   * soon as PUBLISH is sent, and what PUBLISH_OK says then applies to it.
   */
  publish(track: FullTrackName, options: PublishOptions, handler: PublishHandler): Publication {
    const request = { track, requestId: this.nextRequestId() }
    const publication = new Publication(this.incoming, request, options, handler)
    publication.propose(options.terms ?? {}, options.forward ?? true)
    this.request(publication, (stream) => {
      offer(publication, stream, options)
      this.incoming.offered(publication)
    })
    return publication
  }

  /** Asks for a PUBLISH of every track under a prefix (section 10.19). */
  subscribeTracks(
    prefix: Namespace,
    handler: TracksSubscriptionHandler,
    parameters: Parameters = {},
  ): TracksSubscription {
    const subscription = new TracksSubscription(prefix, handler, this)
    const id = this.nextRequestId()
    this.request(subscription, (stream) => subscription.start(stream, id, parameters))
    return subscription
  }

  /** Asks for a track's state without subscribing to it. */
  trackStatus(
    track: FullTrackName,
    handler: TrackStatusHandler,
    parameters: Parameters = {},
  ): TrackStatusRequest {
    const status = new TrackStatusRequest(handler, this.subscriptions, this.requestOver)
    const id = this.nextRequestId()
    this.request(status, (stream) => status.start(stream, id, track, parameters))
    return status
  }

  /**
   * Asks for objects of the past, on a stream of their own.
   * @param range for a joining fetch the request id of a `Subscription` of ours
   */
  fetch(range: FetchRange, handler: FetchHandler, parameters: Parameters = {}): FetchRequest {
    const order = parameters.groupOrder ?? 'ascending'
    const fetch = new FetchRequest(this, this.nextRequestId(), range, order, handler)
    this.fetches.add(fetch)
    this.request(fetch, (stream) => fetch.start(stream, parameters))
    return fetch
  }

  publishNamespace(
    namespace: Namespace,
    handler: NamespacePublicationHandler,
    parameters: Parameters = {},
  ): NamespacePublication {
    const publication = new NamespacePublication(namespace, handler, this)
    const id = this.nextRequestId()
    this.request(publication, (stream) => publication.start(stream, id, parameters))
    return publication
  }

  subscribeNamespace(
    prefix: Namespace,
    handler: NamespaceSubscriptionHandler,
    parameters: Parameters = {},
  ): NamespaceSubscription {
    const subscription = new NamespaceSubscription(prefix, handler, this)
    const id = this.nextRequestId()
    this.request(subscription, (stream) => subscription.start(stream, id, parameters))
    return subscription
  }

  /**
   * GOAWAY on the control stream (section 10.4). Requests of the peer's that come from now on are
   * refused; after the timeout, unless 0, the session ends with GOAWAY_TIMEOUT if requests are open.
   * Once; later calls do nothing.
   * @param uri empty: the current one; a client can say nothing else
   * @throws RangeError for a URI of a client's, or above 8192 bytes
   */
  goaway(uri: string, timeoutMs: number): void {
    if (this.over) return
    const message = this.goaways.send(uri, timeoutMs, this.incoming.nextId)
    if (!message) return
    this.incoming.goingAway = true
    this.control.send(message)
  }

  /**
   * Sends bytes that mean nothing, to find out what the path can carry (section 11.5).
   * @param bytes about as many, with their frame; a datagram holds no more than the transport takes
   * @returns whether the transport took them: false without room or stream credit
   */
  sendPadding(bytes: number, by: 'datagram' | 'stream'): boolean {
    if (this.over) return false
    if (by === 'stream') return sendPaddingStream(this.transport, bytes)
    return this.transport.sendDatagram(
      paddingDatagram(Math.min(bytes, this.transport.maxDatagramSize)),
    )
  }

  /** Ends the session with a session termination code. */
  close(code: number, reason: string): void {
    if (this.over) return
    this.end(reason)
    this.transport.close(code, reason)
  }

  // ---- for the rooms of this session

  nextRequestId(): number {
    return this.outgoing.takeId()
  }

  /** A request of the peer's goes on as another object. */
  requestOpened(request: OpenRequest): void {
    this.incoming.requestOpened(request)
  }

  /** A request of either side's is over. */
  readonly requestOver = (request: OpenRequest): void => {
    this.outgoing.over(request)
    this.incoming.forget(request)
  }

  admitUpdate(
    update: RequestUpdate,
    request: UpdatedRequest,
    stream: RequestStream,
    decided: (refusal: RequestRefusal | null) => void,
  ): void {
    this.incoming.admitUpdate(update, request, stream, decided)
  }

  subscriptionFor(alias: number): AliasSink | 'unknown' | 'retired' {
    return this.aliases.find(alias)
  }

  fetchFor(requestId: number): FetchRequest | null {
    return this.fetches.find(requestId, this.outgoing.nextId)
  }

  fetchOver(fetch: FetchRequest, streamed: boolean): void {
    this.requestOver(fetch)
    this.fetches.over(fetch, streamed)
  }

  arrived(bytes: number): void {
    this.received += bytes
  }

  limitHit(limit: SessionLimitName): void {
    this.handler.onLimit?.(limit)
  }

  get hasSpare(): boolean {
    return this.budget.hasSpare
  }

  spend(bytes: number): void {
    this.budget.take(null, bytes)
  }

  controlBytes(stream: Throttled, bytes: number): void {
    this.budget.take(stream, bytes)
  }

  streamOver(): void {
    this.peerUniStreams--
  }

  park(stream: WaitingStream): boolean {
    return this.aliases.park(stream)
  }

  controlStream(): MessageParser {
    return this.control.receive()
  }

  controlStreamEnded(code: number | null): void {
    this.control.ended(code)
  }

  /** Runs a callback; what breaks the protocol ends this session and no other. */
  guard = (task: () => void): void => {
    if (this.over) return
    try {
      task()
    } catch (error) {
      this.fault(error)
    }
  }

  /** What a callback threw; for callers that run too often for a `guard` and its closure. */
  fault(error: unknown): void {
    if (error instanceof ProtocolError) {
      this.close(error.code, error.message)
      return
    }
    this.close(SessionCode.INTERNAL_ERROR, 'internal error')
    this.reportBug(error)
  }

  /** A bug of ours costs one session, never the process, and is never swallowed. */
  private reportBug(error: unknown): void {
    if (this.handler.onInternalError) this.handler.onInternalError(error)
    else
      queueMicrotask(() => {
        throw error
      })
  }

  // ---- setup

  onSetup(setup: Setup): void {
    if (this.codec.rules.boundsRequestUpdates) this.updates.ours = maxRequestUpdates(setup)
    this.peerTerms.maxFilterRanges = maxFilterRanges(setup)
    this.handler.onReady?.(setup)
    this.incoming.ready()
    this.aliases.ready()
  }

  onGoaway(goaway: Goaway): void {
    this.goaways.receive(goaway)
    this.handler.onGoaway?.(goaway)
  }

  // ---- transport

  private onUni(stream: ReceiveStream): void {
    if (this.peerUniStreams >= this.limits.maxDataStreams) {
      stream.handler = IGNORED
      stream.stop(ResetCode.EXCESSIVE_LOAD)
      this.limitHit('maxDataStreams')
      return
    }
    this.peerUniStreams++
    new DataStream(stream, this)
  }

  private onBidi(stream: BidiStream): void {
    this.incoming.accept(this.requestStream(stream))
  }

  private onDatagram(bytes: Uint8Array): void {
    if (this.over) return
    this.received += bytes.length
    try {
      const received = decodeDatagram(bytes)
      if (received) this.deliverDatagram(received)
    } catch (error) {
      this.fault(error)
    }
  }

  private deliverDatagram(received: ReceivedDatagram): void {
    const { object, trackAlias } = received
    if (object.propertiesSize > this.limits.maxPropertiesBytes) {
      this.limitHit('maxPropertiesBytes')
      return
    }
    const subscription = this.aliases.find(trackAlias)
    if (subscription === 'unknown') {
      if (!this.aliases.keep(received)) this.limitHit('earlyDatagrams')
    } else if (subscription !== 'retired') {
      subscription.deliver(object, null)
    }
  }

  private request(request: OpenRequest, start: (stream: RequestStream) => void): void {
    if (this.over) throw new Error('the session is closed')
    this.outgoing.begin(request, start)
  }

  private openRequest(): RequestStream | null {
    const stream = this.transport.openBidi(REQUEST_ORDER)
    return stream && this.requestStream(stream)
  }

  private requestStream(stream: BidiStream): RequestStream {
    return new RequestStream(this.budget.meter(stream), this.codec, this.guard, this.updates)
  }

  private onStreamCredit(): void {
    if (this.over) return
    this.control.onStreamCredit()
    this.outgoing.onStreamCredit()
    this.handler.onStreamCredit?.()
  }

  private onClosed(info: CloseInfo): void {
    this.end(info.reason)
    this.handler.onClosed?.(info)
  }

  private end(reason: string): void {
    if (this.over) return
    this.over = true
    this.control.stop()
    this.incoming.sessionEnded(reason)
    this.outgoing.sessionEnded(reason)
    this.subscriptions.clear()
    this.fetches.clear()
    this.goaways.cancel()
    this.budget.clear()
    this.watch.clear()
  }
}
