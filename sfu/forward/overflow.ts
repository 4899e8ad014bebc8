import { type FlowLane, SubgroupFlow } from './flow.ts'
import type { ForwardObject } from './object.ts'

/** What an object that waits costs beside its bytes, so that many small ones are bounded too. */
export const ENTRY_BYTES = 64
/** A full rank is emptied to this share of all, so that looking for the oldest is done seldom. */
const LOW_WATER = 7 / 8

/** Who has too much waiting. */
export interface OverflowHost {
  /** Bytes that wait, with `ENTRY_BYTES` for each object. */
  load(): number
  giveUp(flow: SubgroupFlow): void
  /** All of them go from the lane at once. */
  drop(lane: FlowLane, datagrams: ReadonlySet<ForwardObject>): void
}

/** Has the host let go of the least urgent and oldest, until it is below its bound again. */
export function relieve(lanes: readonly FlowLane[], maxBytes: number, host: OverflowHost): void {
  const dropped = new Map<FlowLane, Set<ForwardObject>>()
  let marked = 0
  let lastRank = -1
  for (const { rank, lane, waiting } of victims(lanes)) {
    const load = host.load() - marked
    if (load <= maxBytes * LOW_WATER || (load <= maxBytes && rank !== lastRank)) break
    lastRank = rank
    if (waiting instanceof SubgroupFlow) {
      if (waiting.lane === lane) host.giveUp(waiting)
    } else {
      marked += waiting.datagram!.length + ENTRY_BYTES
      const ofLane = dropped.get(lane)
      if (ofLane) ofLane.add(waiting)
      else dropped.set(lane, new Set([waiting]))
    }
  }
  for (const [lane, datagrams] of dropped) host.drop(lane, datagrams)
}

/** One thing that can be dropped as a whole: a subgroup, or a datagram. */
interface Victim {
  readonly rank: number
  readonly lane: FlowLane
  readonly waiting: SubgroupFlow | ForwardObject
  readonly arrivedAt: number
}

/**
 * What goes first when a subscriber's queue is full: the least urgent, and of those the oldest.
 * @param lanes all that stand in a rank
 */
function* victims(lanes: readonly FlowLane[]): Generator<Victim> {
  const ranks = Map.groupBy(lanes, (lane) => lane.rank!.number)
  for (const rank of [...ranks.keys()].sort((a, b) => b - a)) {
    const found: Victim[] = []
    for (const lane of ranks.get(rank)!) {
      for (const flow of lane.flows()) {
        found.push({ rank, lane, waiting: flow, arrivedAt: flow.first!.arrivedAt })
      }
      for (const datagram of lane.datagrams.list()) {
        found.push({ rank, lane, waiting: datagram, arrivedAt: datagram.arrivedAt })
      }
    }
    yield* found.sort(older)
  }
}

/** Of those that came in the same instant, the earlier in the track. */
function older(a: Victim, b: Victim): number {
  return a.arrivedAt - b.arrivedAt || groupOf(a) - groupOf(b) || objectOf(a) - objectOf(b)
}

function groupOf({ waiting }: Victim): number {
  return waiting.group
}

function objectOf({ waiting }: Victim): number {
  return 'object' in waiting ? waiting.object : waiting.first!.object
}
