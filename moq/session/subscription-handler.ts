/** What the owner of a subscription is told. */

import type { Location } from '../wire/location.ts'
import type { Goaway, RequestError } from '../wire/messages.ts'
import type { MoqObject } from '../wire/object.ts'
import type { Parameters } from '../wire/parameters.ts'
import type { Property } from '../wire/properties.ts'
import type { SubgroupHeader } from '../wire/subgroup.ts'

/** A subgroup stream of a subscription of ours. */
export interface IncomingSubgroup {
  readonly header: SubgroupHeader
  /**
   * While an object is told: when its first byte came, ms of the session's clock, or -1 when all of it
   * comes now. Delivery timeouts count from there (section 8).
   */
  readonly objectBeganAt: number
  /** For the owner: what it associates with the stream. */
  context: unknown
  /** Asks the publisher to stop; no callback follows. */
  stop(code: number): void
}

/** What becomes of a subscription of ours, and its objects. */
export interface SubscriptionHandler {
  /** SUBSCRIBE_OK; a subscription made by `IncomingPublish.accept` begins accepted. */
  onAccepted?(accepted: AcceptedSubscription): void
  /** REQUEST_ERROR; nothing follows. */
  onRejected?(error: RequestError): void
  onSubgroup?(subgroup: IncomingSubgroup): void
  /** `subgroup` is null for a datagram. */
  onObject(object: MoqObject, subgroup: IncomingSubgroup | null): void
  onSubgroupEnd?(subgroup: IncomingSubgroup): void
  onSubgroupReset?(subgroup: IncomingSubgroup, code: number): void
  /** The publisher asks to subscribe elsewhere (section 10.4); nothing is ended by it. */
  onGoaway?(goaway: Goaway): void
  /**
   * The subscription is over: PUBLISH_DONE, the publisher's reset, or the session's end. Streams may
   * still deliver for a moment after PUBLISH_DONE.
   */
  onDone?(done: { readonly status: number; readonly reason: string }): void
  /**
   * Follows `onDone`, at once or later: every stream has ended, or the time for late ones is over and
   * those that go on have ended (section 10.11). Nothing is delivered any more.
   */
  onDrained?(): void
}

/** What a SUBSCRIBE_OK told (draft-18 section 10.8). */
export interface AcceptedSubscription {
  readonly trackAlias: number
  /** Null: nothing was published yet. */
  readonly largest: Location | null
  readonly parameters: Parameters
  readonly properties: readonly Property[]
}
