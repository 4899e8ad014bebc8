/**
 * Submissions of a room that become durable together: each is worked on after what those before it would
 * make of the group, on a copy of it, and none of it is told to anybody until all of it is on the disk. A
 * room that nothing is stored of goes the same way, and at once.
 */

import { DeliveryFormatError, decodeSubmission, type Submission } from '../../moq/delivery/index.ts'
import type { LogRecord } from './log.ts'
import { Refusal } from './refusal.ts'
import type { Room } from './room.ts'
import { RoomGroup, type Step } from './room-group.ts'
import type { SequencerSettings } from './settings.ts'
import type { Stored } from './stored.ts'
import type { Waiting } from './waiting.ts'

/** What becomes of a submission once the batch is durable. */
export interface Outcome {
  readonly waiting: Waiting
  readonly verdict: Refusal | Accepted
  /** It follows from a step that is not durable yet. */
  readonly provisional: boolean
}

export interface Accepted {
  readonly kind: Submission['kind']
  readonly records: readonly LogRecord[]
  /** Whose commit it skips. */
  readonly skipped: string | null
  /** It changed nothing, because it came before or takes more reports to matter. */
  readonly unchanged: boolean
}

/** Of the submissions that are worked on at once, bytes, but for the last one. */
const MOST_BYTES = 1024 * 1024

export class Batch {
  /** As it is once the batch is durable. */
  group: RoomGroup | null
  /** To be stored, in order. */
  readonly records: Stored[] = []
  readonly outcomes: Outcome[] = []
  private readonly room: Room
  private readonly settings: SequencerSettings
  private readonly firstLogGroup: (at: number) => number
  private bytes = 0
  private ended = false

  /** @param firstLogGroup of a group that is created then, ms since 1970 */
  constructor(room: Room, settings: SequencerSettings, firstLogGroup: (at: number) => number) {
    this.room = room
    this.group = room.group?.copy() ?? null
    this.settings = settings
    this.firstLogGroup = firstLogGroup
  }

  /** What comes next has to wait until this one is durable. */
  get isFull(): boolean {
    return this.ended || this.bytes >= MOST_BYTES
  }

  add(waiting: Waiting): void {
    const provisional = this.records.length > 0
    let verdict: Refusal | Accepted
    try {
      verdict = this.accept(waiting)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      verdict = error
    }
    this.outcomes.push({ waiting, verdict, provisional })
  }

  private accept(waiting: Waiting): Accepted {
    const { participant, bytes, at } = waiting
    this.bytes += bytes.length
    const submission = this.decode(bytes)
    const { kind } = submission
    if (submission.kind === 'create') return this.create(waiting, submission)
    const { group } = this
    if (group === null) throw new Refusal('no-group', 'the room has no group')
    const step = this.prepare(group, participant, submission, at)
    if (step === null) return { kind, records: [], skipped: null, unchanged: true }
    const { skipped } = step
    this.records.push(
      skipped
        ? { kind: 'skip', commitHash: skipped.hash, reports: step.reports }
        : { kind: 'submission', at, participant, logGroup: 0, submission: bytes },
    )
    group.adopt(step)
    // What ends the group, or bars a member, is for the room to do before anything else.
    this.ended = group.isOver || skipped !== null
    const by = skipped?.participant ?? null
    return { kind, records: step.records, skipped: by, unchanged: false }
  }

  private create(
    { participant, bytes, at }: Waiting,
    { suite, groupInfo }: Extract<Submission, { kind: 'create' }>,
  ): Accepted {
    const kind = 'create'
    if (this.group?.verdict(groupInfo) === 'taken') {
      return { kind, records: [], skipped: null, unchanged: true }
    }
    if (this.group !== null) throw new Refusal('group-exists', 'the room has a group')
    const logGroup = this.firstLogGroup(at)
    const group = RoomGroup.found(participant, suite, groupInfo, logGroup, this.settings)
    this.records.push({ kind: 'submission', at, participant, logGroup, submission: bytes })
    this.group = group
    return { kind, records: group.log.all().slice(), skipped: null, unchanged: false }
  }

  private prepare(
    group: RoomGroup,
    participant: string,
    submission: Exclude<Submission, { kind: 'create' }>,
    at: number,
  ): Step | null {
    const { bars, absent } = this.room
    group.settle(at)
    switch (submission.kind) {
      case 'commit': {
        const verdict = group.verdict(submission.commit)
        if (verdict === 'taken') return null
        if (verdict === 'skipped') throw new Refusal('skipped', 'members could not apply it')
        const left = bars.left(participant, at)
        if (left > 0) throw new Refusal('barred', `${participant} may commit again in ${left} ms`)
        return group.commit(participant, submission.commit, submission.groupInfo, at)
      }
      case 'leave':
        return group.leave(participant)
      case 'report':
        return group.report(participant, submission, (id) => !absent.has(id))
    }
  }

  private decode(bytes: Uint8Array): Submission {
    try {
      return decodeSubmission(bytes, this.settings.limits)
    } catch (error) {
      if (!(error instanceof DeliveryFormatError)) throw error
      throw new Refusal('malformed', error.message)
    }
  }
}
