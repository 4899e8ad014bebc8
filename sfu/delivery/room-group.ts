/**
 * One MLS group as the service sees it: its epoch, who holds which leaf, the log, and the epochs before
 * as long as a commit can still be skipped. Every step is prepared first, which changes nothing, and
 * taken by `adopt`: in between its owner makes it durable.
 */

import {
  encodeLogEntry,
  encodeSnapshot,
  type LogEntry,
  REPORT_LABEL,
  reportContent,
  type SkipReport,
  type SuiteName,
} from '../../moq/delivery/index.ts'
import { sameBytes } from '../../moq/wire/names.ts'
import { CommitLedger } from './commit-ledger.ts'
import {
  checkGroupInfo,
  checkMember,
  checkNewcomer,
  type EpochState,
  leafOf,
  type MadeBy,
} from './epoch-state.ts'
import { type CommitView, inspectCommit, inspectGroupInfo } from './inspect.ts'
import { Log, type LogRecord } from './log.ts'
import { sha256 } from './public-crypto.ts'
import { PublicGroup } from './public-group.ts'
import { Refusal } from './refusal.ts'
import { type Report, ReportTally } from './report-tally.ts'
import type { SequencerSettings } from './settings.ts'

/** A step that can be taken. */
export interface Step {
  readonly state: EpochState
  readonly records: readonly LogRecord[]
  /** Epochs that can be gone back to, oldest first, once it is taken. */
  readonly before: readonly EpochState[]
  /** Whose commit it skips, and who reported that. */
  readonly skipped: MadeBy | null
  readonly reports: readonly SkipReport[]
}

const LEDGER = 256
const noSkip = { skipped: null, reports: [] }

export class RoomGroup {
  readonly suite: SuiteName
  readonly groupId: Uint8Array
  readonly log: Log
  private readonly settings: SequencerSettings
  private readonly ledger: CommitLedger
  private readonly tally: ReportTally
  private current: EpochState
  private before: readonly EpochState[] = []
  private encoded: Uint8Array | null = null

  /** @param records of its log so far */
  constructor(
    suite: SuiteName,
    state: EpochState,
    records: readonly LogRecord[],
    settings: SequencerSettings,
    ledger = new CommitLedger(LEDGER),
    tally = new ReportTally(),
  ) {
    this.suite = suite
    this.ledger = ledger
    this.tally = tally
    this.groupId = state.publicGroup.context.groupId
    this.current = state
    this.settings = settings
    this.log = new Log(settings.logEntries, settings.logBytes)
    for (const record of records) this.log.append(record)
  }

  /** @throws Refusal unless `groupInfo` is epoch 0 of a group of that suite, with its creator alone */
  static found(
    creator: string,
    suite: SuiteName,
    groupInfo: Uint8Array,
    logGroup: number,
    settings: SequencerSettings,
  ): RoomGroup {
    const view = inspectGroupInfo(groupInfo)
    const { groupId } = view
    if (groupId.length === 0 || groupId.length > 32) {
      throw new Refusal('bad-group-info', `group id of ${groupId.length} bytes`)
    }
    checkGroupInfo(view, suite, groupId, 0)
    const state: EpochState = {
      epoch: 0,
      logGroup,
      nextObject: 1,
      roster: new Map([[0, creator]]),
      departed: new Set(),
      publicGroup: PublicGroup.found(view.groupInfo, suite, creator),
      groupInfo,
      made: null,
    }
    const entry: LogEntry = { kind: 'created', epoch: 0, participant: creator, suite, groupId }
    const record = { epoch: 0, group: logGroup, object: 0, bytes: encodeLogEntry(entry) }
    const group = new RoomGroup(suite, state, [record], settings)
    group.ledger.put(sha256(groupInfo), 'taken')
    return group
  }

  /** Steps of the one do not show in the other. */
  copy(): RoomGroup {
    const { suite, current, log, settings, ledger, tally } = this
    const copy = new RoomGroup(suite, current, log.all(), settings, ledger.copy(), tally.copy())
    copy.before = this.before
    copy.encoded = this.encoded
    return copy
  }

  get state(): EpochState {
    return this.current
  }

  /** The object to publish on `group-info`. */
  get snapshot(): Uint8Array {
    const { epoch, logGroup, groupInfo } = this.current
    this.encoded ??= encodeSnapshot({ epoch, logGroup, suite: this.suite, groupInfo })
    return this.encoded
  }

  /** Nobody is left who could let a newcomer's commit in. */
  get isOver(): boolean {
    return this.current.departed.size === this.current.roster.size
  }

  /** What became of a commit, or of the GroupInfo of a creator, with these bytes. */
  verdict(submitted: Uint8Array): 'taken' | 'skipped' | undefined {
    return this.ledger.get(sha256(submitted))
  }

  /**
   * The first valid commit for an epoch.
   * @param now ms since 1970
   * @throws Refusal
   */
  commit(participant: string, commit: Uint8Array, groupInfo: Uint8Array, now: number): Step {
    const view = inspectCommit(commit)
    const { current: state, suite, groupId } = this
    if (!sameBytes(view.groupId, groupId)) throw new Refusal('wrong-group', 'another group')
    if (view.epoch !== state.epoch) {
      throw new Refusal('stale-epoch', `epoch ${view.epoch}, the room is at ${state.epoch}`)
    }
    const info = inspectGroupInfo(groupInfo)
    checkGroupInfo(info, suite, groupId, state.epoch + 1)
    const { group, leaf } = state.publicGroup.after(
      view.message,
      { committer: this.committerOf(participant, view), removed: view.removed, participant },
      info.groupInfo,
    )
    const roster = new Map(state.roster)
    const departed = new Set(state.departed)
    for (const removed of view.removed) {
      departed.delete(roster.get(removed)!)
      roster.delete(removed)
    }
    roster.set(leaf, participant)
    const byMember = view.by.kind === 'member'
    const voters = this.votersOn(view, byMember ? leaf : null)
    const next: EpochState = {
      epoch: state.epoch + 1,
      logGroup: state.logGroup + 1,
      nextObject: 0,
      roster,
      departed,
      publicGroup: group,
      groupInfo,
      made: { participant, byMember, hash: sha256(commit), at: now, voters },
    }
    const { epoch } = next
    const entries: LogEntry[] = [{ kind: 'commit', epoch, participant, commit }, ...notices(next)]
    return { ...write(next, entries), before: [...this.before, state], ...noSkip }
  }

  /**
   * Null: it has said so already.
   * @throws Refusal when the participant holds no leaf
   */
  leave(participant: string): Step | null {
    const { current: state } = this
    if (leafOf(state, participant) === undefined) {
      throw new Refusal('not-a-member', `${participant} holds no leaf`)
    }
    if (state.departed.has(participant)) return null
    const departed = new Set(state.departed).add(participant)
    const entry: LogEntry = { kind: 'left', epoch: state.epoch, participant }
    return { ...write({ ...state, departed }, [entry]), before: this.before, ...noSkip }
  }

  /**
   * Notes a report; a step once those who may report, and are there, have done so by more than half.
   * @param isThere whether a participant can be heard
   * @throws Refusal
   */
  report(participant: string, report: Report, isThere: (id: string) => boolean): Step | null {
    const { epoch, commitHash, signature } = report
    if (this.ledger.get(commitHash) === 'skipped') return null
    const chain = [...this.before, this.current]
    const at = chain.findIndex(({ made }) => made && sameBytes(made.hash, commitHash))
    const reported = chain[at]
    const previous = chain[at - 1]
    if (!reported?.made || !previous || reported.epoch !== epoch) {
      throw new Refusal('stale-epoch', `the commit of epoch ${epoch} cannot be skipped`)
    }
    const voters = this.votersNow(chain, at, isThere)
    const leaf = [...reported.made.voters].find(([, id]) => id === participant)?.[0]
    if (leaf === undefined || !voters.mayReport.has(leaf)) {
      throw new Refusal('not-a-member', `${participant} may not report that commit`)
    }
    const content = reportContent(this.groupId, epoch, commitHash)
    if (!previous.publicGroup.isSignedBy(leaf, REPORT_LABEL, content, signature)) {
      throw new Refusal('bad-signature', 'the report is not signed by its sender')
    }
    const reports = this.tally.add(commitHash, leaf, signature, voters.mayReport)
    return reports.length * 2 > voters.electorate ? this.skip(commitHash, reports) : null
  }

  /**
   * Goes back to the epoch before the one that a commit made.
   * @throws Refusal when that is no more possible
   */
  skip(commitHash: Uint8Array, reports: readonly SkipReport[]): Step {
    const chain = [...this.before, this.current]
    const at = chain.findIndex(({ made }) => made && sameBytes(made.hash, commitHash))
    const skipped = chain[at]?.made
    const previous = chain[at - 1]
    if (!skipped || !previous) throw new Refusal('stale-epoch', 'that commit cannot be skipped')
    const { participant } = skipped
    const { epoch } = chain[at]!
    const transcript = previous.publicGroup.interimTranscriptHash
    const undone = chain.slice(at + 1).flatMap(({ made }) => (made ? [made.hash] : []))
    const { logGroup, nextObject, departed: gone } = this.current
    const holders = new Set(previous.roster.values())
    const departed = new Set([...previous.departed, ...gone].filter((id) => holders.has(id)))
    const state: EpochState = { ...previous, logGroup, nextObject, departed }
    const entries: LogEntry[] = [
      { kind: 'skipped', epoch, participant, commitHash, transcript, undone, reports },
      ...notices(state),
    ]
    return { ...write(state, entries), before: chain.slice(0, at - 1), skipped, reports }
  }

  /** Takes a step that was prepared on the state as it is. */
  adopt(step: Step): void {
    const { made } = step.state
    if (step.skipped) {
      for (const { made: undone } of [...this.before, this.current].slice(step.before.length + 1)) {
        if (undone) this.ledger.put(undone.hash, 'skipped')
      }
    } else if (made) this.ledger.put(made.hash, 'taken')
    this.current = step.state
    this.before = step.before
    this.encoded = null
    for (const record of step.records) this.log.append(record)
    this.forget()
  }

  /** Notes what became of commits before a restart. */
  remember(entry: LogEntry): void {
    if (entry.kind === 'commit') this.ledger.put(sha256(entry.commit), 'taken')
    if (entry.kind === 'skipped') this.ledger.put(entry.commitHash, 'skipped')
  }

  /** Lets go of epochs that were made long enough ago. */
  settle(now: number): void {
    const { settleMs } = this.settings
    const chain = [...this.before, this.current]
    const first = chain.findIndex(({ made }, i) => i > 0 && made && now - made.at < settleMs)
    this.before = first < 0 ? [] : chain.slice(first - 1, -1)
    this.forget()
  }

  /** Whether there is a commit that may still be skipped. */
  get isSettled(): boolean {
    return this.before.length === 0
  }

  private forget(): void {
    this.before = this.before.slice(-this.settings.undoEpochs)
    const open = [...this.before.slice(1), this.current].map(({ made }) => made?.hash)
    this.tally.keep(this.before.length === 0 ? [] : open)
  }

  private committerOf(participant: string, view: CommitView): number | null {
    const { current: state, settings } = this
    if (view.by.kind === 'member') return checkMember(state, participant, view.by.leaf, view)
    checkNewcomer(state, participant, view.by.participant, view, settings.members)
    return null
  }

  private votersOn(view: CommitView, committer: number | null): ReadonlyMap<number, string> {
    const { roster, departed } = this.current
    const apart = new Set([...view.removed, committer])
    return new Map([...roster].filter(([leaf, id]) => !apart.has(leaf) && !departed.has(id)))
  }

  /** Who of the voters counts now, and who of those has not taken the commit as good. */
  private votersNow(chain: readonly EpochState[], at: number, isThere: (id: string) => boolean) {
    const satisfied = new Set<string>()
    for (const { made } of chain.slice(at + 1)) if (made?.byMember) satisfied.add(made.participant)
    const { departed } = this.current
    const voters = [...(chain[at]?.made?.voters ?? [])].filter(
      ([, id]) => isThere(id) && !departed.has(id),
    )
    const mayReport = voters.filter(([, id]) => !satisfied.has(id)).map(([leaf]) => leaf)
    return { electorate: voters.length, mayReport: new Set(mayReport) }
  }
}

/** Goodbyes that are still to be acted on, for those who join at this epoch. */
function notices({ epoch, departed }: EpochState): LogEntry[] {
  return [...departed].map((participant) => ({ kind: 'left', epoch, participant }))
}

function write(state: EpochState, entries: readonly LogEntry[]) {
  const { logGroup: group, nextObject } = state
  const records = entries.map((entry, i) => ({
    epoch: entry.epoch,
    group,
    object: nextObject + i,
    bytes: encodeLogEntry(entry),
  }))
  return { state: { ...state, nextObject: nextObject + entries.length }, records }
}
