/**
 * What the delivery service says: snapshots are the authority on which group is current, the log on
 * what made an epoch. A commit that was submitted changes nothing here until either shows it.
 */

import type { GroupInfo } from 'ts-mls'
import type {
  CommitEntry,
  CreatedEntry,
  LogEntry,
  SkippedEntry,
  Snapshot,
} from '../../moq/delivery/index.ts'
import { sameBytes } from '../../moq/wire/names.ts'
import { DoorCheck } from './door-check.ts'
import { KeysError } from './errors.ts'
import { lost, type MemberCore } from './member-core.ts'
import type { MemberEpochs } from './member-epochs.ts'
import { groupIdOf, isInGroup, nextEpochOf } from './member-state.ts'
import { decodeGroupInfo, readCommit } from './messages.ts'
import { isBacked } from './skip-votes.ts'

/** How long the log may take to show what a member joined on, before it joins anew all the same, ms. */
const PROOF_MS = 1000

export class MemberInbox {
  private readonly core: MemberCore
  private readonly epochs: MemberEpochs
  private readonly door: DoorCheck
  /** Epoch of the last snapshot, if the log had told of a later one. */
  private staleEpoch: number | null = null

  constructor(core: MemberCore, epochs: MemberEpochs) {
    this.core = core
    this.epochs = epochs
    this.door = new DoorCheck(core)
  }

  // Snapshots

  async takeSnapshot(snapshot: Snapshot | null): Promise<void> {
    const { core } = this
    const asked = core.courier.takeAnswer()
    let info: GroupInfo | null = null
    try {
      info = snapshot === null ? null : decodeGroupInfo(snapshot)
    } catch (error) {
      if (!(error instanceof KeysError)) throw error
      core.alarm(error.code, error.message, error)
      if (core.state.name === 'waiting' && asked) core.retry(error)
      return
    }
    if (core.state.name === 'waiting') {
      // An answer to another participant's request comes here too, and must not cut the backoff.
      if (asked) await this.begin(snapshot, info)
    } else if (snapshot === null || info === null || !core.isCurrent(info.groupContext.groupId)) {
      await this.takeForeign(snapshot, asked)
    } else {
      await this.takeCurrent(snapshot, asked)
      await this.door.check(info)
    }
  }

  /** One that somebody else asked for: newcomers join from it. */
  lookAt(snapshot: Snapshot | null): Promise<void> {
    return this.door.look(snapshot)
  }

  private async begin(snapshot: Snapshot | null, info: GroupInfo | null): Promise<void> {
    const { core } = this
    core.timers.clear('answer')
    try {
      if (snapshot === null || info === null) {
        core.setState(await core.entrance.create())
      } else {
        core.log.hear(info.groupContext.groupId, snapshot.epoch)
        this.checkFresh(snapshot.epoch)
        core.setState(await core.entrance.join(snapshot, info))
      }
    } catch (error) {
      if (!(error instanceof KeysError)) throw error
      // The room may have another snapshot soon; of who is in it, or its suite, it will not.
      const mayHelp = error.code === 'contention' || error.code === 'group-info-invalid'
      if (!mayHelp) return core.fail(error)
      if (error.code !== 'contention') core.alarm(error.code, error.message, error)
      return core.retry(error)
    }
    core.courier.submit(core.state)
    await this.epochs.drain()
  }

  /** An old snapshot is of no use; but what is told twice is so: the group may have gone back. */
  private checkFresh(epoch: number): void {
    const { log } = this.core
    if (log.newestEpoch > epoch && this.staleEpoch !== epoch) {
      this.staleEpoch = epoch
      throw lost('the snapshot is stale')
    }
    log.goBack(epoch + 1, () => false)
    this.staleEpoch = null
  }

  /** The service has no group, or another one than this member's. */
  private async takeForeign(snapshot: Snapshot | null, asked: boolean): Promise<void> {
    const { core } = this
    const { name } = core.state
    if (name === 'creating' && snapshot === null) return
    // Unasked, it may be a stale one.
    if (!asked) core.courier.ask()
    else if (name === 'restoring') core.wait(0)
    else if (name === 'member') {
      core.alarm('group-replaced', 'the delivery service has another group for this room')
      core.wait(0)
    } else core.retry(lost('the room has another group'))
  }

  /** A newer state of this member's group; it may show that a commit was taken. */
  private async takeCurrent({ epoch, groupInfo }: Snapshot, asked: boolean): Promise<void> {
    const { core, epochs } = this
    const { state } = core
    core.log.hear(groupIdOf(state)!, epoch)
    if (state.name === 'creating') {
      await epochs.enterFounded(state)
    } else if (state.name === 'joining') {
      if (sameBytes(groupInfo, state.attempt.groupInfo)) await epochs.enterJoined(state)
      else if (epoch >= state.epoch) return core.retry(lost('another commit was first'))
      else if (asked && !sameBytes(groupInfo, state.base)) {
        return core.retry(lost('the epoch to join from was taken back'))
      }
    } else if (isInGroup(state)) {
      const { pending } = state
      if (pending !== null && sameBytes(groupInfo, pending.groupInfo)) {
        await epochs.adopt(state, pending)
      }
    }
    await epochs.drain()
  }

  // The log

  async takeEntry(entry: LogEntry): Promise<void> {
    switch (entry.kind) {
      case 'left':
        this.core.removals.departures.sayGoodbye(entry.participant, entry.epoch)
        return this.epochs.planRemoval()
      case 'created':
        return this.takeCreated(entry)
      case 'commit':
        return this.takeCommit(entry)
      case 'skipped':
        return this.takeSkipped(entry)
    }
  }

  onMissing(epoch: number): void {
    const error = new KeysError('commit-invalid', `no log entry for epoch ${epoch}`)
    if (isInGroup(this.core.state)) this.core.rejoin('rejoining', error)
    else this.core.retry(error)
  }

  private async takeCreated({ groupId }: CreatedEntry): Promise<void> {
    const { core } = this
    const { state } = core
    if (state.name === 'waiting') return
    if (!core.isCurrent(groupId)) {
      if (state.name === 'creating') core.retry(lost('another participant created the group'))
      else core.courier.askOnce()
    } else if (state.name === 'creating') {
      await this.epochs.enterFounded(state)
      await this.epochs.drain()
    }
  }

  private async takeCommit(entry: CommitEntry): Promise<void> {
    const { core } = this
    if (core.disputes.proof?.take(entry.commit)) return this.judge()
    if (core.disputes.isSkipped(entry.commit)) return
    if (core.disputes.isLeftBehind(entry.epoch, entry.commit)) {
      return core.rejoin('rejoining', lost('the service goes on from where it went back to'))
    }
    try {
      const commit = readCommit(entry)
      if (core.state.name !== 'waiting' && !core.isCurrent(commit.message.content.groupId)) {
        return core.courier.askOnce()
      }
      core.log.hold(commit)
    } catch (error) {
      if (!(error instanceof KeysError)) throw error
      if (entry.epoch !== nextEpochOf(core.state)) core.alarm(error.code, error.message, error)
      else if (isInGroup(core.state)) core.rejoin('rejoining', error)
      else core.retry(error)
      return
    }
    await this.epochs.drain()
  }

  /** A commit was taken back, and what was made on it. */
  private async takeSkipped(entry: SkippedEntry): Promise<void> {
    const { core } = this
    const { state, disputes } = core
    if (isInGroup(state) && state.epoch >= entry.epoch) return this.goBack(entry)
    if (!disputes.noteSkipped(entry.commitHash)) return
    core.log.goBack(entry.epoch, ({ epoch, bytes }) => {
      return epoch === entry.epoch && !disputes.isSkipped(bytes)
    })
    if (isInGroup(state)) {
      const message = `a commit of ${entry.participant} was taken back: it cannot be applied`
      core.alarm('commit-skipped', message)
      this.settle(entry.epoch)
      // A newcomer's bad commit may be due to a bad GroupInfo: the next commit brings another.
      core.updates.hurry(core.book.roster)
    } else if (state.name === 'joining' && state.epoch > entry.epoch) {
      return core.retry(lost('the epoch to join from was taken back'))
    }
    core.courier.submit(core.state)
    // There may be more that we have not heard of.
    core.courier.askOnce()
    await this.epochs.drain()
  }

  /** Of a commit that this member has applied: only for the word of most members. */
  private async goBack(entry: SkippedEntry): Promise<void> {
    const { core } = this
    const { state, disputes } = core
    if (!isInGroup(state)) return
    const known = disputes.knows(entry)
    if (known === 'another') {
      disputes.noteSkipped(entry.commitHash)
      return
    }
    const electorate = disputes.electorate(entry)
    if (electorate === null) return this.lookInto(entry)
    if (!(await isBacked(entry, electorate, state.engine, core.gone))) {
      const message = 'the service takes back a commit that most members did not object to'
      core.alarm('skip-refused', message)
      disputes.refuse(entry.epoch)
      return
    }
    this.rejoinFrom(entry, true)
  }

  /** Of a commit of before this member came: the log has what shows whether it joined on it. */
  private lookInto(entry: SkippedEntry): void {
    const { disputes, events, log, timers } = this.core
    const { proof } = disputes
    // The log that is fetched has the entry again.
    if (proof !== null && proof.entry.epoch <= entry.epoch) return
    if (!disputes.examine(entry)) {
      this.rejoinFrom(entry, false)
      return
    }
    log.rest()
    timers.set('proof', PROOF_MS, () => this.rejoinFrom(entry, false))
    events.requestLog(entry.epoch)
  }

  /** All that was made from the skipped commit to this member's coming is there. */
  private async judge(): Promise<void> {
    const { state, disputes, gone } = this.core
    const { proof } = disputes
    if (!isInGroup(state) || proof === null) return
    const electorate = await proof.electorate(state.engine)
    const { entry } = proof
    const backed = electorate !== null && (await isBacked(entry, electorate, state.engine, gone))
    this.rejoinFrom(entry, backed)
  }

  /** @param backed whether most of those who had a say in the commit are seen to be behind it */
  private rejoinFrom({ epoch, commitHash, participant }: SkippedEntry, backed: boolean): void {
    const { core } = this
    core.disputes.noteSkipped(commitHash)
    core.log.goBack(epoch, () => false)
    const error = lost(`a commit of ${participant} was taken back`)
    core.rejoin('commit-skipped', error, backed ? epoch : undefined)
  }

  private settle(epoch: number): void {
    const { disputes, timers } = this.core
    if (disputes.open?.epoch !== epoch) return
    disputes.settle()
    timers.clear('dispute')
  }
}
