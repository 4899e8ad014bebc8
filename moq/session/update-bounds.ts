/**
 * How many REQUEST_UPDATEs may be unanswered on one request stream (draft-19 section 10.3.1.7). A draft
 * without MAX_REQUEST_UPDATES has no bound.
 */
export interface UpdateBounds {
  /** Of the peer's; one more ends the session with TOO_MANY_REQUEST_UPDATES. */
  readonly theirs: number
  /** Of ours, at least 1; what goes beyond waits. Known with the peer's SETUP. */
  ours: number
  /** The peer had more; the session ends. */
  onExceeded?(): void
}

export const UNBOUNDED: UpdateBounds = {
  theirs: Number.POSITIVE_INFINITY,
  ours: Number.POSITIVE_INFINITY,
}
