/** Talks to the delivery service: asks, submits, and does so again while no answer comes. */

import { encodeSubmission, type Submission } from '../../moq/delivery/index.ts'
import { isInGroup, type MemberState } from './member-state.ts'
import type { MemberEvents } from './member-types.ts'
import type { Attempt } from './mls-engine.ts'
import type { Timers } from './timers.ts'
import type { Tries } from './tries.ts'

export class Courier {
  private readonly events: MemberEvents
  private readonly timers: Timers
  private readonly tries: Tries
  private readonly onSilence: () => void
  private asked = false
  private online = true

  /** @param onSilence there was no answer in time */
  constructor(events: MemberEvents, timers: Timers, tries: Tries, onSilence: () => void) {
    this.events = events
    this.timers = timers
    this.tries = tries
    this.onSilence = onSilence
  }

  /** Whether a snapshot that was asked for has not come. */
  get isOpen(): boolean {
    return this.asked
  }

  ask(): void {
    this.timers.clear('ask')
    this.asked = true
    this.events.requestSnapshot()
    this.expectAnswer()
  }

  askAfter(ms: number): void {
    this.timers.set('ask', ms, () => this.ask())
  }

  /** Unless an answer of any kind is expected already. */
  askOnce(): void {
    if (!this.timers.has('answer') && !this.timers.has('ask')) this.ask()
  }

  /** A snapshot came: whether it may be the answer to a question. */
  takeAnswer(): boolean {
    const { asked } = this
    this.asked = false
    return asked
  }

  /** Submits what the state has pending, if anything. */
  submit(state: MemberState): void {
    if (state.name === 'creating') {
      const { groupInfo } = state.founding
      this.send({ kind: 'create', suite: state.engine.suite, groupInfo })
    } else if (state.name === 'joining') {
      this.submitCommit(state.attempt)
    } else if (isInGroup(state) && state.pending !== null) {
      this.submitCommit(state.pending)
    } else return
    this.expectAnswer()
  }

  /** Says that a commit cannot be applied (`moq/delivery/report.ts`). */
  report(report: Omit<Extract<Submission, { kind: 'report' }>, 'kind'>): void {
    this.send({ kind: 'report', ...report })
  }

  sayGoodbye(): void {
    this.send({ kind: 'leave' })
  }

  /** Returns whether the connection is back after it was gone. */
  setOnline(online: boolean): boolean {
    const returned = online && !this.online
    this.online = online
    return returned
  }

  private submitCommit({ commit, groupInfo }: Attempt): void {
    this.send({ kind: 'commit', commit, groupInfo })
  }

  private send(submission: Submission): void {
    this.events.submit(encodeSubmission(submission))
  }

  private expectAnswer(): void {
    this.timers.set('answer', this.tries.patience(), () => {
      if (this.online) this.onSilence()
      else this.expectAnswer()
    })
  }
}
