import {
  type ArrivalContext,
  DEFAULT_REPAIR,
  RepairDriver,
  type RepairRange,
} from '../../../moq/media/index.ts'
import type { Clock } from '../../../moq/session/index.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import type { RequestError } from '../../../moq/wire/messages.ts'
import type { FullTrackName } from '../../../moq/wire/names.ts'
import type { MoqObject } from '../../../moq/wire/object.ts'
import type { RepairFigures } from '../types.ts'
import type { CallSession } from './call-session.ts'

export interface TrackRepairOptions {
  readonly session: CallSession
  readonly track: FullTrackName
  readonly clock: Clock
  /** Round trip to the relay, ms; Infinity while it is not known. */
  readonly rttMs: () => number
  /** 0..255, as of the subscription. */
  readonly priority: number
  /** An object that was asked for again. */
  readonly onObject: (object: MoqObject) => void
}

type Fetch = ReturnType<CallSession['fetch']>

/** Answers without a single object in a row after which nothing is asked for any more. */
const MOST_FAILURES = 8
/** Until a relay has a later object, at 30 frames a second. */
const NEXT_FRAME_MS = 35
/** Refusals that may be over in a moment. */
const PASSING: ReadonlySet<number> = new Set([
  RequestCode.DOES_NOT_EXIST,
  RequestCode.EXCESSIVE_LOAD,
  RequestCode.TIMEOUT,
  RequestCode.INVALID_RANGE,
])

/**
 * Asks for lost datagrams of a subscription again, by FETCH (draft-18 section 10.12), while they are of
 * use. It ends by itself where FETCH is refused.
 */
export class TrackRepair {
  private readonly options: TrackRepairOptions
  private readonly driver: RepairDriver
  /** With what takes each of them back when it is too late. */
  private readonly fetches = new Map<Fetch, () => void>()
  private failures = 0
  private off = false
  private notBefore = Number.NEGATIVE_INFINITY

  constructor(options: TrackRepairOptions) {
    this.options = options
    const { clock, rttMs } = options
    this.driver = new RepairDriver({
      clock,
      rttMs: () => (this.isPaused ? Number.POSITIVE_INFINITY : rttMs()),
      fetch: (range) => this.fetch(range),
    })
  }

  get figures(): RepairFigures {
    const { repaired, late, expired, hopeless, spared, limited } = this.driver.counters
    return { repaired, late, givenUp: expired + hopeless + spared + limited }
  }

  /** Objects that did not come by themselves. */
  get lost(): number {
    const { asked, hopeless, spared, limited } = this.driver.counters
    return asked + hopeless + spared + limited
  }

  /** Whether lost objects are asked for. */
  get active(): boolean {
    return !this.off
  }

  /** Each object of the track has to be told. @returns false for what came before */
  received(group: number, object: number, context: ArrivalContext): boolean {
    return this.driver.received(group, object, context)
  }

  /** Until when one of these objects may still come; null: none is awaited. */
  awaitedUntil(group: number, first: number, end: number): number | null {
    return this.driver.awaitedWithin(group, first, end)
  }

  close(): void {
    this.off = true
    this.driver.close()
    for (const fetch of [...this.fetches.keys()]) this.over(fetch)?.cancel()
  }

  private get isPaused(): boolean {
    return this.off || this.options.clock.now() < this.notBefore || this.options.session.closed
  }

  private fetch(range: RepairRange): void {
    const { group, first, last } = range
    const { session, track, clock, priority, onObject } = this.options
    if (this.isPaused) return
    let came = 0
    const fetch = session.fetch(
      {
        kind: 'standalone',
        track,
        start: { group, object: first },
        end: { group, object: last + 1 },
      },
      {
        onObject: (object) => {
          // What nobody asked for, or what came by itself meanwhile, is not taken.
          if (this.driver.awaitedUntil(object.group, object.object) === null) return
          came++
          onObject(object)
        },
        onRejected: (error) => {
          this.over(fetch)
          this.onRefused(range, error)
        },
        onEnd: () => {
          this.over(fetch)
          if (came > 0) this.failures = 0
          else this.onFailure()
        },
        onReset: () => this.over(fetch),
      },
      { subscriberPriority: priority },
    )
    const tooLate = () => {
      this.over(fetch)?.cancel()
      // Frames waited for it: it is worse than no repair.
      if (came === 0) this.onFailure()
    }
    this.fetches.set(fetch, clock.after(DEFAULT_REPAIR.deadlineMs, tooLate))
  }

  private onRefused(range: RepairRange, { code, retryAfterMs }: RequestError): void {
    if (!PASSING.has(code)) this.off = true
    this.onFailure()
    // The last fragment of the newest frame was lost before the relay: it learns of it from the next one.
    if (code === RequestCode.INVALID_RANGE) this.driver.postpone(range, NEXT_FRAME_MS)
    if (retryAfterMs !== null) this.notBefore = this.options.clock.now() + retryAfterMs
  }

  private onFailure(): void {
    if (++this.failures >= MOST_FAILURES) this.off = true
  }

  /** @returns the fetch when it was not over yet */
  private over(fetch: Fetch): Fetch | null {
    const stopTimer = this.fetches.get(fetch)
    if (!stopTimer) return null
    stopTimer()
    this.fetches.delete(fetch)
    return fetch
  }
}
