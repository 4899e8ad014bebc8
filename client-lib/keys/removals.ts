/**
 * When this member removes those who are gone. Members rank by leaf among those who stay: the first
 * commits at once, each further one a step later, so that usually one commit is made.
 */

import { Departures } from './departures.ts'
import type { MemberSettings } from './member-types.ts'
import type { RosterEntry } from './roster.ts'
import type { Timers } from './timers.ts'
import type { Tries } from './tries.ts'

export class Removals {
  readonly departures: Departures
  private readonly self: string
  private readonly stepMs: number
  private readonly timers: Timers
  private readonly tries: Tries
  private readonly remove: (leaves: readonly number[]) => Promise<void>

  /** @param remove commits the removal, if it still can */
  constructor(
    self: string,
    { graceMs, removalStepMs }: MemberSettings,
    timers: Timers,
    tries: Tries,
    remove: (leaves: readonly number[]) => Promise<void>,
  ) {
    this.self = self
    this.stepMs = removalStepMs
    this.timers = timers
    this.tries = tries
    this.remove = remove
    this.departures = new Departures(self, graceMs)
  }

  /** Returns whether somebody is to be removed. `roster` is asked again when a delay is over. */
  async plan(roster: () => readonly RosterEntry[]): Promise<boolean> {
    const now = this.timers.now()
    const expiry = this.departures.nextExpiry(now)
    if (expiry !== null) {
      this.timers.set('vanish', expiry, async () => void (await this.plan(roster)))
    }
    const gone = new Set(this.departures.gone(now))
    if (gone.size === 0) {
      this.timers.clear('removal')
      return false
    }
    if (this.timers.has('removal')) return true
    const staying = roster().filter(({ participantId }) => !gone.has(participantId))
    const rank = staying.findIndex(({ participantId }) => participantId === this.self)
    const delay = Math.max(rank, 0) * this.stepMs + this.tries.backoff()
    if (delay === 0) await this.commit(roster)
    else this.timers.set('removal', delay, () => this.commit(roster))
    return true
  }

  /** Plans anew after `ms`, whatever was planned. */
  postpone(ms: number, roster: () => readonly RosterEntry[]): void {
    this.timers.set('removal', ms, () => this.commit(roster))
  }

  private async commit(roster: () => readonly RosterEntry[]): Promise<void> {
    const gone = new Set(this.departures.gone(this.timers.now()))
    const leaves = roster()
      .filter(({ participantId }) => gone.has(participantId))
      .map(({ leaf }) => leaf)
    if (leaves.length > 0) await this.remove(leaves)
  }
}
