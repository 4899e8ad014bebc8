/**
 * The MoQT session: requests, subscriptions, publications and namespaces over a transport session.
 * It knows the draft's rules for one peer; rules between peers are a relay's.
 */

export { type Clock, systemClock } from './clock.ts'
export {
  type AcceptedFetch,
  type FetchHandler,
  FetchRequest,
} from './fetch-request.ts'
export { FetchWriter } from './fetch-writer.ts'
export type {
  AcceptedSubscription,
  IncomingSubgroup,
  RequestRefusal,
  SessionHandler,
  SubscriptionHandler,
} from './handler.ts'
export { type FetchAnswer, IncomingFetch } from './incoming-fetch.ts'
export { IncomingSubscribe } from './incoming-subscribe.ts'
export { DEFAULT_LIMITS, type SessionLimitName, type SessionLimits } from './limits.ts'
export {
  MigratingSubscription,
  type MigrationHandler,
  type MigrationOptions,
  type SubscriptionEnd,
} from './migration.ts'
export {
  IncomingNamespacePublication,
  IncomingNamespaceSubscription,
  NamespacePublication,
  type NamespacePublicationHandler,
  NamespaceSubscription,
  type NamespaceSubscriptionHandler,
} from './namespaces.ts'
export type { OutgoingRequestHandler } from './outgoing-request.ts'
export { OutgoingTokens } from './outgoing-tokens.ts'
export { Publication } from './publication.ts'
export type { AcceptOptions, PublicationHandler, PublishHandler } from './publication-handler.ts'
export { IncomingPublish, type PublishOptions } from './publish.ts'
export type { UpdateResult } from './sent-updates.ts'
export { Session } from './session.ts'
export type { SessionOptions } from './session-options.ts'
export { SetupOption, tokenCacheSize } from './setup-rules.ts'
export { SubgroupWriter } from './subgroup-writer.ts'
export { Subscription } from './subscription.ts'
export {
  type OutgoingObject,
  TrackPublisher,
  type TrackPublisherOptions,
} from './track-publisher.ts'
export {
  IncomingTrackStatus,
  type TrackState,
  type TrackStatusHandler,
  TrackStatusRequest,
} from './track-status.ts'
export {
  IncomingTracksSubscription,
  TracksSubscription,
  type TracksSubscriptionHandler,
} from './tracks-subscription.ts'
