import { ResetCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type {
  ControlMessage,
  PublishNamespace,
  RequestError,
  SubscribeNamespace,
} from '../wire/messages.ts'
import { formatNamespace, type Namespace } from '../wire/names.ts'
import type { Parameters } from '../wire/parameters.ts'
import type { OnOver, RequestStream } from './request-stream.ts'

export interface NamespacePublicationHandler {
  onAccepted?(): void
  onRejected?(error: RequestError): void
  /** The peer revoked its acceptance, or the session ended. */
  onDone?(): void
}

export interface NamespaceSubscriptionHandler {
  onAccepted?(): void
  onRejected?(error: RequestError): void
  /** `namespace` is whole: prefix and suffix. */
  onNamespace(namespace: Namespace): void
  onNamespaceDone(namespace: Namespace): void
  onDone?(): void
}

/** A PUBLISH_NAMESPACE of ours (draft-18 section 6.2). */
export class NamespacePublication {
  readonly namespace: Namespace
  private readonly handler: NamespacePublicationHandler
  private readonly onOver: OnOver
  private stream: RequestStream | null = null
  private answered = false
  private over = false

  constructor(namespace: Namespace, handler: NamespacePublicationHandler, onOver: OnOver) {
    this.namespace = namespace
    this.handler = handler
    this.onOver = onOver
  }

  start(stream: RequestStream, requestId: number, parameters: Parameters): void {
    if (this.over) {
      stream.cancel(ResetCode.CANCELLED)
      return
    }
    this.stream = stream
    stream.handler = {
      onMessage: (message) => this.onMessage(message),
      onEnd: () => this.end(),
      onCancelled: () => this.end(),
    }
    stream.send({ type: 'PUBLISH_NAMESPACE', requestId, namespace: this.namespace, parameters })
  }

  /** Cancels the request, which withdraws the namespace. */
  withdraw(): void {
    if (this.over) return
    this.close()
    this.stream?.cancel(ResetCode.CANCELLED)
  }

  sessionEnded(): void {
    this.end()
  }

  private onMessage(message: ControlMessage): void {
    if (message.type === 'REQUEST_OK' && !this.answered) {
      this.answered = true
      this.handler.onAccepted?.()
    } else if (message.type === 'REQUEST_ERROR' && !this.answered) {
      this.close()
      this.stream?.finish()
      this.handler.onRejected?.(message)
    } else if (message.type !== 'GOAWAY') {
      throw new ProtocolError(`${message.type} on the stream of a PUBLISH_NAMESPACE`)
    }
  }

  private end(): void {
    if (this.over) return
    this.close()
    this.stream?.finish()
    this.handler.onDone?.()
  }

  private close(): void {
    this.over = true
    this.onOver(this)
  }
}

/** A SUBSCRIBE_NAMESPACE of ours (draft-18 section 6.1). */
export class NamespaceSubscription {
  readonly prefix: Namespace
  private readonly handler: NamespaceSubscriptionHandler
  private readonly onOver: OnOver
  private readonly known = new Map<string, Namespace>()
  private stream: RequestStream | null = null
  private answered = false
  private over = false

  constructor(prefix: Namespace, handler: NamespaceSubscriptionHandler, onOver: OnOver) {
    this.prefix = prefix
    this.handler = handler
    this.onOver = onOver
  }

  start(stream: RequestStream, requestId: number, parameters: Parameters): void {
    if (this.over) {
      stream.cancel(ResetCode.CANCELLED)
      return
    }
    this.stream = stream
    stream.handler = {
      onMessage: (message) => this.onMessage(message),
      onEnd: () => this.end(),
      onCancelled: () => this.end(),
    }
    stream.send({ type: 'SUBSCRIBE_NAMESPACE', requestId, prefix: this.prefix, parameters })
  }

  cancel(): void {
    if (this.over) return
    this.close()
    this.stream?.cancel(ResetCode.CANCELLED)
  }

  sessionEnded(): void {
    this.end()
  }

  private onMessage(message: ControlMessage): void {
    if (!this.answered) {
      this.answered = true
      if (message.type === 'REQUEST_OK') this.handler.onAccepted?.()
      else if (message.type === 'REQUEST_ERROR') this.reject(message)
      else throw new ProtocolError(`${message.type} before the answer to a SUBSCRIBE_NAMESPACE`)
      return
    }
    if (message.type === 'NAMESPACE') this.add([...this.prefix, ...message.suffix])
    else if (message.type === 'NAMESPACE_DONE') this.remove([...this.prefix, ...message.suffix])
    else if (message.type !== 'GOAWAY') {
      throw new ProtocolError(`${message.type} on the stream of a SUBSCRIBE_NAMESPACE`)
    }
  }

  private add(namespace: Namespace): void {
    this.known.set(formatNamespace(namespace), namespace)
    this.handler.onNamespace(namespace)
  }

  private remove(namespace: Namespace): void {
    if (!this.known.delete(formatNamespace(namespace))) {
      throw new ProtocolError('NAMESPACE_DONE before its NAMESPACE')
    }
    this.handler.onNamespaceDone(namespace)
  }

  private reject(error: RequestError): void {
    this.close()
    this.stream?.finish()
    this.handler.onRejected?.(error)
  }

  /** The stream's end counts as a NAMESPACE_DONE for each active namespace (section 10.18). */
  private end(): void {
    if (this.over) return
    this.close()
    this.stream?.finish()
    for (const namespace of this.known.values()) this.handler.onNamespaceDone(namespace)
    this.known.clear()
    this.handler.onDone?.()
  }

  private close(): void {
    this.over = true
    this.onOver(this)
  }
}

/** The peer's PUBLISH_NAMESPACE, to be answered once. */
export class IncomingNamespacePublication {
  readonly namespace: Namespace
  readonly parameters: Parameters
  /** The peer withdrew the namespace, or the session ended; set by the owner. */
  onWithdrawn: (() => void) | null = null
  private readonly stream: RequestStream
  private readonly onOver: OnOver
  private over = false

  constructor(message: PublishNamespace, stream: RequestStream, onOver: OnOver) {
    this.onOver = onOver
    this.namespace = message.namespace
    this.parameters = message.parameters
    this.stream = stream
    stream.handler = {
      onMessage: (update) => answerUpdate(update, stream, 'PUBLISH_NAMESPACE'),
      // Withdrawing is cancelling (section 6.2); a FIN only says that no update follows.
      onEnd: () => {},
      onCancelled: () => this.end(),
    }
  }

  accept(): void {
    this.stream.send({ type: 'REQUEST_OK', parameters: {}, properties: [] })
  }

  reject(code: number, reason: string, retryAfterMs: number | null = null): void {
    this.close()
    this.stream.send({ type: 'REQUEST_ERROR', code, retryAfterMs, reason })
    this.stream.finish()
  }

  sessionEnded(): void {
    this.end()
  }

  private end(): void {
    if (this.over) return
    this.close()
    this.stream.finish()
    this.onWithdrawn?.()
  }

  private close(): void {
    this.over = true
    this.onOver(this)
  }
}

/** The peer's SUBSCRIBE_NAMESPACE: accept it, then tell it of namespaces as they come and go. */
export class IncomingNamespaceSubscription {
  readonly prefix: Namespace
  readonly parameters: Parameters
  /** The peer cancelled, or the session ended; set by the owner. */
  onCancelled: (() => void) | null = null
  private readonly stream: RequestStream
  private readonly told = new Set<string>()
  private readonly onOver: OnOver
  private readonly maxUnreadBytes: number
  private over = false

  /** @param maxUnreadBytes of news that the peer may leave unread; beyond it the request is reset */
  constructor(
    message: SubscribeNamespace,
    stream: RequestStream,
    onOver: OnOver,
    maxUnreadBytes: number,
  ) {
    this.onOver = onOver
    this.maxUnreadBytes = maxUnreadBytes
    this.prefix = message.prefix
    this.parameters = message.parameters
    this.stream = stream
    stream.handler = {
      onMessage: (update) => answerUpdate(update, stream, 'SUBSCRIBE_NAMESPACE'),
      onEnd: () => this.end(),
      onCancelled: () => this.end(),
    }
  }

  accept(): void {
    this.stream.send({ type: 'REQUEST_OK', parameters: {}, properties: [] })
  }

  reject(code: number, reason: string, retryAfterMs: number | null = null): void {
    this.close()
    this.stream.send({ type: 'REQUEST_ERROR', code, retryAfterMs, reason })
    this.stream.finish()
  }

  /** @param namespace whole; it starts with `prefix` */
  namespace(namespace: Namespace): void {
    const key = formatNamespace(namespace)
    if (this.over || this.told.has(key)) return
    this.told.add(key)
    this.tell({ type: 'NAMESPACE', suffix: namespace.slice(this.prefix.length) })
  }

  namespaceDone(namespace: Namespace): void {
    if (this.over || !this.told.delete(formatNamespace(namespace))) return
    this.tell({ type: 'NAMESPACE_DONE', suffix: namespace.slice(this.prefix.length) })
  }

  /** A peer that does not read what it asked for is not waited for (section 10.18). */
  private tell(news: ControlMessage): void {
    this.stream.send(news)
    if (this.stream.buffered <= this.maxUnreadBytes) return
    this.cancel(ResetCode.EXCESSIVE_LOAD)
    this.onCancelled?.()
  }

  /** Ends it from our side; the peer takes every namespace as done. */
  cancel(code: number): void {
    if (this.over) return
    this.close()
    this.stream.cancel(code)
  }

  sessionEnded(): void {
    this.end()
  }

  private end(): void {
    if (this.over) return
    this.close()
    this.stream.finish()
    this.onCancelled?.()
  }

  private close(): void {
    this.over = true
    this.onOver(this)
  }
}

/** An update that changes nothing that we act on is granted (section 10.9). */
function answerUpdate(message: ControlMessage, stream: RequestStream, request: string): void {
  if (message.type !== 'REQUEST_UPDATE') {
    throw new ProtocolError(`${message.type} on the stream of a ${request}`)
  }
  stream.send({ type: 'REQUEST_OK', parameters: {}, properties: [] })
}
