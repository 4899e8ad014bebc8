/**
 * What a room's records say. A room is what was accepted, in order: replaying it through the same code
 * gives the same state. A base is the state itself, in the place of everything before it.
 */

import type { SkipReport, SuiteName } from '../../moq/delivery/index.ts'
import { isSuiteName } from '../../moq/delivery/index.ts'
import { Reader } from '../../moq/wire/reader.ts'
import { Writer } from '../../moq/wire/writer.ts'
import type { LogRecord } from './log.ts'

export type Stored = StoredBase | StoredSubmission | StoredSkip

export interface StoredBase {
  readonly kind: 'base'
  readonly suite: SuiteName
  readonly logGroup: number
  readonly nextObject: number
  /** Leaf and participant. */
  readonly roster: readonly (readonly [number, string])[]
  readonly departed: readonly string[]
  /** MLSMessage. */
  readonly groupInfo: Uint8Array
  readonly log: readonly LogRecord[]
}

export interface StoredSubmission {
  readonly kind: 'submission'
  /** ms since 1970. */
  readonly at: number
  readonly participant: string
  /** Where the log begins, if it creates the group. */
  readonly logGroup: number
  readonly submission: Uint8Array
}

export interface StoredSkip {
  readonly kind: 'skip'
  readonly commitHash: Uint8Array
  readonly reports: readonly SkipReport[]
}

const VERSION = 1
const Kind = { BASE: 1, SUBMISSION: 2, SKIP: 3 } as const
const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function encodeStored(stored: Stored): Uint8Array {
  const writer = new Writer(1024).uint8(VERSION)
  switch (stored.kind) {
    case 'base':
      return writeBase(writer.uint8(Kind.BASE), stored).finish()
    case 'submission':
      return text(writer.uint8(Kind.SUBMISSION).vi64(stored.at), stored.participant)
        .vi64(stored.logGroup)
        .lengthPrefixed(stored.submission)
        .finish()
    case 'skip':
      writer.uint8(Kind.SKIP).lengthPrefixed(stored.commitHash).vi64(stored.reports.length)
      for (const { leaf, signature } of stored.reports) writer.vi64(leaf).lengthPrefixed(signature)
      return writer.finish()
  }
}

/** @throws Error for bytes that are none of ours */
export function decodeStored(bytes: Uint8Array): Stored {
  const reader = new Reader(bytes)
  const version = reader.uint8()
  if (version !== VERSION) throw new Error(`stored in version ${version}, not ${VERSION}`)
  const stored = readStored(reader)
  reader.end()
  return stored
}

function readStored(reader: Reader): Stored {
  const kind = reader.uint8()
  switch (kind) {
    case Kind.BASE:
      return readBase(reader)
    case Kind.SUBMISSION:
      return {
        kind: 'submission',
        at: reader.vi64('time'),
        participant: readText(reader),
        logGroup: reader.vi64('log group'),
        submission: reader.lengthPrefixed(),
      }
    case Kind.SKIP:
      return {
        kind: 'skip',
        commitHash: reader.lengthPrefixed(),
        reports: list(reader, () => ({
          leaf: reader.vi64('leaf'),
          signature: reader.lengthPrefixed(),
        })),
      }
    default:
      throw new Error(`unknown kind ${kind} of stored record`)
  }
}

function writeBase(writer: Writer, base: StoredBase): Writer {
  text(writer, base.suite).vi64(base.logGroup).vi64(base.nextObject)
  writer.vi64(base.roster.length)
  for (const [leaf, participant] of base.roster) text(writer.vi64(leaf), participant)
  writer.vi64(base.departed.length)
  for (const participant of base.departed) text(writer, participant)
  writer.lengthPrefixed(base.groupInfo).vi64(base.log.length)
  for (const { epoch, group, object, bytes } of base.log) {
    writer.vi64(epoch).vi64(group).vi64(object).lengthPrefixed(bytes)
  }
  return writer
}

function readBase(reader: Reader): StoredBase {
  const suite = readText(reader)
  if (!isSuiteName(suite)) throw new Error(`unknown suite ${suite}`)
  return {
    kind: 'base',
    suite,
    logGroup: reader.vi64('log group'),
    nextObject: reader.vi64('next object'),
    roster: list(reader, () => [reader.vi64('leaf'), readText(reader)] as const),
    departed: list(reader, () => readText(reader)),
    groupInfo: reader.lengthPrefixed(),
    log: list(reader, () => ({
      epoch: reader.vi64('epoch'),
      group: reader.vi64('group'),
      object: reader.vi64('object'),
      bytes: reader.lengthPrefixed(),
    })),
  }
}

function list<T>(reader: Reader, read: () => T): T[] {
  const items: T[] = []
  for (let left = reader.vi64('count'); left > 0; left--) items.push(read())
  return items
}

function text(writer: Writer, value: string): Writer {
  return writer.lengthPrefixed(utf8.encode(value))
}

function readText(reader: Reader): string {
  return fromUtf8.decode(reader.lengthPrefixed())
}
