import type { FlowLane, SubgroupFlow } from './flow.ts'
import type { ForwardObject } from './object.ts'

/** One thing that can be dropped as a whole: a subgroup, or a datagram. */
export interface Victim {
  readonly rank: number
  readonly lane: FlowLane
  readonly waiting: SubgroupFlow | ForwardObject
  readonly arrivedAt: number
}

/**
 * What goes first when a subscriber's queue is full: the least urgent, and of those the oldest.
 * @param lanes all that stand in a rank
 */
export function* victims(lanes: readonly FlowLane[]): Generator<Victim> {
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
