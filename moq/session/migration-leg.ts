import { ResetCode } from '../wire/codes.ts'
import type { Location } from '../wire/location.ts'
import type { FetchRange, Goaway, RequestError } from '../wire/messages.ts'
import type { FullTrackName } from '../wire/names.ts'
import type { MoqObject } from '../wire/object.ts'
import type { Parameters } from '../wire/parameters.ts'
import type { FetchHandler } from './fetch-request.ts'
import type {
  AcceptedSubscription,
  IncomingSubgroup,
  SubscriptionHandler,
} from './subscription-handler.ts'

/** What a subscription needs of the sessions that it moves over; a `Session` is one. */
export interface MigrationSession {
  readonly closed: boolean
  subscribe(
    track: FullTrackName,
    parameters: Parameters,
    handler: SubscriptionHandler,
  ): MigrationSubscription
  fetch(range: FetchRange, handler: FetchHandler): { cancel(): void }
}

/** What is used of a `Subscription`. */
export interface MigrationSubscription {
  readonly established: boolean
  update(parameters: Parameters): void
  unsubscribe(): void
}

/** What a leg tells the subscription that moves. */
export interface LegOwner {
  readonly track: FullTrackName
  accepted(leg: MigrationLeg, accepted: AcceptedSubscription): void
  rejected(leg: MigrationLeg, error: RequestError): void
  object(leg: MigrationLeg, object: MoqObject, subgroup: IncomingSubgroup | null): void
  subgroupOpened(subgroup: IncomingSubgroup): void
  subgroupEnded(subgroup: IncomingSubgroup): void
  subgroupReset(subgroup: IncomingSubgroup, code: number): void
  goaway(goaway: Goaway): void
  ended(leg: MigrationLeg, done: { readonly status: number; readonly reason: string }): void
  drained(leg: MigrationLeg): void
}

/** One session's part of a subscription that moves. */
export class MigrationLeg {
  readonly session: MigrationSession
  /** Null until SUBSCRIBE_OK. */
  accepted: AcceptedSubscription | null = null
  /** It was rejected or is done; its streams may go on for a moment. */
  over = false
  /** The smallest group that the publisher cut short because it or the session ends. */
  brokenGroup = Number.POSITIVE_INFINITY
  /** The largest location that it is known to be up to; -1: none. */
  newestGroup = -1
  newestObject = -1
  private readonly owner: LegOwner
  private readonly open = new Set<IncomingSubgroup>()
  private subscription: MigrationSubscription | null = null
  private dropped = false
  /** What changed before it was accepted. */
  private changes: Parameters | null = null

  constructor(session: MigrationSession, owner: LegOwner) {
    this.session = session
    this.owner = owner
  }

  /** The smallest group whose streams have not ended; Infinity: none is open. */
  get firstOpenGroup(): number {
    let first = Number.POSITIVE_INFINITY
    for (const { header } of this.open) first = Math.min(first, header.group)
    return first
  }

  start(parameters: Parameters): void {
    const { owner } = this
    this.subscription = this.session.subscribe(owner.track, parameters, {
      onAccepted: (accepted) => {
        if (this.dropped) return
        this.accepted = accepted
        if (accepted.largest) this.note(accepted.largest)
        if (this.changes) this.subscription?.update(this.changes)
        owner.accepted(this, accepted)
      },
      onRejected: (error) => {
        this.over = true
        if (!this.dropped) owner.rejected(this, error)
      },
      onSubgroup: (subgroup) => {
        if (this.dropped) return
        this.open.add(subgroup)
        owner.subgroupOpened(subgroup)
      },
      onObject: (object, subgroup) => {
        if (this.dropped) return
        this.note(object)
        owner.object(this, object, subgroup)
      },
      onSubgroupEnd: (subgroup) => {
        if (this.open.delete(subgroup)) owner.subgroupEnded(subgroup)
      },
      onSubgroupReset: (subgroup, code) => {
        if (!this.open.delete(subgroup)) return
        if (isCutShort(code)) {
          this.brokenGroup = Math.min(this.brokenGroup, subgroup.header.group)
        }
        owner.subgroupReset(subgroup, code)
      },
      onGoaway: (goaway) => {
        if (!this.dropped) owner.goaway(goaway)
      },
      onDone: (done) => {
        this.over = true
        if (!this.dropped) owner.ended(this, done)
      },
      onDrained: () => {
        if (!this.dropped) owner.drained(this)
      },
    })
  }

  private note({ group, object }: Location): void {
    if (group < this.newestGroup) return
    if (group === this.newestGroup && object <= this.newestObject) return
    this.newestGroup = group
    this.newestObject = object
  }

  /** Applied at once, or when the subscription is accepted. */
  update(parameters: Parameters): void {
    if (this.subscription?.established) this.subscription.update(parameters)
    else if (!this.over) this.changes = { ...this.changes, ...parameters }
  }

  /** Cancels it. @param code of which the owner hears for streams that are open; null: it does not */
  drop(code: number | null): void {
    if (this.dropped) return
    this.dropped = true
    this.subscription?.unsubscribe()
    const open = [...this.open]
    this.open.clear()
    if (code === null) return
    for (const subgroup of open) this.owner.subgroupReset(subgroup, code)
  }
}

/** Not when the publisher dropped what is late: that is lost on purpose. */
function isCutShort(code: number): boolean {
  return (
    code === ResetCode.CANCELLED ||
    code === ResetCode.GOING_AWAY ||
    code === ResetCode.SESSION_CLOSED ||
    code === ResetCode.INTERNAL_ERROR
  )
}
