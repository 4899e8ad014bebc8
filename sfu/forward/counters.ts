import { ResetCode } from '../../moq/wire/codes.ts'
import { Histogram } from './histogram.ts'
import { TRAFFIC } from './traffic.ts'
import { TrafficTally } from './traffic-tally.ts'

/** What forwarding counts; plain numbers that the hot path increments. */
export interface ForwardCounters {
  readonly received: TrafficTally
  readonly sent: TrafficTally
  /**
   * By traffic class: how long after its first byte came an object was handed to the transport, ms.
   * Of what a subscriber joins in the middle of, since it joined; fetches are not in it.
   */
  readonly latency: readonly Histogram[]
  readonly drops: {
    /** Past its latency budget. */
    deadline: number
    /** An enhancement datagram that the path did not take. */
    congestion: number
    /** The subscriber's queue was full. */
    overflow: number
    /** It waited when the subscriber was given another rendition, or none. */
    selection: number
    /** Its publisher sent more than it may. */
    policing: number
  }
  /** The same, by traffic class: objects, and subgroups that were given up. */
  readonly dropsOf: Float64Array
  /** Streams of subgroups that ended by a reset, by the name of its code. */
  readonly resets: {
    readonly sent: ResetTally
    readonly received: ResetTally
    /** That a subscriber wanted no more of (STOP_SENDING). */
    readonly stopped: ResetTally
  }
  /** A receiver was given a larger rendition of a picture, or a smaller one. */
  readonly renditionSwitches: { up: number; down: number }
  /** A receiver was given more temporal layers of the same rendition, or fewer. */
  readonly layerChanges: { up: number; down: number }
  /** New groups asked of publishers, and wishes for one that another request stands for. */
  keyFrameRequests: number
  keyFrameRequestsCoalesced: number
}

/** Upper bounds of `ForwardCounters.latency`, ms. */
export const LATENCY_BOUNDS: readonly number[] = [
  0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000,
]

/** Streams by the name of the code that they were reset with (draft-18 section 3.3.3). */
export type ResetTally = Record<keyof typeof ResetCode | 'OTHER', number>

const RESET_NAMES = new Map(
  (Object.keys(ResetCode) as (keyof typeof ResetCode)[]).map((name) => [ResetCode[name], name]),
) as ReadonlyMap<number, keyof typeof ResetCode>

/** @param code of a peer's, perhaps: those that have no name are counted together */
export function countReset(tally: ResetTally, code: number): void {
  tally[RESET_NAMES.get(code) ?? 'OTHER']++
}

/** All at zero. */
export function makeForwardCounters(): ForwardCounters {
  return {
    received: new TrafficTally(),
    sent: new TrafficTally(),
    latency: TRAFFIC.map(() => new Histogram(LATENCY_BOUNDS)),
    drops: { deadline: 0, congestion: 0, overflow: 0, selection: 0, policing: 0 },
    dropsOf: new Float64Array(TRAFFIC.length),
    resets: { sent: makeResetTally(), received: makeResetTally(), stopped: makeResetTally() },
    renditionSwitches: { up: 0, down: 0 },
    layerChanges: { up: 0, down: 0 },
    keyFrameRequests: 0,
    keyFrameRequestsCoalesced: 0,
  }
}

function makeResetTally(): ResetTally {
  const names = [...RESET_NAMES.values(), 'OTHER']
  return Object.fromEntries(names.map((name) => [name, 0])) as ResetTally
}
