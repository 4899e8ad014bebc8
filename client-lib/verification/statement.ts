/**
 * A statement: what a member says, under its leaf's signature key, of the epochs that it has been in.
 *
 *     version (8), sequence (vi64), participant id, fingerprint, rows (vi64),
 *     a row: group (8 bytes), epoch (vi64), key tag (16 bytes), log tag (empty, or 16 bytes)
 *     signature over everything before it (SignWithLabel, RFC 9420 section 5.1.2)
 *
 * Fields of no fixed size have their length before them, as vi64.
 */

import { checkId } from '../../moq/media/names.ts'
import { Reader } from '../../moq/wire/reader.ts'
import { Writer } from '../../moq/wire/writer.ts'

/** One epoch of one group, as its member knows it. */
export interface Row {
  /** Hash of the MLS group id, in hex. */
  readonly group: string
  readonly epoch: number
  /** Hash of the epoch authenticator, in hex. */
  readonly keyTag: string
  /** Hash of the log entries of this epoch, in hex; null when not all of them may have been seen. */
  readonly logTag: string | null
}

export interface Statement {
  /** Rises with every statement under a key, also over reloads: ms since 1970 of the sender's clock. */
  readonly sequence: number
  readonly participantId: string
  /** JWK thumbprint of the leaf's signature key. */
  readonly fingerprint: string
  /** In the order in which they were entered: the last one is where the member is. At least one. */
  readonly rows: readonly Row[]
}

/** A statement as it came, not verified yet. */
export interface SignedStatement {
  readonly statement: Statement
  /** What the signature is over. */
  readonly content: Uint8Array
  readonly signature: Uint8Array
}

/** What SignWithLabel puts before it is "MLS 1.0 ". */
export const STATEMENT_LABEL = 'Sotto Statement'
export const MAX_ROWS = 24
export const TAG_BYTES = 16
export const GROUP_BYTES = 8
/** Bounds the work that bytes from anywhere can cause. */
export const MAX_STATEMENT_BYTES = 2048
const VERSION = 1
const MAX_FINGERPRINT_BYTES = 64
const MAX_SIGNATURE_BYTES = 144

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The content to be signed; the signature goes behind it by `attachSignature`. */
export function encodeStatement(statement: Statement): Uint8Array {
  const { sequence, participantId, fingerprint, rows } = statement
  const writer = new Writer(256).uint8(VERSION).vi64(sequence)
  writer.lengthPrefixed(utf8.encode(participantId)).lengthPrefixed(utf8.encode(fingerprint))
  writer.vi64(rows.length)
  for (const { group, epoch, keyTag, logTag } of rows) {
    writer.bytes(fromHex(group)).vi64(epoch).bytes(fromHex(keyTag))
    writer.lengthPrefixed(fromHex(logTag ?? ''))
  }
  return writer.finish()
}

export function attachSignature(content: Uint8Array, signature: Uint8Array): Uint8Array {
  return new Writer(content.length + signature.length + 2)
    .bytes(content)
    .lengthPrefixed(signature)
    .finish()
}

/** @throws Error for anything that is no statement */
export function decodeStatement(bytes: Uint8Array): SignedStatement {
  if (bytes.length > MAX_STATEMENT_BYTES) throw new Error(`a statement of ${bytes.length} bytes`)
  const reader = new Reader(bytes)
  const version = reader.uint8()
  if (version !== VERSION) throw new Error(`a statement of version ${version}`)
  const sequence = reader.vi64('sequence')
  const participantId = checkId('participant', fromUtf8.decode(reader.lengthPrefixed()))
  const fingerprint = fromUtf8.decode(bounded(reader.lengthPrefixed(), MAX_FINGERPRINT_BYTES))
  const rows = readRows(reader)
  const content = bytes.subarray(0, reader.offset)
  const signature = bounded(reader.lengthPrefixed(), MAX_SIGNATURE_BYTES)
  reader.end()
  return { statement: { sequence, participantId, fingerprint, rows }, content, signature }
}

function readRows(reader: Reader): Row[] {
  const count = reader.vi64('rows')
  if (count < 1 || count > MAX_ROWS) throw new Error(`a statement of ${count} rows`)
  const rows: Row[] = []
  for (let i = 0; i < count; i++) {
    const group = toHex(reader.bytes(GROUP_BYTES))
    const epoch = reader.vi64('epoch')
    const keyTag = toHex(reader.bytes(TAG_BYTES))
    const logTag = reader.lengthPrefixed()
    if (logTag.length !== 0 && logTag.length !== TAG_BYTES) throw new Error('a log tag of odd size')
    rows.push({ group, epoch, keyTag, logTag: logTag.length === 0 ? null : toHex(logTag) })
  }
  return rows
}

function bounded(bytes: Uint8Array, most: number): Uint8Array {
  if (bytes.length === 0 || bytes.length > most) throw new Error(`a field of ${bytes.length} bytes`)
  return bytes
}

export function toHex(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return hex
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  )
}
