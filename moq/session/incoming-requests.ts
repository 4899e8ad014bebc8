import type { TransportSession } from '../transport/transport.ts'
import { RequestCode, ResetCode } from '../wire/codes.ts'
import type { RequestMessage, RequestUpdate } from '../wire/messages.ts'
import type { Clock } from './clock.ts'
import type { SessionHandler } from './handler.ts'
import { IncomingFetch } from './incoming-fetch.ts'
import { IncomingSubscribe } from './incoming-subscribe.ts'
import type { SessionLimitName, SessionLimits } from './limits.ts'
import { IncomingNamespacePublication, IncomingNamespaceSubscription } from './namespaces.ts'
import { Publication } from './publication.ts'
import { rangeFilterRefusal } from './range-filter-rules.ts'
import { ALREADY_SUBSCRIBED, type RequestRefusal, requestError } from './refusal.ts'
import { type BeginningHost, RequestBeginnings } from './request-beginnings.ts'
import type { RequestHost } from './request-host.ts'
import { RequestIds } from './request-ids.ts'
import { brokenLimit } from './request-limits.ts'
import { checkUpdate, type UpdatedRequest } from './request-rules.ts'
import type { OpenRequest, RequestStream } from './request-stream.ts'
import { namespaceIn, reservedRefusal } from './reserved.ts'
import { type Served, ServedTracks } from './served-tracks.ts'
import type { Subscriptions } from './subscriptions.ts'
import { TokenQuestions } from './token-questions.ts'
import { IncomingTrackStatus } from './track-status.ts'
import { IncomingTracksSubscription } from './tracks-subscription.ts'

interface Host extends BeginningHost {
  readonly transport: TransportSession
  readonly clock: Clock
  readonly subscriptions: Subscriptions
  readonly hasSpare: boolean
  nextRequestId(): number
  spend(bytes: number): void
  /** A request of either side's is over; `forget` is called for it. */
  requestOver(request: OpenRequest): void
}

/**
 * The peer's requests: each begins a stream, is checked, and goes to the handler's method for it, or
 * is refused by itself.
 */
export class IncomingRequests implements RequestHost {
  readonly transport: TransportSession
  readonly clock: Clock
  readonly limits: SessionLimits
  private readonly host: Host
  private readonly handler: SessionHandler
  private readonly ids: RequestIds
  private readonly open = new Set<OpenRequest>()
  private readonly served = new ServedTracks()
  private readonly beginnings: RequestBeginnings
  private readonly tokens: TokenQuestions
  /** We sent GOAWAY: what comes now is refused (section 10.4). */
  goingAway = false

  constructor(host: Host, handler: SessionHandler, role: 'client' | 'server') {
    this.host = host
    this.transport = host.transport
    this.clock = host.clock
    this.limits = host.limits
    this.handler = handler
    this.ids = new RequestIds(role === 'client' ? 1 : 0)
    this.tokens = new TokenQuestions(handler, (task) => host.guard(task))
    this.beginnings = new RequestBeginnings(host, (message, stream) => this.begin(message, stream))
  }

  /** The smallest request id of the peer's that was not processed, for GOAWAY. */
  get nextId(): number {
    return this.ids.nextId
  }

  /** Requests that are open or have begun. */
  get size(): number {
    return this.open.size + this.beginnings.size
  }

  /**
   * The subscription that a joining fetch may name by this request id: the peer's SUBSCRIBE, answered
   * or not, or our PUBLISH once it is accepted (section 10.12.2).
   */
  subscription(requestId: number): Served | null {
    const served = this.served.find(requestId)
    return served instanceof Publication && !served.established ? null : served
  }

  /** Our PUBLISH was sent: the track is served. */
  offered(publication: Publication): void {
    this.served.add(publication)
  }

  nextRequestId(): number {
    return this.host.nextRequestId()
  }

  limitHit(limit: SessionLimitName): void {
    this.host.limitHit(limit)
  }

  get hasSpare(): boolean {
    return this.host.hasSpare
  }

  spend(bytes: number): void {
    this.host.spend(bytes)
  }

  accept(stream: RequestStream): void {
    this.beginnings.accept(stream)
  }

  ready(): void {
    this.beginnings.ready()
  }

  requestOpened(request: OpenRequest): void {
    this.open.add(request)
    if (isServed(request)) this.served.add(request)
  }

  readonly requestOver = (request: OpenRequest): void => {
    this.host.requestOver(request)
  }

  forget(request: OpenRequest): void {
    this.open.delete(request)
    if (isServed(request)) this.served.delete(request)
  }

  admitUpdate(
    update: RequestUpdate,
    request: UpdatedRequest,
    stream: RequestStream,
    decided: (refusal: RequestRefusal | null) => void,
  ): void {
    this.ids.take(update.requestId)
    checkUpdate(update, request)
    if (stream.buffered > this.limits.maxUnreadRequestBytes) {
      // A peer that does not read the answers gets no more of them.
      this.limitHit('maxUnreadRequestBytes')
      stream.abandon(ResetCode.EXCESSIVE_LOAD)
      return
    }
    const filters = rangeFilterRefusal(update.parameters)
    const tokens = update.parameters.authorizationTokens
    if (tokens) this.tokens.ask(tokens, stream, (denial) => decided(denial ?? filters))
    else decided(filters)
  }

  sessionEnded(reason: string): void {
    this.beginnings.clear()
    for (const request of [...this.open]) request.sessionEnded(reason)
    this.open.clear()
    this.served.clear()
  }

  private begin(message: RequestMessage, stream: RequestStream): void {
    this.ids.take(message.requestId)
    if (message.type === 'PUBLISH') this.host.subscriptions.publishBegun()
    this.tokens.ask(message.parameters.authorizationTokens ?? [], stream, (denial) => {
      this.beginnings.delete(stream)
      const refusal = denial ?? this.refusalOf(message)
      if (refusal || stream.cancelled) this.refuse(message, stream, refusal)
      else this.dispatch(message, stream)
    })
  }

  /** Why a request is refused whatever it asks; null: it is not. */
  private refusalOf(message: RequestMessage): RequestRefusal | null {
    if (this.goingAway) {
      const reason = 'this session is about to end'
      return { code: RequestCode.GOING_AWAY, reason, retryAfterMs: null }
    }
    if (this.size >= this.limits.maxRequests) {
      this.host.limitHit('maxRequests')
      const reason = 'too many requests in this session'
      return { code: RequestCode.EXCESSIVE_LOAD, reason, retryAfterMs: 1000 }
    }
    const broken = brokenLimit(message, this.limits)
    if (!broken) {
      return reservedRefusal(namespaceIn(message)) ?? rangeFilterRefusal(message.parameters)
    }
    this.host.limitHit(broken.limit)
    return { code: RequestCode.EXCESSIVE_LOAD, reason: broken.reason, retryAfterMs: null }
  }

  private dispatch(message: RequestMessage, stream: RequestStream): void {
    switch (message.type) {
      case 'SUBSCRIBE':
        if (!this.handler.onSubscribe) break
        if (stream.rules.oneSubscriptionPerTrack && this.served.has(message.track)) {
          this.refuse(message, stream, ALREADY_SUBSCRIBED)
          return
        }
        this.handler.onSubscribe(this.opened(new IncomingSubscribe(message, stream, this)))
        return
      case 'PUBLISH': {
        if (!this.handler.onPublish) break
        const { subscriptions } = this.host
        const refusal = subscriptions.refusalOf(message, stream.rules)
        if (refusal) this.refuse(message, stream, refusal)
        else this.handler.onPublish(this.opened(subscriptions.published(message, stream)))
        return
      }
      case 'TRACK_STATUS':
        if (!this.handler.onTrackStatus) break
        this.handler.onTrackStatus(
          this.opened(new IncomingTrackStatus(message, stream, this.requestOver)),
        )
        return
      case 'FETCH':
        if (!this.handler.onFetch) break
        this.handler.onFetch(this.opened(new IncomingFetch(message, stream, this)))
        return
      case 'PUBLISH_NAMESPACE':
        if (!this.handler.onPublishNamespace) break
        this.handler.onPublishNamespace(
          this.opened(new IncomingNamespacePublication(message, stream, this)),
        )
        return
      case 'SUBSCRIBE_NAMESPACE':
        if (!this.handler.onSubscribeNamespace) break
        this.handler.onSubscribeNamespace(
          this.opened(new IncomingNamespaceSubscription(message, stream, this)),
        )
        return
      case 'SUBSCRIBE_TRACKS':
        if (!this.handler.onSubscribeTracks) break
        this.handler.onSubscribeTracks(
          this.opened(new IncomingTracksSubscription(message, stream, this)),
        )
        return
    }
    const reason = `${message.type} is not supported here`
    this.refuse(message, stream, { code: RequestCode.NOT_SUPPORTED, reason, retryAfterMs: null })
  }

  private opened<T extends OpenRequest>(request: T): T {
    this.requestOpened(request)
    return request
  }

  /** @param refusal null when the peer cancelled the request, which needs no answer */
  private refuse(
    message: RequestMessage,
    stream: RequestStream,
    refusal: RequestRefusal | null,
  ): void {
    if (message.type === 'PUBLISH') this.host.subscriptions.publishRefused(message.trackAlias)
    if (!refusal) return
    stream.handler = null
    stream.send(requestError(refusal))
    stream.finish()
  }
}

function isServed(request: OpenRequest): request is Served {
  return request instanceof IncomingSubscribe || request instanceof Publication
}
