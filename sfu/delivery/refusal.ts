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

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, detail: string) {
    super(detail)
    this.reason = reason
  }
}
