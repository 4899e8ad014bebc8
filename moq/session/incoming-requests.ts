import type { TransportSession } from '../transport/transport.ts'
import { RequestCode, ResetCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { ControlMessage, MessageType, RequestMessage } from '../wire/messages.ts'
import type { SessionHandler } from './handler.ts'
import type { SessionLimits } from './limits.ts'
import { IncomingNamespacePublication, IncomingNamespaceSubscription } from './namespaces.ts'
import { IncomingSubscribe, type PublicationHost } from './publication.ts'
import { RequestIds } from './request-ids.ts'
import type { OpenRequest, RequestStream } from './request-stream.ts'
import { IncomingTrackStatus } from './track-status.ts'

interface Host {
  readonly transport: TransportSession
  readonly limits: SessionLimits
  readonly ready: boolean
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
export class IncomingRequests implements PublicationHost {
  readonly transport: TransportSession
  private readonly host: Host
  private readonly handler: SessionHandler
  private readonly ids: RequestIds
  private readonly open = new Set<OpenRequest>()
  /** First messages that came before the peer's SETUP (section 3.3). */
  private early: (() => void)[] = []

  constructor(host: Host, handler: SessionHandler, role: 'client' | 'server') {
    this.host = host
    this.transport = host.transport
    this.handler = handler
    this.ids = new RequestIds(role === 'client' ? 1 : 0)
  }

  /** The smallest request id of the peer's that was not processed, for GOAWAY. */
  get nextId(): number {
    return this.ids.nextId
  }

  accept(stream: RequestStream): void {
    stream.handler = {
      onMessage: (message) => {
        if (!isRequest(message)) {
          throw new ProtocolError(`a request stream begins with ${message.type}`)
        }
        if (this.host.ready) this.begin(message, stream)
        else this.keepEarly(message, stream)
      },
      onEnd: () => {
        throw new ProtocolError('a request stream ends without a request')
      },
      // Cancelled before it said anything.
      onCancelled: () => {},
    }
  }

  ready(): void {
    const early = this.early
    this.early = []
    for (const begin of early) this.host.guard(begin)
  }

  requestOpened(request: OpenRequest): void {
    this.open.add(request)
  }

  readonly requestOver = (request: OpenRequest): void => {
    this.open.delete(request)
  }

  sessionEnded(reason: string): void {
    this.early = []
    for (const request of [...this.open]) request.sessionEnded(reason)
    this.open.clear()
  }

  private keepEarly(message: RequestMessage, stream: RequestStream): void {
    // Until SETUP no second message may come on the stream but an update, which nobody may send yet.
    stream.handler = null
    if (this.early.length >= this.host.limits.earlyStreams) stream.cancel(ResetCode.EXCESSIVE_LOAD)
    else this.early.push(() => this.begin(message, stream))
  }

  private begin(message: RequestMessage, stream: RequestStream): void {
    this.ids.take(message.requestId)
    if (stream.cancelled) return
    if (this.open.size >= this.host.limits.maxRequests) {
      this.refuse(stream, RequestCode.EXCESSIVE_LOAD, 'too many requests in this session', 1000)
      return
    }
    switch (message.type) {
      case 'SUBSCRIBE':
        if (!this.handler.onSubscribe) break
        this.handler.onSubscribe(this.track(new IncomingSubscribe(message, stream, this)))
        return
      case 'TRACK_STATUS':
        if (!this.handler.onTrackStatus) break
        this.handler.onTrackStatus(
          this.track(new IncomingTrackStatus(message, stream, this.requestOver)),
        )
        return
      case 'PUBLISH_NAMESPACE':
        if (!this.handler.onPublishNamespace) break
        this.handler.onPublishNamespace(
          this.track(new IncomingNamespacePublication(message, stream, this.requestOver)),
        )
        return
      case 'SUBSCRIBE_NAMESPACE':
        if (!this.handler.onSubscribeNamespace) break
        this.handler.onSubscribeNamespace(
          this.track(
            new IncomingNamespaceSubscription(
              message,
              stream,
              this.requestOver,
              this.host.limits.maxUnreadRequestBytes,
            ),
          ),
        )
        return
    }
    this.refuse(stream, RequestCode.NOT_SUPPORTED, `${message.type} is not supported here`, null)
  }

  private track<T extends OpenRequest>(request: T): T {
    this.open.add(request)
    return request
  }

  private refuse(
    stream: RequestStream,
    code: number,
    reason: string,
    retryAfterMs: number | null,
  ): void {
    stream.handler = null
    stream.send({ type: 'REQUEST_ERROR', code, retryAfterMs, reason })
    stream.finish()
  }
}

function isRequest(message: ControlMessage): message is RequestMessage {
  return FIRST.has(message.type)
}
