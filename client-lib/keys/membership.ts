/**
 * One participant's membership in a room's MLS group: the state machine between the delivery service
 * and the SFrame keys.
 *
 *     waiting → creating | joining → member → left
 *
 * with a way back to `waiting` from every state that the service contradicts, and `failed` when tries
 * run out. The snapshot is the authority on which group is current, the log on what made an epoch. A
 * commit that was submitted changes nothing here until the log, or a snapshot, shows that it was taken.
 *
 * Transport-free; time, jitter and output are passed in. No two methods may run at the same time.
 */

import type { ClientState, GroupInfo } from 'ts-mls'
import type { CommitEntry, CreatedEntry, LogEntry, Snapshot } from '../../moq/delivery/index.ts'
import { sameBytes } from '../../moq/wire/names.ts'
import { Courier } from './courier.ts'
import { Entrance } from './entrance.ts'
import { causeOf, created, type EpochCause, epochKeys, joined, removedOthers } from './epoch.ts'
import { KeysError } from './errors.ts'
import type { HeldCommit } from './held-commits.ts'
import { LogFollower } from './log-follower.ts'
import {
  groupIdOf,
  type InGroup,
  type MemberState,
  nextEpochOf,
  wipeState,
} from './member-state.ts'
import {
  type AlarmCode,
  defaultMemberSettings,
  type MemberDump,
  type MemberEvents,
  type MemberOptions,
  type MemberSettings,
} from './member-types.ts'
import { decodeGroupInfo, readCommit } from './messages.ts'
import type { Applied, Attempt, MlsEngine } from './mls-engine.ts'
import { Removals } from './removals.ts'
import type { RosterEntry } from './roster.ts'
import { forgetExporter, wipe } from './secrets.ts'
import { Timers, type Work } from './timers.ts'
import { Tries } from './tries.ts'

export class Membership {
  private readonly self: string
  private readonly settings: MemberSettings
  private readonly events: MemberEvents
  private readonly entrance: Entrance
  private readonly timers: Timers
  private readonly tries: Tries
  private readonly courier: Courier
  private readonly log: LogFollower
  private readonly removals: Removals
  private state: MemberState = { name: 'waiting' }
  private roster: readonly RosterEntry[] = []
  private memberSince = 0

  /** @param run does a timer's work when it is its turn */
  constructor(options: MemberOptions, events: MemberEvents, run: (work: Work) => void) {
    const settings = { ...defaultMemberSettings, ...options.settings }
    this.settings = settings
    this.events = events
    this.self = options.participantId
    this.timers = new Timers(options.clock, run)
    this.tries = new Tries(settings, options.random)
    this.entrance = new Entrance(options, events, settings.maxMembers)
    this.courier = new Courier(events, this.timers, this.tries, () => this.onSilence())
    this.log = new LogFollower(
      settings,
      this.timers,
      (epoch) => events.requestLog(epoch),
      (epoch) => this.onMissing(epoch),
    )
    this.removals = new Removals(this.self, settings, this.timers, this.tries, (leaves) =>
      this.commitRemoval(leaves),
    )
  }

  get isOver(): boolean {
    return this.state.name === 'left' || this.state.name === 'failed'
  }

  start(): void {
    this.wait(0)
  }

  leave(): void {
    this.courier.sayGoodbye()
    this.end({ name: 'left' })
  }

  async setPresent(participantId: string, present: boolean): Promise<void> {
    this.removals.departures.setPresent(participantId, present, this.timers.now())
    await this.planRemoval()
  }

  setOnline(online: boolean): void {
    if (!this.courier.setOnline(online)) return
    this.courier.submit(this.state)
    this.courier.ask()
  }

  fail(error: KeysError): void {
    this.end({ name: 'failed', error })
    this.events.onFailed(error)
  }

  dump(): MemberDump {
    const { state } = this
    const inGroup = state.name === 'member'
    return {
      state: state.name,
      epoch: inGroup ? state.epoch : null,
      members: inGroup ? this.roster.map(({ participantId }) => participantId) : [],
      pending: inGroup && state.pending !== null,
      tries: this.tries.count,
      rejoins: this.tries.rejoins,
    }
  }

  // Outside of a group

  private wait(delayMs: number): void {
    this.discard()
    this.setState({ name: 'waiting' })
    this.courier.askAfter(delayMs)
  }

  /** A race was lost, or a snapshot was of no use: again, from the newest one, after a while. */
  private retry(error: KeysError): void {
    if (this.tries.again()) this.wait(this.tries.backoff())
    else this.fail(error)
  }

  /** This member's state is of no use any more: it joins anew, in the place of its old leaf. */
  private rejoin(code: AlarmCode, error: KeysError): void {
    this.alarm(code, error.message, error)
    if (this.tries.rejoin()) this.wait(this.tries.backoff(this.tries.rejoins))
    else this.fail(error)
  }

  private onSilence(): void {
    const { state } = this
    if (state.name === 'member' && state.pending === null && !this.courier.isOpen) return
    if (this.tries.again()) {
      this.courier.submit(state)
      this.courier.ask()
    } else if (state.name === 'member') {
      // Media goes on under the keys of this epoch; the removal is tried again later.
      this.alarm('no-answer', 'the delivery service takes no commit')
      if (state.pending !== null) wipe(state.pending.state, state.group)
      this.setState({ ...state, pending: null })
      this.tries.count = 0
      this.removals.postpone(this.settings.graceMs, () => this.roster)
    } else {
      this.fail(new KeysError('no-answer', 'the delivery service does not answer'))
    }
  }

  // Snapshots

  async takeSnapshot(snapshot: Snapshot | null): Promise<void> {
    const asked = this.courier.takeAnswer()
    const { state } = this
    let info: GroupInfo | null = null
    try {
      info = snapshot === null ? null : decodeGroupInfo(snapshot)
    } catch (error) {
      if (!(error instanceof KeysError)) throw error
      this.alarm(error.code, error.message, error)
      if (state.name === 'waiting' && asked) this.retry(error)
      return
    }
    if (state.name === 'waiting') {
      // An answer to another participant's request comes here too, and must not cut the backoff.
      if (asked) await this.begin(snapshot, info)
    } else if (snapshot === null || info === null || !this.isCurrent(info.groupContext.groupId)) {
      await this.takeForeign(snapshot, asked)
    } else {
      await this.takeCurrent(snapshot)
    }
  }

  private async begin(snapshot: Snapshot | null, info: GroupInfo | null): Promise<void> {
    this.timers.clear('answer')
    try {
      if (snapshot === null || info === null) {
        this.setState(await this.entrance.create())
      } else {
        this.log.hear(info.groupContext.groupId, snapshot.epoch)
        if (this.log.newestEpoch > snapshot.epoch) throw lost('the snapshot is stale')
        this.setState(await this.entrance.join(snapshot, info))
      }
    } catch (error) {
      if (!(error instanceof KeysError)) throw error
      // The room may have another snapshot soon; of who is in it, or its suite, it will not.
      const mayHelp = error.code === 'contention' || error.code === 'group-info-invalid'
      if (!mayHelp) return this.fail(error)
      if (error.code !== 'contention') this.alarm(error.code, error.message, error)
      return this.retry(error)
    }
    this.courier.submit(this.state)
    await this.drain()
  }

  /** The service has no group, or another one than this member's. */
  private async takeForeign(snapshot: Snapshot | null, asked: boolean): Promise<void> {
    const { name } = this.state
    if (name === 'creating' && snapshot === null) return
    // Unasked, it may be a stale one.
    if (!asked) this.courier.ask()
    else if (name === 'member') {
      this.alarm('group-replaced', 'the delivery service has another group for this room')
      this.wait(0)
    } else this.retry(lost('the room has another group'))
  }

  /** A newer state of this member's group; it may show that a commit was taken. */
  private async takeCurrent({ epoch, groupInfo }: Snapshot): Promise<void> {
    const { state } = this
    this.log.hear(groupIdOf(state)!, epoch)
    if (state.name === 'creating') {
      await this.enter(state.engine, state.founding.state, created)
    } else if (state.name === 'joining') {
      if (sameBytes(groupInfo, state.attempt.groupInfo)) {
        await this.enter(state.engine, state.attempt.state, joined)
      } else if (epoch >= state.epoch) return this.retry(lost('another commit was first'))
    } else if (state.name === 'member') {
      const { pending } = state
      if (pending !== null && sameBytes(groupInfo, pending.groupInfo)) {
        await this.adopt(state, pending)
      }
    }
    await this.drain()
  }

  // The log

  async takeEntry(entry: LogEntry): Promise<void> {
    switch (entry.kind) {
      case 'left':
        this.removals.departures.sayGoodbye(entry.participant, entry.epoch)
        return this.planRemoval()
      case 'created':
        return this.takeCreated(entry)
      case 'commit':
        return this.takeCommit(entry)
    }
  }

  private async takeCreated({ groupId }: CreatedEntry): Promise<void> {
    const { state } = this
    if (state.name === 'waiting') return
    if (!this.isCurrent(groupId)) {
      if (state.name === 'creating') this.retry(lost('another participant created the group'))
      else this.courier.askOnce()
    } else if (state.name === 'creating') {
      await this.enter(state.engine, state.founding.state, created)
      await this.drain()
    }
  }

  private async takeCommit(entry: CommitEntry): Promise<void> {
    try {
      const commit = readCommit(entry)
      if (this.state.name !== 'waiting' && !this.isCurrent(commit.message.content.groupId)) {
        return this.courier.askOnce()
      }
      this.log.hold(commit)
    } catch (error) {
      if (!(error instanceof KeysError)) throw error
      if (entry.epoch !== nextEpochOf(this.state)) this.alarm(error.code, error.message, error)
      else if (this.state.name === 'member') this.rejoin('rejoining', error)
      else this.retry(error)
      return
    }
    await this.drain()
  }

  /** Works off what came before its turn. */
  private async drain(): Promise<void> {
    for (;;) {
      const next = nextEpochOf(this.state)
      const commit = next === null ? undefined : this.log.take(next)
      if (commit === undefined) return
      await this.decide(commit)
    }
  }

  /** The commit that made the next epoch is known. */
  private async decide(commit: HeldCommit): Promise<void> {
    const { state } = this
    if (state.name === 'joining') {
      if (sameBytes(commit.bytes, state.attempt.commit)) {
        await this.enter(state.engine, state.attempt.state, joined)
      } else this.retry(lost('another commit was first'))
    } else if (state.name === 'member') {
      if (state.pending !== null && sameBytes(commit.bytes, state.pending.commit)) {
        await this.adopt(state, state.pending)
      } else await this.apply(state, commit)
    }
  }

  private onMissing(epoch: number): void {
    const error = new KeysError('commit-invalid', `no log entry for epoch ${epoch}`)
    if (this.state.name === 'member') this.rejoin('rejoining', error)
    else this.retry(error)
  }

  // From epoch to epoch

  private async adopt(state: InGroup, pending: Attempt): Promise<void> {
    this.tries.count = 0
    await this.enter(state.engine, pending.state, removedOthers)
    wipe(state.group, pending.state)
  }

  private async apply(state: InGroup, { message }: HeldCommit): Promise<void> {
    const { engine, group, pending } = state
    let applied: Applied
    try {
      applied = await engine.apply(group, message)
    } catch (error) {
      if (!(error instanceof KeysError)) throw error
      return this.rejoin('rejoining', error)
    }
    const { commit } = applied
    if (applied.kind === 'epoch') {
      // A lost race: the next try of this member's own commit is put off the longer.
      if (pending !== null) this.tries.again()
      await this.enter(engine, applied.state, causeOf(commit))
      if (pending !== null) wipe(pending.state, applied.state)
      wipe(group, applied.state)
    } else if (commit.committer === this.self) {
      this.fail(new KeysError('replaced', 'another session took over this participant'))
    } else {
      this.rejoin('removed', new KeysError('commit-invalid', `removed by ${commit.committer}`))
    }
  }

  private async enter(engine: MlsEngine, group: ClientState, cause: EpochCause): Promise<void> {
    const { settings } = this
    const now = this.timers.now()
    const keys = await epochKeys(engine, group, this.roster, cause, settings.baseKeyBytes)
    forgetExporter(group)
    if (this.state.name !== 'member') {
      this.memberSince = now
      this.tries.count = 0
    } else if (now - this.memberSince > settings.stableMs) this.tries.rejoins = 0

    const { epoch, roster } = keys
    const members = roster.map(({ participantId }) => participantId)
    this.roster = roster
    this.timers.clear('answer')
    this.log.hear(group.groupContext.groupId, epoch)
    this.log.rest()
    this.removals.departures.setRoster(members, cause.rejoined, epoch, now)
    this.setState({ name: 'member', engine, group, epoch, pending: null })
    this.events.onEpoch(keys)
    await this.planRemoval()
  }

  private async planRemoval(): Promise<void> {
    const { state } = this
    if (state.name !== 'member' || state.pending !== null) return
    const needed = await this.removals.plan(() => this.roster)
    if (!needed) this.tries.count = 0
  }

  private async commitRemoval(leaves: readonly number[]): Promise<void> {
    const { state } = this
    if (state.name !== 'member' || state.pending !== null) return
    this.setState({ ...state, pending: await state.engine.remove(state.group, leaves) })
    this.courier.submit(this.state)
  }

  // Small things

  private isCurrent(groupId: Uint8Array): boolean {
    const current = groupIdOf(this.state)
    return current !== null && sameBytes(current, groupId)
  }

  private alarm(code: AlarmCode, message: string, cause?: unknown): void {
    this.events.onAlarm({ code, message, cause })
  }

  private setState(state: MemberState): void {
    const changed = state.name !== this.state.name
    this.state = state
    if (changed) this.events.onState(state.name)
  }

  private end(state: MemberState): void {
    this.discard()
    this.entrance.forget()
    this.setState(state)
  }

  /** Forgets the group of the current state, and every timer. */
  private discard(): void {
    this.timers.clearAll()
    this.log.rest()
    this.removals.departures.reset()
    this.courier.takeAnswer()
    wipeState(this.state)
  }
}

function lost(message: string): KeysError {
  return new KeysError('contention', message)
}
