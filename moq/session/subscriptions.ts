import type { DraftRules } from '../wire/codec.ts'
import type { Publish, RequestUpdate } from '../wire/messages.ts'
import type { Parameters } from '../wire/parameters.ts'
import { Aliases } from './aliases.ts'
import type { Clock } from './clock.ts'
import type { SessionLimitName, SessionLimits } from './limits.ts'
import { IncomingPublish, type IncomingPublishHost } from './publish.ts'
import { ALREADY_SUBSCRIBED, type RequestRefusal } from './refusal.ts'
import type { OpenRequest, RequestStream } from './request-stream.ts'
import { Subscription, type SubscriptionHost } from './subscription.ts'
import type { SubscriptionHandler } from './subscription-handler.ts'
import { TrackIndex } from './track-index.ts'
import { trackRefusal } from './track-refusal.ts'

interface Host {
  readonly clock: Clock
  readonly limits: SessionLimits
  readonly knownProperties: ReadonlySet<number>
  nextRequestId(): number
  limitHit(limit: SessionLimitName): void
  guard(task: () => void): void
  /** A request of the peer's goes on as another object. */
  requestOpened(request: OpenRequest): void
  requestOver(request: OpenRequest): void
  /** See `RequestHost`. */
  admitUpdate(
    update: RequestUpdate,
    request: 'subscription',
    stream: RequestStream,
    decided: (refusal: RequestRefusal | null) => void,
  ): void
}

/**
 * The subscriptions of a session in which we are the subscriber: one a track (draft-18 section 5.1),
 * by our SUBSCRIBE or the peer's PUBLISH, and the aliases that the peer gives them.
 */
export class Subscriptions implements SubscriptionHost, IncomingPublishHost {
  readonly aliases: Aliases
  private readonly host: Host
  private readonly byTrack = new TrackIndex<Subscription | IncomingPublish>()
  /** By an accepted PUBLISH, without their alias yet; ms where PUBLISH_DONE came since, else null. */
  private readonly unnamed = new Map<Subscription, number | null>()
  /** PUBLISH_DONE came, and not every stream. */
  private readonly draining = new Set<Subscription>()

  constructor(host: Host) {
    this.host = host
    this.aliases = new Aliases(host.clock, host.limits)
  }

  get clock(): Clock {
    return this.host.clock
  }

  get maxPropertiesBytes(): number {
    return this.host.limits.maxPropertiesBytes
  }

  get knownProperties(): ReadonlySet<number> {
    return this.host.knownProperties
  }

  /** A SUBSCRIBE of ours is about to be sent. */
  asked(subscription: Subscription): void {
    this.byTrack.add(subscription)
    this.aliases.asked()
  }

  // ---- PUBLISH of the peer's

  /** One came; `published`, or `publishRefused`, follows once. */
  publishBegun(): void {
    this.aliases.asked()
  }

  /** It was refused before the owner saw it. */
  publishRefused(trackAlias: number): void {
    this.aliases.answered()
    this.aliases.retire(trackAlias, null)
  }

  /** Why it cannot be put before the owner; null when it can. */
  refusalOf(message: Publish, rules: DraftRules): RequestRefusal | null {
    const others = rules.oneSubscriptionPerTrack ? this.byTrack.find(message.track) : []
    for (const other of others) {
      // A SUBSCRIBE of ours that has no answer gives way when the PUBLISH is accepted.
      if (other instanceof Subscription && other.pending) continue
      return ALREADY_SUBSCRIBED
    }
    return trackRefusal(message.properties, this)
  }

  published(message: Publish, stream: RequestStream): IncomingPublish {
    const publish = new IncomingPublish(message, stream, this)
    this.byTrack.add(publish)
    return publish
  }

  publishAccepted(
    publish: IncomingPublish,
    stream: RequestStream,
    parameters: Parameters,
    handler: SubscriptionHandler,
  ): Subscription {
    this.byTrack.delete(publish)
    const { track, trackAlias, requestId } = publish
    const others = stream.rules.oneSubscriptionPerTrack ? [...this.byTrack.find(track)] : []
    for (const other of others) {
      if (other instanceof Subscription && other.pending) other.supersede()
    }
    const subscription = new Subscription(this, requestId, track, handler)
    subscription.take(stream, publish, parameters)
    this.byTrack.add(subscription)
    this.host.requestOpened(subscription)
    this.host.requestOver(publish)
    this.unnamed.set(subscription, null)
    // In a task of its own: the owner may accept within a callback of another session's.
    queueMicrotask(() => this.host.guard(() => this.name(trackAlias, subscription)))
    return subscription
  }

  publishOver(publish: IncomingPublish): void {
    this.byTrack.delete(publish)
    this.host.requestOver(publish)
    this.publishRefused(publish.trackAlias)
  }

  // ---- for subscriptions

  nextRequestId(): number {
    return this.host.nextRequestId()
  }

  limitHit(limit: SessionLimitName): void {
    this.host.limitHit(limit)
  }

  subscriptionAnswered(): void {
    this.aliases.answered()
  }

  registerAlias(alias: number, subscription: Subscription): void {
    this.aliases.register(alias, subscription)
  }

  subscriptionOver(subscription: Subscription): void {
    this.byTrack.delete(subscription)
    this.host.requestOver(subscription)
  }

  drain(alias: number, subscription: Subscription, ms: number): void {
    this.draining.add(subscription)
    if (this.unnamed.has(subscription)) this.unnamed.set(subscription, ms)
    else this.aliases.drain(alias, subscription, ms)
  }

  retireAlias(alias: number, subscription: Subscription): void {
    this.draining.delete(subscription)
    this.unnamed.delete(subscription)
    this.aliases.retire(alias, subscription)
  }

  admitUpdate(
    update: RequestUpdate,
    request: 'subscription',
    stream: RequestStream,
    decided: (refusal: RequestRefusal | null) => void,
  ): void {
    this.host.admitUpdate(update, request, stream, decided)
  }

  /** The session ended. */
  clear(): void {
    for (const subscription of [...this.draining]) subscription.sessionEnded('the session ended')
    this.unnamed.clear()
    this.aliases.clear()
    this.byTrack.clear()
  }

  private name(alias: number, subscription: Subscription): void {
    this.aliases.answered()
    const drainMs = this.unnamed.get(subscription)
    // It is over.
    if (drainMs === undefined) return
    this.unnamed.delete(subscription)
    this.aliases.register(alias, subscription)
    if (drainMs !== null) this.aliases.drain(alias, subscription, drainMs)
  }
}
