/**
 * What every part of a membership shares: its state, its helpers, and the ways out of a group. What
 * comes in is in `member-inbox.ts`, what makes epochs in `member-epochs.ts`.
 */

import { sameBytes } from '../../moq/wire/names.ts'
import { Courier } from './courier.ts'
import { Disputes } from './disputes.ts'
import { Entrance } from './entrance.ts'
import { KeysError } from './errors.ts'
import { GroupBook } from './group-book.ts'
import { LogFollower } from './log-follower.ts'
import { groupIdOf, type MemberState, wipeState } from './member-state.ts'
import {
  type AlarmCode,
  defaultMemberSettings,
  type MemberEvents,
  type MemberOptions,
  type MemberSettings,
} from './member-types.ts'
import { Removals } from './removals.ts'
import { StateKeeper } from './state-keeper.ts'
import { Timers, type Work } from './timers.ts'
import { Tries } from './tries.ts'
import { Updates } from './updates.ts'

/** What the helpers ask for. */
export interface CoreHooks {
  /** No answer came in time. */
  onSilence(): void
  /** The commit that made an epoch did not come. */
  onMissing(epoch: number): void
  /** Commits, if it still can: removes these leaves, maybe none, and renews the own keys. */
  commit(leaves: readonly number[]): Promise<void>
}

export class MemberCore {
  readonly self: string
  readonly settings: MemberSettings
  readonly events: MemberEvents
  readonly entrance: Entrance
  readonly timers: Timers
  readonly tries: Tries
  readonly courier: Courier
  readonly log: LogFollower
  readonly removals: Removals
  readonly updates: Updates
  readonly disputes = new Disputes()
  readonly book: GroupBook
  readonly keeper: StateKeeper
  state: MemberState = { name: 'waiting' }

  /** @param run does a timer's work when it is its turn */
  constructor(
    options: MemberOptions,
    events: MemberEvents,
    run: (work: Work) => void,
    hooks: CoreHooks,
  ) {
    const settings = { ...defaultMemberSettings, ...options.settings }
    const { participantId: self, clock, random } = options
    const timers = new Timers(clock, run)
    const tries = new Tries(settings, random)
    this.self = self
    this.settings = settings
    this.events = events
    this.timers = timers
    this.tries = tries
    this.book = new GroupBook(settings.baseKeyBytes, options.wallClock ?? Date.now)
    this.entrance = new Entrance(options, events, settings.maxMembers)
    this.courier = new Courier(events, timers, tries, () => hooks.onSilence())
    this.log = new LogFollower(
      settings,
      timers,
      (epoch) => events.requestLog(epoch),
      (epoch) => hooks.onMissing(epoch),
    )
    this.removals = new Removals(self, settings, timers, tries, (leaves) => hooks.commit(leaves))
    this.updates = new Updates(self, settings, timers, random, () => hooks.commit([]))
    this.keeper = new StateKeeper(self, options.slot ?? null, settings.saveMs, timers, (...alarm) =>
      this.alarm(...alarm),
    )
  }

  get isOver(): boolean {
    return this.state.name === 'left' || this.state.name === 'failed'
  }

  /** The members that are gone and not removed yet. */
  get gone(): ReadonlySet<string> {
    return new Set(this.removals.departures.gone(this.timers.now()))
  }

  isCurrent(groupId: Uint8Array): boolean {
    const current = groupIdOf(this.state)
    return current !== null && sameBytes(current, groupId)
  }

  setState(state: MemberState): void {
    const changed = state.name !== this.state.name
    this.state = state
    if (changed) this.events.onState(state.name)
  }

  alarm(code: AlarmCode, message: string, cause?: unknown, epoch?: number): void {
    this.events.onAlarm({ code, message, cause, epoch })
  }

  /** Out of any group; asks for the newest snapshot after a while. */
  wait(delayMs: number): void {
    void this.keeper.forgetGroup(this.state, this.entrance.keys.keys)
    this.discard()
    this.setState({ name: 'waiting' })
    this.courier.askAfter(delayMs)
  }

  /** A race was lost, or a snapshot was of no use: again, from the newest one, after a while. */
  retry(error: KeysError): void {
    if (this.tries.again()) this.wait(this.tries.backoff())
    else this.fail(error)
  }

  /**
   * This member's state is of no use any more: it joins anew, in the place of its old leaf.
   * @param epoch first one that it gives up for good reason; see `KeysAlarm`
   */
  rejoin(code: AlarmCode, error: KeysError, epoch?: number): void {
    // A stored state was worth a try; that it is too old is nothing to tell.
    if (this.state.name === 'restoring') {
      this.wait(0)
      return
    }
    this.alarm(code, error.message, error, epoch)
    if (this.tries.rejoin()) this.wait(this.tries.backoff(this.tries.rejoins))
    else this.fail(error)
  }

  fail(error: KeysError): void {
    this.end({ name: 'failed', error }, false)
    this.events.onFailed(error)
  }

  /** @param keepState for whoever restores it, as after a crash */
  end(state: MemberState, keepState: boolean): void {
    this.discard()
    void this.keeper.close(keepState)
    this.entrance.forget()
    this.setState(state)
  }

  /** Forgets the group of the current state, and every timer. */
  private discard(): void {
    this.timers.clearAll()
    this.log.rest()
    this.removals.departures.reset()
    this.updates.reset()
    this.disputes.reset()
    this.book.close()
    this.courier.takeAnswer()
    wipeState(this.state)
  }
}

/** A race that another participant won. */
export function lost(message: string): KeysError {
  return new KeysError('contention', message)
}
