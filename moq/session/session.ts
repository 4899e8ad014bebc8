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
  SendStream,
  TransportSession,
} from '../transport/transport.ts'
import type { Codec } from '../wire/codec.ts'
import { ResetCode, SessionCode } from '../wire/codes.ts'
import { decodeDatagram, type ReceivedDatagram } from '../wire/datagram.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { ControlMessage, FetchRange, Goaway, RequestUpdate, Setup } from '../wire/messages.ts'
import type { FullTrackName, Namespace } from '../wire/names.ts'
import type { Parameters } from '../wire/parameters.ts'
import type { Property } from '../wire/properties.ts'
import { codecFor } from '../wire/versions.ts'
import type { Aliases } from './aliases.ts'
import { type Clock, systemClock } from './clock.ts'
import { ControlBudget, type Throttled } from './control-budget.ts'
import { DataStream, type DataStreamHost } from './data-stream.ts'
import { type FetchHandler, type FetchHost, FetchRequest } from './fetch-request.ts'
import { FetchTable } from './fetch-table.ts'
import { type GoawayHost, SessionGoaway } from './goaway.ts'
import type { SessionHandler, SubscriptionHandler } from './handler.ts'
import { IncomingRequests } from './incoming-requests.ts'
import { DEFAULT_LIMITS, type SessionLimitName, type SessionLimits } from './limits.ts'
import { MessageParser } from './message-parser.ts'
import {
  NamespacePublication,
  type NamespacePublicationHandler,
  NamespaceSubscription,
  type NamespaceSubscriptionHandler,
} from './namespaces.ts'
import { paddingDatagram, sendPaddingStream } from './padding.ts'
import { peerCodec } from './peer-codec.ts'
import { Publication, type PublishHandler } from './publication.ts'
import { offer, type PublishOptions } from './publish.ts'
import type { RequestRefusal } from './refusal.ts'
import type { UpdatedRequest } from './request-rules.ts'
import { type OpenRequest, RequestStream } from './request-stream.ts'
import { checkSetup, SetupOption } from './setup-rules.ts'
import { StreamWatch } from './stream-watch.ts'
import { Subscription } from './subscription.ts'
import { Subscriptions } from './subscriptions.ts'
import { type TrackStatusHandler, TrackStatusRequest } from './track-status.ts'
import { TracksSubscription, type TracksSubscriptionHandler } from './tracks-subscription.ts'

export interface SessionOptions {
  /** Who opened the transport session; it decides the parity of request ids. */
  readonly role: 'client' | 'server'
  readonly handler: SessionHandler
  /** MOQT_IMPLEMENTATION (section 10.3.1.5); a short name and major version. */
  readonly implementation?: string
  /** Further SETUP options, ascending by type. */
  readonly setup?: readonly Property[]
  readonly limits?: Partial<SessionLimits>
  /**
   * Mandatory Track Properties that the owner understands (section 2.5.1); a track with any other is
   * not taken.
   */
  readonly knownProperties?: ReadonlySet<number>
  readonly clock?: Clock
}

/** For a stream that is turned away. */
const IGNORED: ReceiveStreamHandler = { onBytes() {}, onReset() {} }
const CONTROL_ORDER = 0
const REQUEST_ORDER = 1

export class Session implements DataStreamHost, FetchHost, GoawayHost {
  readonly transport: TransportSession
  readonly role: 'client' | 'server'
  readonly limits: SessionLimits
  /** For its data streams: what they have begun and must go on with. */
  readonly watch: StreamWatch
  private readonly handler: SessionHandler
  private readonly codec: Codec
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
  private readonly outgoing = new Set<OpenRequest>()
  /** Requests that wait for stream credit, oldest first. */
  private waiting: ((stream: RequestStream) => void)[] = []
  private control: SendStream | null = null
  /** Kept for the case that there is no stream credit yet. */
  private readonly setupMessage: Setup
  private peerControl: 'none' | 'open' | 'ready' = 'none'
  private requestId: number
  private over = false
  private readonly cancelSetupTimer: () => void

  constructor(transport: TransportSession, options: SessionOptions) {
    this.transport = transport
    this.role = options.role
    this.handler = options.handler
    this.clock = options.clock ?? systemClock
    this.limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.codec = peerCodec(codecFor(transport.protocol), options.role)
    this.requestId = options.role === 'client' ? 0 : 1
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
    this.cancelSetupTimer = this.clock.after(this.limits.setupMs, () => {
      if (this.ready) return
      this.limitHit('setupMs')
      this.close(SessionCode.CONTROL_MESSAGE_TIMEOUT, 'no SETUP came in time')
    })
    this.setupMessage = { type: 'SETUP', options: setupOptions(options) }
    this.openControl()
  }

  /** Both SETUP messages are exchanged. */
  get ready(): boolean {
    return this.peerControl === 'ready'
  }

  get closed(): boolean {
    return this.over
  }

  /** The peer's GOAWAY: it takes no new requests, and the session will end. */
  get goawayReceived(): Goaway | null {
    return this.goaways.received
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
    publication.forward = options.forward ?? true
    this.request(publication, (stream) => {
      if (offer(publication, stream, options)) this.incoming.offered(publication)
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
    const status = new TrackStatusRequest(handler, this.requestOver)
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
    this.sendControl(message)
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
    const id = this.requestId
    this.requestId += 2
    return id
  }

  /** A request of the peer's goes on as another object. */
  requestOpened(request: OpenRequest): void {
    this.incoming.requestOpened(request)
  }

  /** A request of ours, or that ours became, is over. */
  readonly requestOver = (request: OpenRequest): void => {
    this.outgoing.delete(request)
  }

  admitUpdate(
    update: RequestUpdate,
    request: UpdatedRequest,
    stream: RequestStream,
    decided: (refusal: RequestRefusal | null) => void,
  ): void {
    this.incoming.admitUpdate(update, request, stream, decided)
  }

  subscriptionFor(alias: number): Subscription | 'unknown' | 'retired' {
    return this.aliases.find(alias)
  }

  fetchFor(requestId: number): FetchRequest | null {
    return this.fetches.find(requestId, this.requestId)
  }

  fetchOver(fetch: FetchRequest, streamed: boolean): void {
    this.outgoing.delete(fetch)
    this.fetches.over(fetch, streamed)
  }

  limitHit(limit: SessionLimitName): void {
    this.handler.onLimit?.(limit)
  }

  controlBytes(stream: Throttled, bytes: number): void {
    this.budget.take(stream, bytes)
  }

  streamOver(): void {
    this.peerUniStreams--
  }

  park(stream: DataStream): boolean {
    return this.aliases.park(stream)
  }

  controlStream(): MessageParser {
    if (this.peerControl !== 'none') throw new ProtocolError('second control stream')
    this.peerControl = 'open'
    return new MessageParser((type, payload) =>
      this.onControl(this.codec.decode(type, payload, 'control')),
    )
  }

  controlStreamEnded(): void {
    throw new ProtocolError('the control stream was closed')
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

  /** Opens the control stream with SETUP, now or when there is stream credit. */
  private openControl(): void {
    this.control = this.transport.openUni(CONTROL_ORDER)
    this.sendControl(this.setupMessage)
    if (this.goaways.sent) this.sendControl(this.goaways.sent)
  }

  private sendControl(message: ControlMessage): void {
    this.control?.write(this.codec.encode(message))
  }

  private onControl(message: ControlMessage): void {
    if (this.peerControl === 'open') {
      if (message.type !== 'SETUP') throw new ProtocolError(`${message.type} before SETUP`)
      this.onSetup(message)
      return
    }
    if (message.type !== 'GOAWAY') throw new ProtocolError(`${message.type} on the control stream`)
    this.goaways.receive(message)
    this.handler.onGoaway?.(message)
  }

  private onSetup(setup: Setup): void {
    checkSetup(setup, this.role, this.transport.kind)
    this.peerControl = 'ready'
    this.cancelSetupTimer()
    this.handler.onReady?.(setup)
    this.incoming.ready()
    this.aliases.ready()
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
    this.incoming.accept(new RequestStream(this.budget.meter(stream), this.codec, this.guard))
  }

  private onDatagram(bytes: Uint8Array): void {
    if (this.over) return
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
    this.outgoing.add(request)
    const stream = this.waiting.length === 0 ? this.openRequest() : null
    if (stream) start(stream)
    else this.waiting.push(start)
  }

  private openRequest(): RequestStream | null {
    const stream = this.transport.openBidi(REQUEST_ORDER)
    return stream && new RequestStream(this.budget.meter(stream), this.codec, this.guard)
  }

  private onStreamCredit(): void {
    if (this.over) return
    if (!this.control) this.openControl()
    while (this.waiting.length > 0) {
      const stream = this.openRequest()
      if (!stream) break
      this.waiting.shift()!(stream)
    }
    this.handler.onStreamCredit?.()
  }

  private onClosed(info: CloseInfo): void {
    this.end(info.reason)
    this.handler.onClosed?.(info)
  }

  private end(reason: string): void {
    if (this.over) return
    this.over = true
    this.cancelSetupTimer()
    this.waiting = []
    this.incoming.sessionEnded(reason)
    for (const request of [...this.outgoing]) request.sessionEnded(reason)
    this.outgoing.clear()
    this.subscriptions.clear()
    this.fetches.clear()
    this.goaways.cancel()
    this.budget.clear()
    this.watch.clear()
  }
}

function setupOptions(options: SessionOptions): Property[] {
  const setup: Property[] = [...(options.setup ?? [])]
  if (options.implementation) {
    const value = new TextEncoder().encode(options.implementation)
    setup.push({ type: SetupOption.MOQT_IMPLEMENTATION, value })
    setup.sort((a, b) => Number(a.type) - Number(b.type))
  }
  return setup
}
