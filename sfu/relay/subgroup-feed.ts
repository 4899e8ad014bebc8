import type { IncomingSubgroup } from '../../moq/session/index.ts'
import type { RelayedSubgroup } from './relayed-subgroup.ts'

/** One subgroup stream of one publisher's, feeding the relayed subgroup that it belongs to. */
export class SubgroupFeed {
  readonly incoming: IncomingSubgroup
  /** Known with the first object: only then is the subgroup's id (section 11.4.2, mode 0b01). */
  subgroup: RelayedSubgroup | null = null
  /** Id of the last object that came on it, or -1. */
  last = -1
  /** The same without objects that are recorded as not existing (section 2.1). */
  previous = -1

  /** Its publisher's draft has timeouts of a subgroup's own (`DraftRules.subgroupTimeouts`). */
  readonly mayHaveTimeouts: boolean

  constructor(incoming: IncomingSubgroup, mayHaveTimeouts: boolean) {
    this.incoming = incoming
    this.mayHaveTimeouts = mayHaveTimeouts
  }
}
