/**
 * What the delivery service tells every member, in order: one object of the `log` track.
 *
 * Each accepted commit has a group of the track. Its object 0 is the entry that made the epoch
 * (`created` for epoch 0, else `commit`); objects 1 and on make no epoch. `left` is a notice; if its
 * participant is still in the group when the next epoch begins it is repeated in that epoch's group, so
 * whoever joins between a goodbye and the removal learns of it too.
 *
 * `skipped` takes commits back: the room is at the epoch before `epoch` again, as if the commit that
 * made `epoch`, and what was made on it, had not been accepted. The next commit makes `epoch` anew, in
 * the next group. See `report.ts` for who may bring that about.
 */

import type { Reader } from '../wire/reader.ts'
import type { Writer } from '../wire/writer.ts'
import { DeliveryFormatError } from './errors.ts'
import {
  begin,
  decode,
  MAX_GROUP_ID_BYTES,
  readBounded,
  readExactly,
  readParticipant,
  readSuite,
  writeText,
} from './fields.ts'
import { type DeliveryLimits, defaultDeliveryLimits } from './limits.ts'
import {
  COMMIT_HASH_BYTES,
  MAX_REPORTS,
  MAX_SIGNATURE_BYTES,
  MAX_TRANSCRIPT_BYTES,
  MAX_UNDONE,
} from './report.ts'
import type { SuiteName } from './suites.ts'

/** What the delivery service tells in its log; `kind` tells which. */
export type LogEntry = CreatedEntry | CommitEntry | LeftEntry | SkippedEntry

interface Entry {
  /** The epoch that the entry made, or, for a notice, in which it was given. */
  readonly epoch: number
  /** Whose submission it was. */
  readonly participant: string
}

/** The first entry of a log: the group was created. */
export interface CreatedEntry extends Entry {
  readonly kind: 'created'
  readonly suite: SuiteName
  readonly groupId: Uint8Array
}

/** A commit was accepted and made the entry's epoch. */
export interface CommitEntry extends Entry {
  readonly kind: 'commit'
  /** The MLSMessage as submitted, byte for byte. */
  readonly commit: Uint8Array
}

/** The participant said goodbye; any member may remove it now. */
export interface LeftEntry extends Entry {
  readonly kind: 'left'
}

/** `epoch` is the one that is taken back, `participant` whose commit had made it. */
export interface SkippedEntry extends Entry {
  readonly kind: 'skipped'
  /** SHA-256 of the commit's MLSMessage. */
  readonly commitHash: Uint8Array
  /**
   * Interim transcript hash (RFC 9420 section 8.2) of the epoch before. With the commits from the log, who
   * joined on the skipped one sees by it that this is what it joined on.
   */
  readonly transcript: Uint8Array
  /** SHA-256 of the commits that had been made on it, in order. */
  readonly undone: readonly Uint8Array[]
  /** Who reported it, by leaf of the epoch before, ascending. Each signature is one of `report.ts`. */
  readonly reports: readonly SkipReport[]
}

/** One member's word that it could not apply a commit. */
export interface SkipReport {
  readonly leaf: number
  readonly signature: Uint8Array
}

const Kind = { CREATED: 1, COMMIT: 2, LEFT: 3, SKIPPED: 4 } as const
const kindNumber = {
  created: Kind.CREATED,
  commit: Kind.COMMIT,
  left: Kind.LEFT,
  skipped: Kind.SKIPPED,
} as const
/** A leaf, a signature and its length. */
const REPORT_BYTES = MAX_SIGNATURE_BYTES + 8

/** The payload of an object of the `log` track. */
export function encodeLogEntry(entry: LogEntry): Uint8Array {
  const writer = begin(payloadBytes(entry))
  writer.uint8(kindNumber[entry.kind]).vi64(entry.epoch)
  writeText(writer, entry.participant)
  if (entry.kind === 'created') {
    writeText(writer, entry.suite)
    writer.lengthPrefixed(entry.groupId)
  } else if (entry.kind === 'commit') {
    writer.lengthPrefixed(entry.commit)
  } else if (entry.kind === 'skipped') {
    writeSkipped(writer, entry)
  }
  return writer.finish()
}

function payloadBytes(entry: LogEntry): number {
  if (entry.kind === 'commit') return entry.commit.length
  if (entry.kind === 'skipped') {
    return entry.reports.length * REPORT_BYTES + (entry.undone.length + 3) * COMMIT_HASH_BYTES
  }
  return MAX_GROUP_ID_BYTES
}

function writeSkipped(writer: Writer, entry: SkippedEntry): void {
  const { commitHash, transcript, undone, reports } = entry
  writer.lengthPrefixed(commitHash).lengthPrefixed(transcript).vi64(undone.length)
  for (const hash of undone) writer.lengthPrefixed(hash)
  writer.vi64(reports.length)
  for (const { leaf, signature } of reports) writer.vi64(leaf).lengthPrefixed(signature)
}

/** @throws DeliveryFormatError */
export function decodeLogEntry(
  bytes: Uint8Array,
  limits: DeliveryLimits = defaultDeliveryLimits,
): LogEntry {
  return decode(bytes, (reader) => readEntry(reader, limits))
}

function readEntry(reader: Reader, limits: DeliveryLimits): LogEntry {
  const kind = reader.uint8()
  const epoch = reader.vi64('epoch')
  const participant = readParticipant(reader)
  switch (kind) {
    case Kind.CREATED: {
      const suite = readSuite(reader)
      const groupId = readBounded(reader, 'group id', MAX_GROUP_ID_BYTES)
      return { kind: 'created', epoch, participant, suite, groupId }
    }
    case Kind.COMMIT: {
      const commit = readBounded(reader, 'commit', limits.commitBytes)
      return { kind: 'commit', epoch, participant, commit }
    }
    case Kind.LEFT:
      return { kind: 'left', epoch, participant }
    case Kind.SKIPPED:
      return { kind: 'skipped', epoch, participant, ...readSkipped(reader) }
    default:
      throw new DeliveryFormatError(`unknown log entry kind ${kind}`)
  }
}

function readSkipped(reader: Reader) {
  const commitHash = readExactly(reader, 'commit hash', COMMIT_HASH_BYTES)
  const transcript = readBounded(reader, 'transcript hash', MAX_TRANSCRIPT_BYTES)
  const undone = readUndone(reader)
  const count = reader.vi64('reports')
  if (count > MAX_REPORTS) throw new DeliveryFormatError(`${count} reports`)
  const reports: SkipReport[] = []
  for (let i = 0; i < count; i++) {
    const leaf = reader.vi64('leaf')
    const signature = readBounded(reader, 'signature', MAX_SIGNATURE_BYTES)
    if (leaf <= (reports.at(-1)?.leaf ?? -1)) throw new DeliveryFormatError('reports out of order')
    reports.push({ leaf, signature })
  }
  return { commitHash, transcript, undone, reports }
}

function readUndone(reader: Reader): Uint8Array[] {
  const count = reader.vi64('commits undone')
  if (count > MAX_UNDONE) throw new DeliveryFormatError(`${count} commits undone`)
  const read = () => readExactly(reader, 'commit hash', COMMIT_HASH_BYTES)
  return Array.from({ length: count }, read)
}
