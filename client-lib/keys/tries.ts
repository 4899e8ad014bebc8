import type { MemberSettings } from './member-types.ts'

/** Counts what went wrong in a row, and says how long to wait for the next try. */
export class Tries {
  private readonly settings: MemberSettings
  private readonly random: () => number
  /** Lost races and unanswered requests since this member last came in or had a commit taken. */
  count = 0
  /** Times that this member had to join anew since it was last stable. */
  rejoins = 0

  constructor(settings: MemberSettings, random: () => number) {
    this.settings = settings
    this.random = random
  }

  /** Counts one more; false when there have been too many. */
  again(): boolean {
    this.count += 1
    return this.count <= this.settings.maxTries
  }

  /** As `again`, for joining anew. */
  rejoin(): boolean {
    this.rejoins += 1
    return this.rejoins <= this.settings.maxTries
  }

  /** How long to wait for an answer, ms. */
  patience(): number {
    return this.settings.answerMs * 1.5 ** Math.min(this.count, 6)
  }

  /** A random delay under a bound that doubles with each failure, ms; 0 when there was none. */
  backoff(failures = this.count): number {
    if (failures === 0) return 0
    const { backoffMs, backoffMaxMs } = this.settings
    return this.random() * Math.min(backoffMs * 2 ** Math.min(failures, 16), backoffMaxMs)
  }
}
