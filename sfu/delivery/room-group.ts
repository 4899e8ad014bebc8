/**
 * One MLS group as the service sees it: its epoch, who holds which leaf, and the log. The roster is
 * kept from the commits alone: a member's commit removes leaves, an external one takes the leftmost
 * free leaf (RFC 9420 section 7.7), so no tree is decoded.
 */

import {
  encodeLogEntry,
  encodeSnapshot,
  type LogEntry,
  mlsSuites,
  type SuiteName,
} from '../../moq/delivery/index.ts'
import { sameBytes } from '../../moq/wire/names.ts'
import { type CommitView, type GroupInfoView, inspectCommit, inspectGroupInfo } from './inspect.ts'
import { Log, type LogRecord } from './log.ts'
import { Refusal } from './refusal.ts'
import type { SequencerSettings } from './settings.ts'

export class RoomGroup {
  readonly suite: SuiteName
  readonly groupId: Uint8Array
  /** Log group of epoch 0. */
  readonly firstLogGroup: number
  readonly log: Log
  readonly roster = new Map<number, string>()
  /** Said goodbye and still hold a leaf. */
  readonly departed = new Set<string>()
  epoch = 0
  /** The object to publish on `group-info`. */
  snapshot: Uint8Array
  private readonly settings: SequencerSettings
  private nextObject = 0

  /** @throws Refusal unless `groupInfo` is epoch 0 of a group of that suite */
  constructor(
    creator: string,
    suite: SuiteName,
    groupInfo: Uint8Array,
    firstLogGroup: number,
    settings: SequencerSettings,
  ) {
    const view = inspectGroupInfo(groupInfo)
    if (view.groupId.length === 0 || view.groupId.length > 32) {
      throw new Refusal('bad-group-info', `group id of ${view.groupId.length} bytes`)
    }
    this.suite = suite
    this.groupId = view.groupId.slice()
    this.firstLogGroup = firstLogGroup
    this.settings = settings
    this.log = new Log(settings.logEntries, settings.logBytes)
    this.checkGroupInfo(view, 0, 0)
    this.snapshot = this.encodeSnapshot(groupInfo)
    this.roster.set(0, creator)
    this.append({ kind: 'created', epoch: 0, participant: creator, suite, groupId: this.groupId })
  }

  get logGroup(): number {
    return this.firstLogGroup + this.epoch
  }

  /** Nobody is left who could let a newcomer's commit in. */
  get isOver(): boolean {
    return this.departed.size === this.roster.size
  }

  leafOf(participant: string): number | undefined {
    for (const [leaf, holder] of this.roster) if (holder === participant) return leaf
    return undefined
  }

  /**
   * Applies the first valid commit for an epoch; returns the records that it adds to the log.
   * @throws Refusal, and then nothing has changed
   */
  commit(participant: string, commit: Uint8Array, groupInfo: Uint8Array): LogRecord[] {
    const view = inspectCommit(commit)
    if (!sameBytes(view.groupId, this.groupId)) throw new Refusal('wrong-group', 'another group')
    if (view.epoch !== this.epoch) {
      throw new Refusal('stale-epoch', `epoch ${view.epoch}, the room is at ${this.epoch}`)
    }
    const committer =
      view.by.kind === 'member'
        ? this.checkMember(participant, view.by.leaf, view)
        : this.checkNewcomer(participant, view.by.participant, view)
    this.checkGroupInfo(inspectGroupInfo(groupInfo), this.epoch + 1, committer)

    for (const leaf of view.removed) this.departed.delete(this.roster.get(leaf)!)
    for (const leaf of view.removed) this.roster.delete(leaf)
    this.roster.set(committer, participant)
    this.epoch += 1
    this.nextObject = 0
    this.snapshot = this.encodeSnapshot(groupInfo)
    const made = this.append({ kind: 'commit', epoch: this.epoch, participant, commit })
    return [made, ...[...this.departed].map((id) => this.notice(id))]
  }

  /** @throws Refusal when the participant holds no leaf */
  leave(participant: string): LogRecord[] {
    if (this.leafOf(participant) === undefined) {
      throw new Refusal('not-a-member', `${participant} holds no leaf`)
    }
    if (this.departed.has(participant)) return []
    this.departed.add(participant)
    return [this.notice(participant)]
  }

  private encodeSnapshot(groupInfo: Uint8Array): Uint8Array {
    const { epoch, logGroup, suite } = this
    return encodeSnapshot({ epoch, logGroup, suite, groupInfo })
  }

  private checkMember(participant: string, leaf: number, view: CommitView): number {
    if (this.roster.get(leaf) !== participant || this.departed.has(participant)) {
      throw new Refusal('not-a-member', `${participant} does not hold leaf ${leaf}`)
    }
    const removed = new Set(view.removed)
    for (const target of removed) {
      if (!this.roster.has(target) || target === leaf) {
        throw new Refusal('bad-proposal', `leaf ${target} cannot be removed by leaf ${leaf}`)
      }
    }
    if (removed.size !== view.removed.length) throw new Refusal('bad-proposal', 'removed twice')
    return leaf
  }

  /** Returns the leaf that the newcomer takes. */
  private checkNewcomer(participant: string, identity: string, view: CommitView): number {
    if (identity !== participant) {
      throw new Refusal('wrong-identity', `${participant} submitted a credential of another`)
    }
    const former = this.leafOf(participant)
    const expected = former === undefined ? [] : [former]
    if (view.removed.length !== expected.length || view.removed[0] !== former) {
      throw new Refusal('bad-resync', `removes [${view.removed}], not [${expected}]`)
    }
    if (former !== undefined) return this.leftmostFree(former)
    if (this.roster.size >= this.settings.members) {
      throw new Refusal('full', `${this.roster.size} members`)
    }
    return this.leftmostFree(undefined)
  }

  private leftmostFree(freed: number | undefined): number {
    let leaf = 0
    while (this.roster.has(leaf) && leaf !== freed) leaf += 1
    return leaf
  }

  private checkGroupInfo(view: GroupInfoView, epoch: number, signer: number): void {
    if (view.cipherSuite !== mlsSuites[this.suite]) {
      throw new Refusal('wrong-suite', `${view.cipherSuite} in a room of ${this.suite}`)
    }
    if (!sameBytes(view.groupId, this.groupId)) {
      throw new Refusal('bad-group-info', 'of another group')
    }
    if (view.epoch !== epoch) {
      throw new Refusal('bad-group-info', `of epoch ${view.epoch}, not ${epoch}`)
    }
    if (view.signer !== signer) {
      throw new Refusal('bad-group-info', `signed by leaf ${view.signer}, not ${signer}`)
    }
  }

  private notice(participant: string): LogRecord {
    return this.append({ kind: 'left', epoch: this.epoch, participant })
  }

  private append(entry: LogEntry): LogRecord {
    const record: LogRecord = {
      epoch: entry.epoch,
      group: this.logGroup,
      object: this.nextObject++,
      bytes: encodeLogEntry(entry),
    }
    this.log.append(record)
    return record
  }
}
