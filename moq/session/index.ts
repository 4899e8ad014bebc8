/**
 * The MoQT session: requests, subscriptions, publications and namespaces over a transport session.
 * It knows the draft's rules for one peer; rules between peers are a relay's.
 */

export { type Clock, systemClock } from './clock.ts'
export type {
  AcceptedSubscription,
  IncomingSubgroup,
  SessionHandler,
  SubscriptionHandler,
} from './handler.ts'
export { DEFAULT_LIMITS, type SessionLimits } from './limits.ts'
export {
  IncomingNamespacePublication,
  IncomingNamespaceSubscription,
  NamespacePublication,
  type NamespacePublicationHandler,
  NamespaceSubscription,
  type NamespaceSubscriptionHandler,
} from './namespaces.ts'
export {
  type AcceptOptions,
  IncomingSubscribe,
  Publication,
  type PublicationHandler,
} from './publication.ts'
export { Session, type SessionOptions } from './session.ts'
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
