/** What the owner of a session is told, and what it gives. */

import type { CloseInfo } from '../transport/transport.ts'
import type { Goaway, Setup } from '../wire/messages.ts'
import type { AuthorizationToken } from '../wire/parameters.ts'
import type { IncomingFetch } from './incoming-fetch.ts'
import type { IncomingSubscribe } from './incoming-subscribe.ts'
import type { SessionLimitName } from './limits.ts'
import type { IncomingNamespacePublication, IncomingNamespaceSubscription } from './namespaces.ts'
import type { IncomingPublish } from './publish.ts'
import type { RequestRefusal } from './refusal.ts'
import type { IncomingTrackStatus } from './track-status.ts'
import type { IncomingTracksSubscription } from './tracks-subscription.ts'

export type { RequestRefusal } from './refusal.ts'
export type {
  AcceptedSubscription,
  IncomingSubgroup,
  SubscriptionHandler,
} from './subscription-handler.ts'

/**
 * A request without a method here is answered NOT_SUPPORTED (draft-18 section 4): it costs the peer
 * that request, never the session.
 */
export interface SessionHandler {
  /** Both SETUP messages are exchanged. */
  onReady?(peerSetup: Setup): void
  /**
   * Called with the tokens, maybe none, of each request of the peer's, and with those of each
   * REQUEST_UPDATE that has any, before anything else looks at it (section 10.2.2). The request goes
   * on, or is refused, when `decide` is called: at once or later, once. Also called for requests that
   * are then refused for another reason, because what they register counts. A ProtocolError ends the
   * session. Absent: every request goes on.
   */
  onTokens?(
    tokens: readonly AuthorizationToken[],
    decide: (refusal: RequestRefusal | null) => void,
  ): void
  onSubscribe?(request: IncomingSubscribe): void
  onPublish?(request: IncomingPublish): void
  onTrackStatus?(request: IncomingTrackStatus): void
  onPublishNamespace?(request: IncomingNamespacePublication): void
  onSubscribeNamespace?(request: IncomingNamespaceSubscription): void
  onSubscribeTracks?(request: IncomingTracksSubscription): void
  onFetch?(request: IncomingFetch): void
  /** GOAWAY on the control stream (section 10.4); at most once. */
  onGoaway?(goaway: Goaway): void
  /** The peer hit one of `SessionLimits`; for metrics. */
  onLimit?(limit: SessionLimitName): void
  /** The transport can take about this many bytes of media; see `TransportSession.wantRoom`. */
  onRoom?(bytes: number): void
  /** Unidirectional stream credit returned after `openSubgroup` gave null. */
  onStreamCredit?(): void
  onClosed?(info: CloseInfo): void
  /** A callback of the owner's, or this package, threw: our bug. The session is closed already. */
  onInternalError?(error: unknown): void
}
