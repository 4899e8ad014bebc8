import type { TransportSession } from '../transport/transport.ts'
import { RequestCode, ResetCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type {
  ControlMessage,
  MessageType,
  RequestMessage,
  RequestUpdate,
} from '../wire/messages.ts'
import type { AuthorizationToken } from '../wire/parameters.ts'
import type { Clock } from './clock.ts'
import type { SessionHandler } from './handler.ts'
import { IncomingFetch } from './incoming-fetch.ts'
import { IncomingSubscribe } from './incoming-subscribe.ts'
import type { SessionLimitName, SessionLimits } from './limits.ts'
import { IncomingNamespacePublication, IncomingNamespaceSubscription } from './namespaces.ts'
import { Publication } from './publication.ts'
import { type RequestRefusal, requestError } from './refusal.ts'
import type { RequestHost } from './request-host.ts'
import { RequestIds } from './request-ids.ts'
import { brokenLimit } from './request-limits.ts'
import { checkUpdate, type UpdatedRequest } from './request-rules.ts'
import type { OpenRequest, RequestStream } from './request-stream.ts'
import { type Served, ServedTracks } from './served-tracks.ts'
import type { StreamWatch, Watched } from './stream-watch.ts'
import type { Subscriptions } from './subscriptions.ts'
import { IncomingTrackStatus } from './track-status.ts'
import { IncomingTracksSubscription } from './tracks-subscription.ts'

interface Host {
  readonly transport: TransportSession
  readonly limits: SessionLimits
  readonly ready: boolean
  readonly watch: StreamWatch
  limitHit(limit: SessionLimitName): void
  readonly clock: Clock
  readonly subscriptions: Subscriptions
  nextRequestId(): number
  /** A request of ours, or that ours became, is over. */
  requestOver(request: OpenRequest): void
  guard(task: () => void): void
}

/** Section 3.3: a bidirectional stream begins with one of these and nothing else. */
const FIRST: ReadonlySet<MessageType> = new Set<MessageType>([
  'TRACK_STATUS',
  'SUBSCRIBE',
  'PUBLISH',
  'FETCH',
  'PUBLISH_NAMESPACE',
  'SUBSCRIBE_NAMESPACE',
  'SUBSCRIBE_TRACKS',
])

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
  /** Streams that have not said yet what they ask, or whose request waits to be looked at. */
  private readonly beginning = new Set<RequestStream>()
  /** We sent GOAWAY: what comes now is refused (section 10.4). */
  goingAway = false
  /** Held with a first message that came before the peer's SETUP (section 3.3). */
  private early: RequestStream[] = []

  constructor(host: Host, handler: SessionHandler, role: 'client' | 'server') {
    this.host = host
    this.transport = host.transport
    this.clock = host.clock
    this.limits = host.limits
    this.handler = handler
    this.ids = new RequestIds(role === 'client' ? 1 : 0)
  }

  /** The smallest request id of the peer's that was not processed, for GOAWAY. */
  get nextId(): number {
    return this.ids.nextId
  }

  /** Requests that are open or have begun. */
  get size(): number {
    return this.open.size + this.beginning.size
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

  accept(stream: RequestStream): void {
    if (this.beginning.size >= this.host.limits.maxRequests) {
      this.host.limitHit('maxRequests')
      stream.cancel(ResetCode.EXCESSIVE_LOAD)
      return
    }
    this.beginning.add(stream)
    const watched = new Unbegun(stream, this.host)
    stream.handler = {
      onMessage: (message) => {
        if (!isRequest(message)) {
          throw new ProtocolError(`a request stream begins with ${message.type}`)
        }
        this.host.watch.remove(watched)
        if (this.host.ready) this.begin(message, stream)
        else this.keepEarly(message, stream)
      },
      onEnd: () => {
        throw new ProtocolError('a request stream ends without a request')
      },
      onGoaway: () => {
        throw new ProtocolError('a request stream begins with GOAWAY')
      },
      // Cancelled before it said anything.
      onCancelled: () => {
        this.beginning.delete(stream)
        this.host.watch.remove(watched)
      },
    }
  }

  ready(): void {
    const early = this.early
    this.early = []
    for (const stream of early) stream.release()
  }

  requestOpened(request: OpenRequest): void {
    this.open.add(request)
    if (isServed(request)) this.served.add(request)
  }

  readonly requestOver = (request: OpenRequest): void => {
    this.open.delete(request)
    if (isServed(request)) this.served.delete(request)
    this.host.requestOver(request)
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
    const tokens = update.parameters.authorizationTokens
    if (tokens) this.ask(tokens, stream, decided)
    else decided(null)
  }

  sessionEnded(reason: string): void {
    this.early = []
    this.beginning.clear()
    for (const request of [...this.open]) request.sessionEnded(reason)
    this.open.clear()
    this.served.clear()
  }

  private keepEarly(message: RequestMessage, stream: RequestStream): void {
    if (this.early.length < this.host.limits.earlyStreams) {
      stream.hold(message)
      this.early.push(stream)
      return
    }
    this.beginning.delete(stream)
    this.host.limitHit('earlyStreams')
    stream.cancel(ResetCode.EXCESSIVE_LOAD)
  }

  private begin(message: RequestMessage, stream: RequestStream): void {
    this.ids.take(message.requestId)
    if (message.type === 'PUBLISH') this.host.subscriptions.publishBegun()
    this.ask(message.parameters.authorizationTokens ?? [], stream, (denial) => {
      this.beginning.delete(stream)
      const refusal = denial ?? this.refusalOf(message)
      if (refusal || stream.cancelled) this.refuse(message, stream, refusal)
      else this.dispatch(message, stream)
    })
  }

  /**
   * Asks the owner about tokens. Until it has decided, what follows on the stream is held.
   * @param decided called once, unless the session ends first
   */
  private ask(
    tokens: readonly AuthorizationToken[],
    stream: RequestStream,
    decided: (refusal: RequestRefusal | null) => void,
  ): void {
    if (!this.handler.onTokens) {
      decided(null)
      return
    }
    let state: 'asking' | 'waiting' | 'decided' = 'asking'
    this.handler.onTokens(tokens, (refusal) => {
      const late = state === 'waiting'
      if (state === 'decided') return
      state = 'decided'
      if (!late) {
        decided(refusal)
        return
      }
      this.host.guard(() => {
        decided(refusal)
        stream.release()
      })
    })
    if (isUndecided(state)) {
      state = 'waiting'
      stream.hold()
    }
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
    if (!broken) return null
    this.host.limitHit(broken.limit)
    return { code: RequestCode.EXCESSIVE_LOAD, reason: broken.reason, retryAfterMs: null }
  }

  private dispatch(message: RequestMessage, stream: RequestStream): void {
    switch (message.type) {
      case 'SUBSCRIBE':
        if (!this.handler.onSubscribe) break
        if (this.served.has(message.track)) {
          this.refuse(message, stream, ALREADY_SERVED)
          return
        }
        this.handler.onSubscribe(this.opened(new IncomingSubscribe(message, stream, this)))
        return
      case 'PUBLISH': {
        if (!this.handler.onPublish) break
        const { subscriptions } = this.host
        const refusal = subscriptions.refusalOf(message)
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

/** A stream that has not said what it asks: it cannot keep what it has said of it for ever. */
class Unbegun implements Watched {
  idleTicks = 0
  private readonly stream: RequestStream
  private readonly host: Pick<Host, 'guard' | 'limitHit' | 'watch'>

  constructor(stream: RequestStream, host: Pick<Host, 'guard' | 'limitHit' | 'watch'>) {
    this.stream = stream
    this.host = host
    host.watch.add(this)
  }

  stalled(): void {
    this.host.limitHit('dataStreamMs')
    this.host.guard(() => this.stream.abandon(ResetCode.EXCESSIVE_LOAD))
  }
}

const ALREADY_SERVED: RequestRefusal = {
  code: RequestCode.DUPLICATE_SUBSCRIPTION,
  reason: 'this session has a subscription to the track',
  retryAfterMs: null,
}

/** The callback that is told of a decision may have run already. */
function isUndecided(state: 'asking' | 'waiting' | 'decided'): boolean {
  return state === 'asking'
}

function isServed(request: OpenRequest): request is Served {
  return request instanceof IncomingSubscribe || request instanceof Publication
}

function isRequest(message: ControlMessage): message is RequestMessage {
  return FIRST.has(message.type)
}
