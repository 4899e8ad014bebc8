/** From epoch to epoch: applies commits, makes those that are needed, and tells what an epoch gives. */

import type { ClientState, PublicMessage } from 'ts-mls'
import { REPORT_LABEL, reportContent } from '../../moq/delivery/index.ts'
import { sameBytes } from '../../moq/wire/names.ts'
import { causeOf, created, type EpochCause, joined, ownCause, restored } from './epoch.ts'
import { KeysError } from './errors.ts'
import type { HeldCommit } from './held-commits.ts'
import { lost, type MemberCore } from './member-core.ts'
import { type InGroup, isInGroup, type MemberState, nextEpochOf } from './member-state.ts'
import type { Applied, Attempt, MlsEngine } from './mls-engine.ts'
import { leaves } from './roster.ts'
import { wipe } from './secrets.ts'

/** A report is sent this often while a dispute lasts, since it or the answer may get lost. */
const REPORTS = 4

type State<N extends MemberState['name']> = Extract<MemberState, { name: N }>

export class MemberEpochs {
  private readonly core: MemberCore
  private memberSince = 0

  constructor(core: MemberCore) {
    this.core = core
  }

  /** Works off what came before its turn. */
  async drain(): Promise<void> {
    const { core } = this
    while (!core.disputes.isBusy) {
      const next = nextEpochOf(core.state)
      const commit = next === null ? undefined : core.log.take(next)
      if (commit === undefined) return this.refresh()
      await this.decide(commit)
    }
  }

  /** The group that this member founded was taken. */
  enterFounded({ engine, founding }: State<'creating'>): Promise<void> {
    return this.enter(engine, founding.state, created, true)
  }

  /** The commit by which this member joins was taken. */
  async enterJoined({ engine, attempt, info }: State<'joining'>): Promise<void> {
    const { disputes, self } = this.core
    disputes.noteTaken(attempt.state, attempt.commit, self)
    disputes.noteJoined(info)
    await this.enter(engine, attempt.state, joined, true)
  }

  /** A commit of this member's own was taken. */
  async adopt(state: InGroup, pending: Attempt): Promise<void> {
    const { core } = this
    core.tries.count = 0
    core.disputes.noteTaken(pending.state, pending.commit, core.self)
    const size = (group: ClientState) => [...leaves(group.ratchetTree)].length
    const removed = size(state.group) - size(pending.state)
    const cause = state.name === 'restoring' ? restored : ownCause(removed)
    await this.enter(state.engine, pending.state, cause, true)
    wipe(state.group, pending.state)
  }

  async planRemoval(): Promise<void> {
    const { core } = this
    if (core.state.name !== 'member' || core.state.pending !== null) return
    const needed = await core.removals.plan(() => core.book.roster)
    if (!needed) core.tries.count = 0
  }

  async commit(removed: readonly number[]): Promise<void> {
    const { core } = this
    const { state } = core
    if (!isInGroup(state) || state.pending !== null || core.disputes.isBusy) return
    core.setState({ ...state, pending: await state.engine.commit(state.group, removed) })
    core.courier.submit(core.state)
  }

  /** The commit that made the next epoch is known. */
  private async decide(commit: HeldCommit): Promise<void> {
    const { state } = this.core
    if (state.name === 'joining') {
      if (sameBytes(commit.bytes, state.attempt.commit)) await this.enterJoined(state)
      else this.core.retry(lost('another commit was first'))
    } else if (isInGroup(state)) {
      if (state.pending !== null && sameBytes(commit.bytes, state.pending.commit)) {
        await this.adopt(state, state.pending)
      } else await this.apply(state, commit)
    }
  }

  private async apply(state: InGroup, held: HeldCommit): Promise<void> {
    const { core } = this
    const { engine, group, pending } = state
    let applied: Applied
    try {
      applied = await engine.apply(group, held.message)
    } catch (error) {
      if (!(error instanceof KeysError)) throw error
      return this.dispute(state, held, error)
    }
    const { commit } = applied
    if (applied.kind === 'epoch') {
      // A lost race: the next try of this member's own commit is put off the longer.
      if (pending !== null) core.tries.again()
      core.disputes.noteTaken(applied.state, held.bytes, commit.committer)
      await this.enter(engine, applied.state, causeOf(commit), false)
      if (pending !== null) wipe(pending.state, applied.state)
      wipe(group, applied.state)
    } else if (commit.committer === core.self) {
      core.fail(new KeysError('replaced', 'another session took over this participant'))
    } else {
      core.rejoin('removed', new KeysError('commit-invalid', `removed by ${commit.committer}`))
    }
  }

  /** The service took a commit that cannot be applied: the others may find so too. */
  private async dispute(state: InGroup, held: HeldCommit, error: KeysError): Promise<void> {
    const { core } = this
    const { engine, group } = state
    const { leafIndex } = group.privatePath
    // Of our own leaf, but not ours: it comes from a state that was lost, or stolen.
    if (state.name === 'restoring' || senderOf(held.message) === leafIndex) {
      return core.rejoin('rejoining', error)
    }
    core.alarm('commit-disputed', error.message, error)
    const { epoch, commitHash } = core.disputes.raise(held.epoch, held.bytes)
    core.log.rest()
    // Who is removed by a commit has no say in it.
    if (!removesLeaf(held.message, leafIndex)) {
      const content = reportContent(group.groupContext.groupId, epoch, commitHash)
      const signature = await engine.sign(group, REPORT_LABEL, content)
      const report = { epoch, commitHash, signature }
      core.courier.report(report)
      this.insist(error, () => core.courier.report(report), 1)
    } else this.insist(error, () => {}, 1)
  }

  private insist(error: KeysError, report: () => void, said: number): void {
    const { core } = this
    core.timers.set('dispute', core.settings.disputeMs / REPORTS, () => {
      const { open } = core.disputes
      if (open === null) return
      if (said === REPORTS) return core.rejoin('rejoining', error)
      report()
      core.events.requestLog(open.epoch)
      this.insist(error, report, said + 1)
    })
  }

  private async enter(
    engine: MlsEngine,
    group: ClientState,
    cause: EpochCause,
    own: boolean,
  ): Promise<void> {
    const { core } = this
    const now = core.timers.now()
    const epoch = Number(group.groupContext.epoch)
    core.timers.clear('answer')
    core.log.hear(group.groupContext.groupId, epoch)
    core.log.rest()
    if (core.state.name === 'restoring' && !own) {
      core.setState({ name: 'restoring', engine, group, epoch, pending: null })
      return
    }
    const keys = await core.book.begin(engine, group, cause)
    const isFirst = core.state.name !== 'member'
    if (isFirst) {
      this.memberSince = now
      core.tries.count = 0
    } else if (now - this.memberSince > core.settings.stableMs) core.tries.rejoins = 0

    const members = keys.roster.map(({ participantId }) => participantId)
    core.removals.departures.setRoster(members, cause.rejoined, epoch, now)
    core.setState({ name: 'member', engine, group, epoch, pending: null })
    core.events.onEpoch(keys)
    if (isFirst) core.keeper.saveNow(core.state, core.entrance.keys.keys)
    else {
      core.keeper.saveLater(
        () => core.state,
        () => core.entrance.keys.keys,
      )
    }
    core.updates.plan(keys.roster, own)
    this.checkLater()
    await this.planRemoval()
  }

  /** Whoever misses the last entry of the log does not notice: no later one shows the gap. */
  private checkLater(): void {
    const { timers, settings, events } = this.core
    if (settings.checkMs === 0) return
    timers.set('check', settings.checkMs, () => {
      const { state } = this.core
      if (isInGroup(state)) events.requestLog(state.epoch)
      this.checkLater()
    })
  }

  /** A restored state that is not behind any more makes its first commit. */
  private async refresh(): Promise<void> {
    const { state, log } = this.core
    if (state.name !== 'restoring' || state.pending !== null) return
    // Not before a snapshot has said where the group is.
    if (log.newestEpoch === state.epoch) await this.commit([])
  }
}

function senderOf({ content }: PublicMessage): number | null {
  return content.sender.senderType === 'member' ? content.sender.leafIndex : null
}

function removesLeaf({ content }: PublicMessage, leaf: number): boolean {
  if (content.contentType !== 'commit') return false
  return content.commit.proposals.some(
    (item) =>
      item.proposalOrRefType === 'proposal' &&
      item.proposal.proposalType === 'remove' &&
      item.proposal.remove.removed === leaf,
  )
}
