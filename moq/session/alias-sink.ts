import type { MoqObject } from '../wire/object.ts'
import type { IncomingSubgroup } from './subscription-handler.ts'

/** Where goes what comes under a track alias: one subscription, or several that share it. */
export interface AliasSink {
  /** @param subgroup null for a datagram */
  deliver(object: MoqObject, subgroup: IncomingSubgroup | null): void
  subgroupOpened(subgroup: IncomingSubgroup): void
  subgroupEnded(subgroup: IncomingSubgroup): void
  subgroupReset(subgroup: IncomingSubgroup, code: number): void
  /** Its owner stopped it. */
  subgroupStopped(subgroup: IncomingSubgroup): void
}
