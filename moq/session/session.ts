/**
 * A MoQT session (draft-18 section 3) over any transport: SETUP, requests each on a stream of its
 * own, data streams and datagrams. It is both subscriber and publisher, client and server; what a
 * relay or an application makes of it is its handler's matter.
 */

import type {
  BidiStream,
  CloseInfo,
  ReceiveStream,
  SendStream,
  TransportSession,
} from '../transport/transport.ts'
import type { Codec } from '../wire/codec.ts'
import { SessionCode } from '../wire/codes.ts'
import { decodeDatagram } from '../wire/datagram.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { ControlMessage, Setup } from '../wire/messages.ts'
import type { FullTrackName, Namespace } from '../wire/names.ts'
import type { Parameters } from '../wire/parameters.ts'
import type { Property } from '../wire/properties.ts'
import { codecFor } from '../wire/versions.ts'
import { Aliases } from './aliases.ts'
import { type Clock, systemClock } from './clock.ts'
import { DataStream, type DataStreamHost } from './data-stream.ts'
import type { SessionHandler, SubscriptionHandler } from './handler.ts'
import { IncomingRequests } from './incoming-requests.ts'
import { DEFAULT_LIMITS, type SessionLimits } from './limits.ts'
import { MessageParser } from './message-parser.ts'
import {
  NamespacePublication,
  type NamespacePublicationHandler,
  NamespaceSubscription,
  type NamespaceSubscriptionHandler,
} from './namespaces.ts'
import { type OpenRequest, RequestStream } from './request-stream.ts'
import { Subscription, type SubscriptionHost } from './subscription.ts'
import { type TrackStatusHandler, TrackStatusRequest } from './track-status.ts'

export interface SessionOptions {
  /** Who opened the transport session; it decides the parity of request ids. */
  readonly role: 'client' | 'server'
  readonly handler: SessionHandler
  /** MOQT_IMPLEMENTATION (section 10.3.1.5); a short name and major version. */
  readonly implementation?: string
  /** Further SETUP options, ascending by type. */
  readonly setup?: readonly Property[]
  readonly limits?: Partial<SessionLimits>
  readonly clock?: Clock
}

const IMPLEMENTATION_OPTION = 0x07
const CONTROL_ORDER = 0
const REQUEST_ORDER = 1

export class Session implements SubscriptionHost, DataStreamHost {
  readonly transport: TransportSession
  readonly role: 'client' | 'server'
  readonly limits: SessionLimits
  private readonly handler: SessionHandler
  private readonly codec: Codec
  private readonly clock: Clock
  private readonly aliases: Aliases
  private readonly incoming: IncomingRequests
  private readonly outgoing = new Set<OpenRequest>()
  /** Requests that wait for stream credit, oldest first. */
  private waiting: ((stream: RequestStream) => void)[] = []
  private control: SendStream | null = null
  /** Kept for the case that there is no stream credit yet. */
  private readonly setupMessage: Setup
  private peerControl: 'none' | 'open' | 'ready' = 'none'
  private requestId: number
  private goawaySeen = false
  private over = false
  private readonly cancelSetupTimer: () => void

  constructor(transport: TransportSession, options: SessionOptions) {
    this.transport = transport
    this.role = options.role
    this.handler = options.handler
    this.clock = options.clock ?? systemClock
    this.limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.codec = codecFor(transport.protocol)
    this.requestId = options.role === 'client' ? 0 : 1
    this.aliases = new Aliases(this.clock, this.limits)
    this.incoming = new IncomingRequests(this, this.handler, options.role)
    transport.handler = {
      onUni: (stream) => this.onUni(stream),
      onBidi: (stream) => this.onBidi(stream),
      onDatagram: (bytes) => this.onDatagram(bytes),
      onStreamCredit: () => this.onStreamCredit(),
      onRoom: (bytes) => this.handler.onRoom?.(bytes),
      onClosed: (info) => this.onClosed(info),
    }
    this.cancelSetupTimer = this.clock.after(this.limits.setupMs, () => {
      if (!this.ready) this.close(SessionCode.CONTROL_MESSAGE_TIMEOUT, 'no SETUP came in time')
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

  get maxObjectBytes(): number {
    return this.limits.maxObjectBytes
  }

  // ---- what the owner asks for

  /** Sends SUBSCRIBE, at once or as soon as there is stream credit. */
  subscribe(
    track: FullTrackName,
    parameters: Parameters,
    handler: SubscriptionHandler,
  ): Subscription {
    const subscription = new Subscription(this, this.nextRequestId(), track, handler)
    this.aliases.asked()
    this.request(subscription, (stream) => subscription.start(stream, parameters))
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

  publishNamespace(
    namespace: Namespace,
    handler: NamespacePublicationHandler,
    parameters: Parameters = {},
  ): NamespacePublication {
    const publication = new NamespacePublication(namespace, handler, this.requestOver)
    const id = this.nextRequestId()
    this.request(publication, (stream) => publication.start(stream, id, parameters))
    return publication
  }

  subscribeNamespace(
    prefix: Namespace,
    handler: NamespaceSubscriptionHandler,
    parameters: Parameters = {},
  ): NamespaceSubscription {
    const subscription = new NamespaceSubscription(prefix, handler, this.requestOver)
    const id = this.nextRequestId()
    this.request(subscription, (stream) => subscription.start(stream, id, parameters))
    return subscription
  }

  /** GOAWAY on the control stream (section 10.4). @param uri empty: the current one */
  goaway(uri: string, timeoutMs: number): void {
    this.sendControl({
      type: 'GOAWAY',
      newSessionUri: uri,
      timeout: timeoutMs,
      requestId: this.incoming.nextId,
    })
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

  subscriptionAnswered(): void {
    this.aliases.answered()
  }

  registerAlias(alias: number, subscription: Subscription): void {
    this.aliases.register(alias, subscription)
  }

  subscriptionOver(subscription: Subscription, alias: number | null, late: boolean): void {
    this.outgoing.delete(subscription)
    if (alias !== null) this.aliases.release(alias, subscription, late)
  }

  subscriptionFor(alias: number): Subscription | 'unknown' | 'retired' {
    return this.aliases.find(alias)
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
    if (this.role === 'server' && message.newSessionUri !== '') {
      throw new ProtocolError('GOAWAY of a client with a URI')
    }
    if (this.goawaySeen) throw new ProtocolError('second GOAWAY')
    this.goawaySeen = true
    this.handler.onGoaway?.(message)
  }

  private onSetup(setup: Setup): void {
    this.peerControl = 'ready'
    this.cancelSetupTimer()
    this.handler.onReady?.(setup)
    this.incoming.ready()
    this.aliases.ready()
  }

  // ---- transport

  private onUni(stream: ReceiveStream): void {
    new DataStream(stream, this)
  }

  private onBidi(stream: BidiStream): void {
    this.incoming.accept(new RequestStream(stream, this.codec, this.guard))
  }

  private onDatagram(bytes: Uint8Array): void {
    if (this.over) return
    try {
      const received = decodeDatagram(bytes)
      if (!received) return
      const subscription = this.aliases.find(received.trackAlias)
      if (subscription === 'unknown') this.aliases.keep(received)
      else if (subscription !== 'retired') subscription.deliver(received.object, null)
    } catch (error) {
      this.fault(error)
    }
  }

  private request(request: OpenRequest, start: (stream: RequestStream) => void): void {
    if (this.over) throw new Error('the session is closed')
    this.outgoing.add(request)
    const stream = this.waiting.length === 0 ? this.openRequest() : null
    if (stream) start(stream)
    else this.waiting.push(start)
  }

  private readonly requestOver = (request: OpenRequest): void => {
    this.outgoing.delete(request)
  }

  private openRequest(): RequestStream | null {
    const stream = this.transport.openBidi(REQUEST_ORDER)
    return stream && new RequestStream(stream, this.codec, this.guard)
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
    this.aliases.clear()
  }
}

function setupOptions(options: SessionOptions): Property[] {
  const setup: Property[] = [...(options.setup ?? [])]
  if (options.implementation) {
    const value = new TextEncoder().encode(options.implementation)
    setup.push({ type: IMPLEMENTATION_OPTION, value })
    setup.sort((a, b) => Number(a.type) - Number(b.type))
  }
  return setup
}
