/** What the owner of a session is told, and what it gives. */

import type { CloseInfo } from '../transport/transport.ts'
import type { Location } from '../wire/location.ts'
import type { Goaway, RequestError, Setup } from '../wire/messages.ts'
import type { MoqObject } from '../wire/object.ts'
import type { Parameters } from '../wire/parameters.ts'
import type { Property } from '../wire/properties.ts'
import type { SubgroupHeader } from '../wire/subgroup.ts'
import type { IncomingNamespacePublication, IncomingNamespaceSubscription } from './namespaces.ts'
import type { IncomingSubscribe } from './publication.ts'
import type { IncomingTrackStatus } from './track-status.ts'

/**
 * A request without a method here is answered NOT_SUPPORTED (draft-18 section 4): it costs the peer
 * that request, never the session.
 */
export interface SessionHandler {
  /** Both SETUP messages are exchanged. */
  onReady?(peerSetup: Setup): void
  onSubscribe?(request: IncomingSubscribe): void
  onTrackStatus?(request: IncomingTrackStatus): void
  onPublishNamespace?(request: IncomingNamespacePublication): void
  onSubscribeNamespace?(request: IncomingNamespaceSubscription): void
  onGoaway?(goaway: Goaway): void
  /** The transport can take about this many bytes of media; see `TransportSession.wantRoom`. */
  onRoom?(bytes: number): void
  /** Unidirectional stream credit returned after `openSubgroup` gave null. */
  onStreamCredit?(): void
  onClosed?(info: CloseInfo): void
  /** A callback of the owner's, or this package, threw: our bug. The session is closed already. */
  onInternalError?(error: unknown): void
}

/** A subgroup stream of a subscription of ours. */
export interface IncomingSubgroup {
  readonly header: SubgroupHeader
  /** For the owner: what it associates with the stream. */
  context: unknown
  /** Asks the publisher to stop; no callback follows. */
  stop(code: number): void
}

export interface SubscriptionHandler {
  onAccepted?(accepted: AcceptedSubscription): void
  /** REQUEST_ERROR; nothing follows. */
  onRejected?(error: RequestError): void
  onSubgroup?(subgroup: IncomingSubgroup): void
  /** `subgroup` is null for a datagram. */
  onObject(object: MoqObject, subgroup: IncomingSubgroup | null): void
  onSubgroupEnd?(subgroup: IncomingSubgroup): void
  onSubgroupReset?(subgroup: IncomingSubgroup, code: number): void
  /**
   * The subscription is over: PUBLISH_DONE, the publisher's reset, or the session's end. Streams may
   * still deliver for a moment after PUBLISH_DONE.
   */
  onDone?(done: { readonly status: number; readonly reason: string }): void
}

export interface AcceptedSubscription {
  readonly trackAlias: number
  /** Null: nothing was published yet. */
  readonly largest: Location | null
  readonly parameters: Parameters
  readonly properties: readonly Property[]
}
