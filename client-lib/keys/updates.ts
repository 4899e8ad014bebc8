/**
 * When this member renews its keys: now and then, so that whoever stole its state is locked out again
 * (RFC 9420 section 16.6), spread over the members by leaf, so that they do not all come at once.
 */

import type { MemberSettings } from './member-types.ts'
import type { RosterEntry } from './roster.ts'
import type { Timers } from './timers.ts'

export class Updates {
  private readonly self: string
  private readonly settings: MemberSettings
  private readonly timers: Timers
  private readonly random: () => number
  private readonly update: () => Promise<void>
  /** It is time, and no commit of ours was taken since. */
  private due = false
  /** Any member's commit will do. */
  private wanted = false

  /** @param update commits, if it can */
  constructor(
    self: string,
    settings: MemberSettings,
    timers: Timers,
    random: () => number,
    update: () => Promise<void>,
  ) {
    this.self = self
    this.settings = settings
    this.timers = timers
    this.random = random
    this.update = update
  }

  /** An epoch has begun. @param own by our own commit, which renewed our keys */
  plan(roster: readonly RosterEntry[], own: boolean): void {
    if (own) this.due = false
    if (own || this.wanted) this.timers.clear('update')
    this.wanted = false
    if (this.timers.has('update') || (this.settings.updateMs === 0 && !this.due)) return
    this.setTimer(this.due ? this.turn(roster) : this.period(roster))
  }

  /** It is asked for now; goes on until a commit of ours is taken. */
  demand(): Promise<void> {
    this.due = true
    this.timers.clear('update')
    return this.update()
  }

  /** Some member should make an epoch soon; the first by leaf tries first. */
  hurry(roster: readonly RosterEntry[]): void {
    this.wanted = true
    this.setTimer(this.turn(roster))
  }

  /** Tries again after `ms` what was not taken. */
  postpone(ms: number): void {
    if (this.due) this.setTimer(ms)
  }

  /** This member is in no group any more. */
  reset(): void {
    this.due = false
    this.wanted = false
  }

  private setTimer(ms: number): void {
    this.timers.set('update', ms, () => {
      if (!this.wanted) this.due = true
      return this.update()
    })
  }

  /** From three quarters of the period to five, by leaf. */
  private period(roster: readonly RosterEntry[]): number {
    const place = (this.rank(roster) + this.random()) / Math.max(roster.length, 1)
    return this.settings.updateMs * (0.75 + place / 2)
  }

  private turn(roster: readonly RosterEntry[]): number {
    return (this.rank(roster) + this.random()) * this.settings.removalStepMs
  }

  private rank(roster: readonly RosterEntry[]): number {
    return Math.max(
      0,
      roster.findIndex(({ participantId }) => participantId === this.self),
    )
  }
}
