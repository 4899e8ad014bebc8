/**
 * What the delivery service tells every member, in order: one object of the `log` track.
 *
 * Each epoch has a group of the track. Its object 0 is the entry that made the epoch (`created` for
 * epoch 0, else `commit`); objects 1 and on are `left` notices, which make no epoch. A notice whose
 * participant is still in the group when the next epoch begins is repeated in that epoch's group, so
 * whoever joins between a goodbye and the removal learns of it too.
 */

import type { Reader } from '../wire/reader.ts'
import { DeliveryFormatError } from './errors.ts'
import {
  begin,
  decode,
  MAX_GROUP_ID_BYTES,
  readBounded,
  readParticipant,
  readSuite,
  writeText,
} from './fields.ts'
import { type DeliveryLimits, defaultDeliveryLimits } from './limits.ts'
import type { SuiteName } from './suites.ts'

export type LogEntry = CreatedEntry | CommitEntry | LeftEntry

interface Entry {
  /** The epoch that the entry made, or, for a notice, in which it was given. */
  readonly epoch: number
  /** Whose submission it was. */
  readonly participant: string
}

export interface CreatedEntry extends Entry {
  readonly kind: 'created'
  readonly suite: SuiteName
  readonly groupId: Uint8Array
}

export interface CommitEntry extends Entry {
  readonly kind: 'commit'
  /** The MLSMessage as submitted, byte for byte. */
  readonly commit: Uint8Array
}

export interface LeftEntry extends Entry {
  readonly kind: 'left'
}

const Kind = { CREATED: 1, COMMIT: 2, LEFT: 3 } as const
const kindNumber = { created: Kind.CREATED, commit: Kind.COMMIT, left: Kind.LEFT } as const

export function encodeLogEntry(entry: LogEntry): Uint8Array {
  const writer = begin(entry.kind === 'commit' ? entry.commit.length : MAX_GROUP_ID_BYTES)
  writer.uint8(kindNumber[entry.kind]).vi64(entry.epoch)
  writeText(writer, entry.participant)
  if (entry.kind === 'created') {
    writeText(writer, entry.suite)
    writer.lengthPrefixed(entry.groupId)
  } else if (entry.kind === 'commit') {
    writer.lengthPrefixed(entry.commit)
  }
  return writer.finish()
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
    default:
      throw new DeliveryFormatError(`unknown log entry kind ${kind}`)
  }
}
