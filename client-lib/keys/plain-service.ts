/**
 * A delivery service for simulations under vitest that looks at nothing but the order: what a lazy one
 * would do, and cheap. The real one is `sfu/delivery`.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { ratchetTreeFromExtension } from 'ts-mls/groupInfo.js'
import {
  decodeSubmission,
  encodeLogEntry,
  encodeSnapshot,
  type LogEntry,
  type SkipReport,
  type Submission,
  type SuiteName,
} from '../../moq/delivery/index.ts'
import { participantOf } from './identity.ts'
import { decodeCommit, decodeGroupInfo } from './messages.ts'
import { leaves } from './roster.ts'
import type { Service } from './simulated-room.ts'

interface Epoch {
  readonly epoch: number
  readonly groupInfo: Uint8Array
  readonly holders: ReadonlyMap<string, number>
  /** Of the commit that made it. */
  readonly hash: string
  readonly by: string
  readonly reports: Map<number, SkipReport>
}

interface Group {
  readonly suite: SuiteName
  readonly epochs: Epoch[]
  readonly log: { readonly epoch: number; readonly bytes: Uint8Array }[]
  readonly departed: Set<string>
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const accepted = (records: Group['log']) => ({ accepted: true, records }) as const
const refused = (reason: string) => ({ accepted: false, reason }) as const

export class PlainService implements Service {
  private group: Group | null = null

  submit(_room: string, participant: string, bytes: Uint8Array) {
    const submission = decodeSubmission(bytes)
    const { group } = this
    if (submission.kind === 'create') {
      return group === null ? this.create(participant, submission) : refused('group-exists')
    }
    if (group === null) return refused('no-group')
    switch (submission.kind) {
      case 'commit':
        return this.commit(group, participant, submission)
      case 'leave':
        return this.leave(group, participant)
      case 'report':
        return this.report(group, participant, submission)
    }
  }

  snapshot(): Uint8Array {
    if (this.group === null) return encodeSnapshot(null)
    const { suite, epochs } = this.group
    const { epoch, groupInfo } = epochs.at(-1)!
    return encodeSnapshot({ epoch, logGroup: epoch, suite, groupInfo })
  }

  log(): Group['log'] {
    return this.group?.log ?? []
  }

  private create(by: string, { suite, groupInfo }: Extract<Submission, { kind: 'create' }>) {
    const info = decodeGroupInfo({ epoch: 0, logGroup: 0, suite, groupInfo })
    const { groupId } = info.groupContext
    const holders = new Map([[by, 0]])
    const first = { epoch: 0, groupInfo, holders, hash: '', by, reports: new Map() }
    this.group = { suite, epochs: [first], log: [], departed: new Set() }
    return this.append(this.group, [{ kind: 'created', epoch: 0, participant: by, suite, groupId }])
  }

  private commit(
    group: Group,
    participant: string,
    { commit, groupInfo }: Extract<Submission, { kind: 'commit' }>,
  ) {
    const last = group.epochs.at(-1)!
    const hash = hex(sha256(commit))
    if (group.epochs.some((one) => one.hash === hash)) return accepted([])
    const epoch = Number(decodeCommit(commit).content.epoch) + 1
    if (epoch !== last.epoch + 1) return refused('stale-epoch')
    const info = decodeGroupInfo({ epoch, logGroup: epoch, suite: group.suite, groupInfo })
    const holders = new Map<string, number>()
    for (const [leaf, { credential }] of leaves(ratchetTreeFromExtension(info) ?? [])) {
      holders.set(participantOf(credential), leaf)
    }
    const next = { epoch, groupInfo, holders, hash, by: participant, reports: new Map() }
    group.epochs.push(next)
    for (const id of group.departed) if (!holders.has(id)) group.departed.delete(id)
    // Who left and came back is there, under another leaf.
    group.departed.delete(participant)
    return this.append(group, [
      { kind: 'commit', epoch, participant, commit },
      ...[...group.departed].map((id): LogEntry => ({ kind: 'left', epoch, participant: id })),
    ])
  }

  private leave(group: Group, participant: string) {
    const { epoch, holders } = group.epochs.at(-1)!
    if (!holders.has(participant)) return refused('not-a-member')
    if (group.departed.has(participant)) return accepted([])
    group.departed.add(participant)
    const records = this.append(group, [{ kind: 'left', epoch, participant }])
    if (group.departed.size === holders.size) this.group = null
    return records
  }

  private report(
    group: Group,
    participant: string,
    { epoch, commitHash, signature }: Extract<Submission, { kind: 'report' }>,
  ) {
    const made = group.epochs.find((one) => one.hash === hex(commitHash))
    const before = group.epochs.find((one) => one.epoch === epoch - 1)
    const leaf = before?.holders.get(participant)
    if (made === undefined || leaf === undefined) return refused('stale-epoch')
    made.reports.set(leaf, { leaf, signature })
    const voters = [...made.holders.keys()].filter(
      (id) => id !== made.by && before!.holders.has(id),
    )
    if (made.reports.size * 2 <= voters.length) return accepted([])
    const undone = group.epochs
      .filter((one) => one.epoch > epoch)
      .map(({ hash }) => Uint8Array.from(Buffer.from(hash, 'hex')))
    while (group.epochs.at(-1)!.epoch >= epoch) group.epochs.pop()
    const reports = [...made.reports.values()].sort((a, b) => a.leaf - b.leaf)
    return this.append(group, [
      {
        kind: 'skipped',
        epoch,
        participant: made.by,
        commitHash,
        transcript: this.transcriptOf(group.suite, before!),
        undone,
        reports,
      },
    ])
  }

  /** Of a suite of SHA-256. */
  private transcriptOf(suite: SuiteName, { epoch, groupInfo }: Epoch): Uint8Array {
    const info = decodeGroupInfo({ epoch, logGroup: epoch, suite, groupInfo })
    const { groupContext, confirmationTag: tag } = info
    return sha256(Uint8Array.of(...groupContext.confirmedTranscriptHash, tag.length, ...tag))
  }

  private append(group: Group, entries: LogEntry[]) {
    const records = entries.map((entry) => ({ epoch: entry.epoch, bytes: encodeLogEntry(entry) }))
    group.log.push(...records)
    return accepted(records)
  }
}
