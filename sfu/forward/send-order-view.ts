/** A look at what waits in a send order, for metrics and people: every queue is looked at. */

import type { SendOrder } from './send-order.ts'
import { TRAFFIC } from './traffic.ts'

/** Subgroups and datagrams by traffic class, fetches, and what is blocked for want of stream credit. */
export function waitingIn(order: SendOrder) {
  const { blockedCount: blocked, sourceCount: fetches } = order
  const queues = Object.fromEntries(TRAFFIC.map((traffic) => [traffic, 0]))
  for (const lane of order.lanes()) queues[TRAFFIC[lane.traffic]!]! += lane.size
  return { queues, fetches, blocked }
}

/**
 * When what has waited longest came, by traffic class.
 * @param earliest is lowered where something older waits; ms
 */
export function oldestIn(order: SendOrder, earliest: Float64Array): void {
  for (const lane of order.lanes()) {
    const { traffic } = lane
    for (const { first } of lane.flows()) {
      if (first) earliest[traffic] = Math.min(earliest[traffic]!, first.arrivedAt)
    }
    for (const { arrivedAt } of lane.datagrams.list()) {
      earliest[traffic] = Math.min(earliest[traffic]!, arrivedAt)
    }
  }
}
