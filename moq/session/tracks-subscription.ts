import type { ControlMessage, RequestMessage, SubscribeTracks } from '../wire/messages.ts'
import type { FullTrackName, Namespace } from '../wire/names.ts'
import type { Parameters } from '../wire/parameters.ts'
import { IncomingPrefixRequest } from './namespaces.ts'
import {
  OutgoingRequest,
  type OutgoingRequestHandler,
  type OutgoingRequestHost,
} from './outgoing-request.ts'
import type { RequestHost } from './request-host.ts'
import type { RequestStream } from './request-stream.ts'

/** What becomes of a SUBSCRIBE_TRACKS of ours. */
export interface TracksSubscriptionHandler extends OutgoingRequestHandler {
  /**
   * PUBLISH_BLOCKED: the publisher has no stream to offer this track on, and will not; it can be
   * subscribed to (section 6.1). The name is whole.
   */
  onBlocked?(track: FullTrackName): void
}

/**
 * A SUBSCRIBE_TRACKS of ours (draft-18 section 10.19): tracks under the prefix are offered to us with
 * PUBLISH, which `SessionHandler.onPublish` is told of.
 */
export class TracksSubscription extends OutgoingRequest {
  private current: Namespace
  private readonly told: TracksSubscriptionHandler

  constructor(prefix: Namespace, handler: TracksSubscriptionHandler, host: OutgoingRequestHost) {
    super('SUBSCRIBE_TRACKS_OK', handler, host)
    this.current = prefix
    this.told = handler
  }

  /** Changes once the peer has granted an update that brought another (section 10.9.2). */
  get prefix(): Namespace {
    return this.current
  }

  protected override message(requestId: number, parameters: Parameters): RequestMessage {
    return { type: 'SUBSCRIBE_TRACKS', requestId, prefix: this.current, parameters }
  }

  protected override news(message: ControlMessage): boolean {
    if (message.type !== 'PUBLISH_BLOCKED') return false
    const { namespace, name } = message.track
    this.told.onBlocked?.({ namespace: [...this.current, ...namespace], name })
    return true
  }

  protected override updated({ namespacePrefix }: Parameters): void {
    if (namespacePrefix) this.current = namespacePrefix
  }
}

/**
 * The peer's SUBSCRIBE_TRACKS: accept it, then offer it the tracks under its prefix with
 * `Session.publish`, with the Forward State that `forward` says.
 */
export class IncomingTracksSubscription extends IncomingPrefixRequest {
  /** @param host whose limits say how much news the peer may leave unread */
  constructor(message: SubscribeTracks, stream: RequestStream, host: RequestHost) {
    super('SUBSCRIBE_TRACKS', message, stream, host)
  }

  get forward(): boolean {
    return this.parameters.forward ?? true
  }

  /**
   * PUBLISH_BLOCKED (section 10.20): there is no stream to offer this track on. The owner, who knows
   * how long a track lives, sees that it is neither told again nor offered then (section 6.1).
   * @param track whole; its namespace starts with `prefix`
   */
  blocked(track: FullTrackName): void {
    if (!this.accepted) return
    const { namespace, name } = track
    const suffix = namespace.slice(this.prefix.length)
    this.tell({ type: 'PUBLISH_BLOCKED', track: { namespace: suffix, name } })
  }
}
