import { RequestCode, ResetCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type {
  ControlMessage,
  PublishNamespace,
  RequestMessage,
  SubscribeNamespace,
} from '../wire/messages.ts'
import { formatNamespace, hasPrefix, type Namespace } from '../wire/names.ts'
import type { Parameters } from '../wire/parameters.ts'
import { IncomingRequest } from './incoming-request.ts'
import {
  OutgoingRequest,
  type OutgoingRequestHandler,
  type OutgoingRequestHost,
} from './outgoing-request.ts'
import type { RequestRefusal } from './refusal.ts'
import type { RequestHost } from './request-host.ts'
import type { RequestStream } from './request-stream.ts'
import { reservedRefusal } from './reserved.ts'

/** `onDone`: the peer revoked its acceptance, or the session ended. */
export interface NamespacePublicationHandler extends OutgoingRequestHandler {}

/** What becomes of a SUBSCRIBE_NAMESPACE of ours. */
export interface NamespaceSubscriptionHandler extends OutgoingRequestHandler {
  /** `namespace` is whole: prefix and suffix. */
  onNamespace(namespace: Namespace): void
  /** Also for each that an updated prefix no longer covers. */
  onNamespaceDone(namespace: Namespace): void
}

/** A PUBLISH_NAMESPACE of ours (draft-18 section 6.2). */
export class NamespacePublication extends OutgoingRequest {
  readonly namespace: Namespace

  constructor(
    namespace: Namespace,
    handler: NamespacePublicationHandler,
    host: OutgoingRequestHost,
  ) {
    super('PUBLISH_NAMESPACE_OK', handler, host)
    this.namespace = namespace
  }

  /** Cancels the request, which withdraws the namespace. */
  withdraw(): void {
    this.cancel()
  }

  protected override message(requestId: number, parameters: Parameters): RequestMessage {
    return { type: 'PUBLISH_NAMESPACE', requestId, namespace: this.namespace, parameters }
  }
}

/** A SUBSCRIBE_NAMESPACE of ours (draft-18 section 6.1). */
export class NamespaceSubscription extends OutgoingRequest {
  private current: Namespace
  private readonly found: NamespaceSubscriptionHandler
  private readonly known = new Map<string, Namespace>()

  constructor(prefix: Namespace, handler: NamespaceSubscriptionHandler, host: OutgoingRequestHost) {
    super('SUBSCRIBE_NAMESPACE_OK', handler, host)
    this.current = prefix
    this.found = handler
  }

  /** Changes once the peer has granted an update that brought another (section 10.9.2). */
  get prefix(): Namespace {
    return this.current
  }

  protected override message(requestId: number, parameters: Parameters): RequestMessage {
    return { type: 'SUBSCRIBE_NAMESPACE', requestId, prefix: this.current, parameters }
  }

  protected override news(message: ControlMessage): boolean {
    if (message.type === 'NAMESPACE') this.add([...this.current, ...message.suffix])
    else if (message.type === 'NAMESPACE_DONE') this.remove([...this.current, ...message.suffix])
    else return false
    return true
  }

  protected override updated({ namespacePrefix }: Parameters): void {
    if (!namespacePrefix) return
    this.current = namespacePrefix
    for (const [key, namespace] of [...this.known]) {
      if (hasPrefix(namespace, namespacePrefix)) continue
      this.known.delete(key)
      this.found.onNamespaceDone(namespace)
    }
  }

  /** The stream's end counts as a NAMESPACE_DONE for each active namespace (section 10.18). */
  protected override ended(): void {
    for (const namespace of this.known.values()) this.found.onNamespaceDone(namespace)
    this.known.clear()
  }

  private add(namespace: Namespace): void {
    const key = formatNamespace(namespace)
    if (this.known.has(key)) return
    this.known.set(key, namespace)
    this.found.onNamespace(namespace)
  }

  private remove(namespace: Namespace): void {
    if (!this.known.delete(formatNamespace(namespace))) {
      throw new ProtocolError('NAMESPACE_DONE before its NAMESPACE')
    }
    this.found.onNamespaceDone(namespace)
  }
}

/** The peer's PUBLISH_NAMESPACE, to be answered once. */
export class IncomingNamespacePublication extends IncomingRequest {
  readonly namespace: Namespace
  /** The peer withdrew the namespace, or the session ended; set by the owner. */
  onWithdrawn: (() => void) | null = null
  private readonly session: RequestHost

  constructor(message: PublishNamespace, stream: RequestStream, host: RequestHost) {
    super('PUBLISH_NAMESPACE', message, stream, host)
    this.namespace = message.namespace
    this.session = host
  }

  /** Whether one more track may be looked at for it: the peer has not used up what it may cost. */
  get mayBeTold(): boolean {
    return this.accepted && this.session.hasSpare
  }

  /**
   * A track that it may be asked for was looked at.
   * @param bytes of its name
   */
  charge(bytes: number): void {
    this.session.spend(TOLD_COST + bytes)
  }

  protected override ended(): void {
    this.onWithdrawn?.()
  }

  /** Withdrawing is cancelling (section 6.2); a FIN only says that no update follows. */
  protected override onFin(): void {}
}

/** The peer's request for news of a prefix, which an update may change (section 10.9.2). */
export abstract class IncomingPrefixRequest extends IncomingRequest {
  /** The peer cancelled, or the session ended; set by the owner. */
  onCancelled: (() => void) | null = null
  /**
   * The peer asks for another prefix: null grants it, and `prefix` changes after the call; a refusal
   * ends the request (PREFIX_OVERLAP, section 10.2.14). Without it prefixes are not changed.
   */
  onPrefix: ((prefix: Namespace) => RequestRefusal | null) | null = null
  /** The granted prefix holds: what it newly covers is to be told now. */
  onPrefixChanged: (() => void) | null = null
  private current: Namespace
  private readonly session: RequestHost

  constructor(
    type: 'SUBSCRIBE_NAMESPACE' | 'SUBSCRIBE_TRACKS',
    message: { requestId: number; prefix: Namespace; parameters: Parameters },
    stream: RequestStream,
    host: RequestHost,
  ) {
    super(type, message, stream, host)
    this.current = message.prefix
    this.session = host
  }

  get prefix(): Namespace {
    return this.current
  }

  /**
   * Whether the peer may be told one more of the many things that were there before it asked: it is not
   * over, reads what it was told, and has not used up what it may cost. News need not ask.
   */
  get mayBeTold(): boolean {
    if (!this.accepted || !this.session.hasSpare) return false
    return this.stream.buffered <= this.session.limits.maxUnreadRequestBytes / 4
  }

  /**
   * The peer was told one of them, or would have been, had it not known of it.
   * @param bytes of its name
   */
  charge(bytes: number): void {
    this.session.spend(TOLD_COST + bytes)
  }

  /** A peer that does not read what it asked for is not waited for (section 10.18). */
  protected tell(news: ControlMessage): void {
    this.stream.send(news)
    if (this.stream.buffered <= this.session.limits.maxUnreadRequestBytes) return
    this.session.limitHit('maxUnreadRequestBytes')
    this.cancel(ResetCode.EXCESSIVE_LOAD)
    this.onCancelled?.()
  }

  protected override onUpdate({ namespacePrefix }: Parameters): RequestRefusal | null {
    if (!namespacePrefix) return null
    const reserved = reservedRefusal(namespacePrefix)
    if (reserved || !this.onPrefix) return reserved ?? NO_OTHER_PREFIX
    return this.onPrefix(namespacePrefix)
  }

  protected override updated({ namespacePrefix }: Parameters): void {
    if (!namespacePrefix) return
    this.current = namespacePrefix
    this.prefixChanged()
    this.onPrefixChanged?.()
  }

  protected prefixChanged(): void {}

  protected override ended(): void {
    this.onCancelled?.()
  }

  /** It cancels as well as a reset does (draft-18 section 6.1), or only says that no update follows. */
  protected override onFin(): void {
    if (this.stream.rules.requesterFinCancels) this.peerEnded()
  }
}

/** The peer's SUBSCRIBE_NAMESPACE: accept it, then tell it of namespaces as they come and go. */
export class IncomingNamespaceSubscription extends IncomingPrefixRequest {
  private readonly told = new Map<string, Namespace>()

  /** @param host whose limits say how much news the peer may leave unread */
  constructor(message: SubscribeNamespace, stream: RequestStream, host: RequestHost) {
    super('SUBSCRIBE_NAMESPACE', message, stream, host)
  }

  /** @param namespace whole; it starts with `prefix` */
  namespace(namespace: Namespace): void {
    const key = formatNamespace(namespace)
    if (this.over || this.told.has(key)) return
    this.told.set(key, namespace)
    this.tell({ type: 'NAMESPACE', suffix: namespace.slice(this.prefix.length) })
  }

  namespaceDone(namespace: Namespace): void {
    if (this.over || !this.told.delete(formatNamespace(namespace))) return
    this.tell({ type: 'NAMESPACE_DONE', suffix: namespace.slice(this.prefix.length) })
  }

  /** Of what the new prefix does not cover nothing more can be said. */
  protected override prefixChanged(): void {
    for (const [key, namespace] of [...this.told]) {
      if (!hasPrefix(namespace, this.prefix)) this.told.delete(key)
    }
  }
}

/** Bytes that are read and answered with as much work as one thing that is told. */
const TOLD_COST = 512

const NO_OTHER_PREFIX: RequestRefusal = {
  code: RequestCode.NOT_SUPPORTED,
  reason: 'the prefix cannot be changed here',
  retryAfterMs: null,
}
