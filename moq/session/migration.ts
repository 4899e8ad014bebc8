import { DoneCode, ResetCode } from '../wire/codes.ts'
import { isAfter, type Location } from '../wire/location.ts'
import type { Goaway, RequestError } from '../wire/messages.ts'
import type { FullTrackName } from '../wire/names.ts'
import type { MoqObject } from '../wire/object.ts'
import type { Parameters } from '../wire/parameters.ts'
import { type Clock, systemClock } from './clock.ts'
import { filterRange } from './filter.ts'
import { type LegOwner, MigrationLeg, type MigrationSession } from './migration-leg.ts'
import { SeenObjects } from './seen-objects.ts'
import type {
  AcceptedSubscription,
  IncomingSubgroup,
  SubscriptionHandler,
} from './subscription-handler.ts'

/**
 * `onAccepted` is called for the first session only. An object that was fetched has no subgroup
 * stream. A subgroup that goes on over a new session is a second `IncomingSubgroup` there.
 */
export interface MigrationHandler extends SubscriptionHandler {
  /** The subscription goes on over the session that was last given to `moveTo`. */
  onMoved?(accepted: AcceptedSubscription): void
  /** The new session refused it. It stays where it was, if it is still anywhere. */
  onMoveFailed?(error: RequestError): void
  /**
   * It ended where it was, by the end of the session, GOING_AWAY or an internal error of the
   * publisher's; it waits for `moveTo`, or for `unsubscribe`.
   */
  onInterrupted?(done: SubscriptionEnd): void
  /** Objects between two moves that could not be fetched, both ends included. */
  onGap?(from: Location, to: Location): void
}

/** As `SubscriptionHandler.onDone` tells it. */
export interface SubscriptionEnd {
  readonly status: number
  readonly reason: string
}

/** How a subscription moves to another session. */
export interface MigrationOptions {
  readonly clock?: Clock
  /** How long the old subscription may finish what it has begun, ms. Default 2000. */
  readonly overlapMs?: number
  /**
   * How many groups before the newest one are fetched where something is missing after a move.
   * Default: all that it takes. 0: only what is missing of the newest. Null: nothing is fetched, for
   * what is of no use later; `onGap` tells what is missing.
   */
  readonly fillGroups?: number | null
}

/**
 * One subscription of the application over successive sessions: a relay that goes away, a change of
 * networks (draft-18 section 9.4.1). It subscribes on the new session and keeps the old subscription
 * until the new one is accepted and the old one has brought what lies before it. What the old one did
 * not bring, because its session ended or the time was up, is fetched on the new one. An object that
 * comes twice is delivered once.
 */
export class MigratingSubscription implements LegOwner {
  readonly track: FullTrackName
  private readonly handler: MigrationHandler
  private readonly clock: Clock
  private readonly overlapMs: number
  private readonly fillGroups: number | null
  private readonly seen = new SeenObjects()
  private parameters: Parameters
  /** Where it is, or was. */
  private current: MigrationLeg
  /** Where it goes. */
  private next: MigrationLeg | null = null
  private started = false
  private over = false
  /** How `current` ended, when for good. */
  private done: SubscriptionEnd | null = null
  private stopTimer: () => void = () => {}
  private filling: { cancel(): void; readonly from: Location } | null = null

  constructor(
    session: MigrationSession,
    track: FullTrackName,
    parameters: Parameters,
    handler: MigrationHandler,
    options: MigrationOptions = {},
  ) {
    this.track = track
    this.parameters = parameters
    this.handler = handler
    this.clock = options.clock ?? systemClock
    this.overlapMs = options.overlapMs ?? 2000
    this.fillGroups =
      options.fillGroups === undefined ? Number.POSITIVE_INFINITY : options.fillGroups
    this.current = new MigrationLeg(session, this)
    this.current.start(parameters)
  }

  /** The session that it is on, or was last on. */
  get session(): MigrationSession {
    return this.current.session
  }

  /** A new session was asked, or the old one finishes what it has begun. */
  get moving(): boolean {
    return this.next !== null
  }

  /** It is nowhere: it ended where it was, and waits for `moveTo`, or was moved and has no answer. */
  get stranded(): boolean {
    return this.current.over && !this.over
  }

  /**
   * Goes over to another session, or asks the same one anew. What an earlier call began and the peer did not accept is dropped.
   * @param changes what differs there, e.g. authorization tokens
   */
  moveTo(session: MigrationSession, changes: Parameters = {}): void {
    if (this.over) return
    if (this.next?.accepted) this.settle()
    this.next?.drop(ResetCode.CANCELLED)
    this.parameters = { ...this.parameters, ...changes }
    this.next = new MigrationLeg(session, this)
    this.next.start(onTheMove(this.parameters))
  }

  /** REQUEST_UPDATE, here and wherever it goes. */
  update(parameters: Parameters): void {
    if (this.over) return
    this.parameters = { ...this.parameters, ...parameters }
    this.current.update(parameters)
    this.next?.update(parameters)
  }

  /** Ends it everywhere; nothing is called any more. */
  unsubscribe(): void {
    if (this.over) return
    this.close()
    this.current.drop(null)
    this.next?.drop(null)
    this.next = null
  }

  // ---- what its legs tell

  accepted(leg: MigrationLeg, accepted: AcceptedSubscription): void {
    if (this.started) {
      this.handler.onMoved?.(accepted)
    } else {
      this.started = true
      this.seen.startAt(firstPromised(accepted.largest, this.parameters))
      this.handler.onAccepted?.(accepted)
    }
    if (leg !== this.next) return
    if (this.current.over || this.caughtUp()) this.settle()
    else this.stopTimer = this.clock.after(this.overlapMs, () => this.settle())
  }

  rejected(leg: MigrationLeg, error: RequestError): void {
    if (leg === this.next) {
      this.next = null
      this.handler.onMoveFailed?.(error)
      if (this.current.over && this.done && !this.next) this.finish(this.done)
    } else if (leg.session.closed) {
      this.interrupted({ status: DoneCode.INTERNAL_ERROR, reason: error.reason })
    } else if (!this.next) {
      this.close()
      this.handler.onRejected?.(error)
    }
  }

  object(leg: MigrationLeg, object: MoqObject, subgroup: IncomingSubgroup | null): void {
    if (!this.seen.add(object.group, object.object)) return
    if (this.next && this.seen.forgot(object.group)) return
    this.handler.onObject(object, subgroup)
    if (leg === this.current && this.next?.accepted) this.look()
  }

  subgroupOpened(subgroup: IncomingSubgroup): void {
    this.handler.onSubgroup?.(subgroup)
  }

  subgroupEnded(subgroup: IncomingSubgroup): void {
    this.handler.onSubgroupEnd?.(subgroup)
    this.look()
  }

  subgroupReset(subgroup: IncomingSubgroup, code: number): void {
    this.handler.onSubgroupReset?.(subgroup, code)
    this.look()
  }

  goaway(goaway: Goaway): void {
    this.handler.onGoaway?.(goaway)
  }

  ended(leg: MigrationLeg, done: SubscriptionEnd): void {
    if (leg === this.next) {
      // It was accepted, and is gone before the old one had finished.
      this.next = null
      this.stopTimer()
      if (this.current.over) this.interrupted(done)
      return
    }
    if (leg !== this.current || this.over) return
    const final = FINAL.has(done.status) && !leg.session.closed
    if (final) this.done = done
    if (this.next?.accepted) this.settle()
    else if (this.next) return
    else if (final) this.finish(done)
    else this.interrupted(done)
  }

  drained(leg: MigrationLeg): void {
    if (this.over && leg === this.current) this.handler.onDrained?.()
  }

  // ---- the switch

  /** Something of the old one came or ended, while the new one is there already. */
  private look(): void {
    if (!this.over && this.next?.accepted && this.caughtUp()) this.settle()
  }

  /** Whether the old one has brought everything before what the new one brings. */
  private caughtUp(): boolean {
    const largest = this.next?.accepted?.largest
    if (!largest) return true
    if (this.current.firstOpenGroup < largest.group) return false
    return isAfter(this.seen.missing(largest.group), largest)
  }

  /** The new one takes over; what is still missing is fetched there. */
  private settle(): void {
    const old = this.current
    const next = this.next
    if (this.over || !next?.accepted) return
    this.stopTimer()
    this.current = next
    this.next = null
    this.done = null
    const from = this.missingSince(old, next.accepted.largest)
    old.drop(ResetCode.GOING_AWAY)
    if (from && next.accepted.largest) this.fill(from, next.accepted.largest)
  }

  /** The first location that may be missing up to `largest`; null: nothing is. */
  private missingSince(old: MigrationLeg, largest: Location | null): Location | null {
    const unfilled = this.filling?.from
    this.filling?.cancel()
    this.filling = null
    if (!largest || this.parameters.forward === false) return null
    const broken = this.seen.forgot(old.brokenGroup) ? Number.POSITIVE_INFINITY : old.brokenGroup
    const open = Math.min(old.firstOpenGroup, broken)
    const newest = { group: old.newestGroup, object: old.newestObject }
    const lags = open < largest.group || isAfter(largest, newest)
    if (!lags && !old.over && !unfilled) return null
    const group = Math.max(0, Math.min(open, newest.group))
    const missing = this.seen.missing(group)
    const from = unfilled && isAfter(missing, unfilled) ? unfilled : missing
    return isAfter(from, largest) ? null : from
  }

  private fill(from: Location, to: Location): void {
    const { fillGroups } = this
    if (fillGroups === null) {
      this.handler.onGap?.(from, to)
      return
    }
    let start = from
    if (from.group < to.group - fillGroups) {
      start = { group: to.group - fillGroups, object: 0 }
      this.handler.onGap?.(from, { group: start.group - 1, object: Number.MAX_SAFE_INTEGER })
      if (this.over) return
    }
    const failed = () => {
      this.filling = null
      this.handler.onGap?.(start, to)
    }
    const { track, current } = this
    if (current.session.closed) {
      failed()
      return
    }
    const end = { group: to.group, object: to.object + 1 }
    const fetch = current.session.fetch(
      { kind: 'standalone', track, start, end },
      {
        onObject: (object) => {
          if (this.seen.forgot(object.group) || !this.seen.add(object.group, object.object)) return
          this.handler.onObject(object, null)
        },
        onEnd: () => {
          this.filling = null
        },
        onRejected: failed,
        // With its session: the next move fetches what is still missing.
        onReset: () => {
          if (!current.session.closed) failed()
        },
      },
    )
    this.filling = { cancel: () => fetch.cancel(), from: start }
  }

  private interrupted(done: SubscriptionEnd): void {
    if (!this.over && !this.next) this.handler.onInterrupted?.(done)
  }

  private finish(done: SubscriptionEnd): void {
    this.close()
    this.handler.onDone?.(done)
  }

  private close(): void {
    this.over = true
    this.stopTimer()
    this.filling?.cancel()
    this.filling = null
  }
}

/** There is nothing to move for; any other status, and one that is not known, is a fault of the place. */
const FINAL: ReadonlySet<number> = new Set([
  DoneCode.UNAUTHORIZED,
  DoneCode.TRACK_ENDED,
  DoneCode.SUBSCRIPTION_ENDED,
  DoneCode.EXPIRED,
  DoneCode.UPDATE_FAILED,
  DoneCode.MALFORMED_TRACK,
])

/** A filter that skips what is left of a group would leave a hole where the old one is cancelled. */
function onTheMove(parameters: Parameters): Parameters {
  if (parameters.filter?.kind !== 'next-group-start') return parameters
  return { ...parameters, filter: { kind: 'largest-object' } }
}

/** What a subscription is sure to bring: what is published after its answer, and passes its filter. */
function firstPromised(largest: Location | null, parameters: Parameters): Location {
  const live = filterRange({ kind: 'largest-object' }, largest).start
  const { start } = filterRange(parameters.filter, largest)
  return isAfter(start, live) ? start : live
}
