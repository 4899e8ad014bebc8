/** Why a submission was not accepted. A word for metrics; `detail` is for a log line. */
export type RefusalReason =
  /** Not a submission, or no MLS message where one belongs. */
  | 'malformed'
  | 'rate-limited'
  /** Too many rooms, members or submitters. */
  | 'full'
  | 'no-group'
  | 'group-exists'
  /** Another commit made that epoch first. */
  | 'stale-epoch'
  | 'wrong-group'
  | 'wrong-suite'
  /** The GroupInfo is not that of the epoch which the commit makes. */
  | 'bad-group-info'
  /** Proposals that rooms do not use. */
  | 'bad-proposal'
  /** A member's commit, or a goodbye, from someone who is none. */
  | 'not-a-member'
  /** The credential in the commit is not the submitter's. */
  | 'wrong-identity'
  /** An external commit that leaves an older leaf of the same participant, or removes another's. */
  | 'bad-resync'
  /** Of the commit, of a leaf, of a GroupInfo or of a report. */
  | 'bad-signature'
  /** The commit's path does not fit the group's tree. */
  | 'bad-path'
  /** That commit was skipped: members could not apply it. */
  | 'skipped'
  /** The submitter's commits were skipped, and it may not commit for a while. */
  | 'barred'
  /** More of the room waits for the disk than may. */
  | 'overloaded'
  /** The service cannot keep it, so it does not take it: its disk is full, for instance. */
  | 'unavailable'

export const refusalReasons = [
  'malformed',
  'rate-limited',
  'full',
  'no-group',
  'group-exists',
  'stale-epoch',
  'wrong-group',
  'wrong-suite',
  'bad-group-info',
  'bad-proposal',
  'not-a-member',
  'wrong-identity',
  'bad-resync',
  'bad-signature',
  'bad-path',
  'skipped',
  'barred',
  'overloaded',
  'unavailable',
] as const satisfies readonly RefusalReason[]

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, detail: string) {
    super(detail)
    this.reason = reason
  }
}
