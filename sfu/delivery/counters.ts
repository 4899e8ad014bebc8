/** What the delivery service did since its start, for metrics. */

import { type RefusalReason, refusalReasons } from './refusal.ts'

export const submissionKinds = ['create', 'commit', 'leave', 'report'] as const

export interface DeliveryCounters {
  /** By kind; a submission that came again and changed nothing is in `repeated` alone. */
  readonly accepted: Record<(typeof submissionKinds)[number], number>
  readonly refused: Record<RefusalReason, number>
  /** Commits that members could not apply. */
  skipped: number
  repeated: number
  /** Times that the disk could not be written or a file not be read. */
  storageFailures: number
}

export function makeDeliveryCounters(): DeliveryCounters {
  return {
    accepted: { create: 0, commit: 0, leave: 0, report: 0 },
    refused: zeros(refusalReasons),
    skipped: 0,
    repeated: 0,
    storageFailures: 0,
  }
}

function zeros<Names extends readonly string[]>(names: Names): Record<Names[number], number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Names[number], number>
}
