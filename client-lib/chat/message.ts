/**
 * What one object of a `chat` track holds, before encryption.
 *
 *     version (8), kind (8)
 *     text: session (vi64), id (vi64), base (vi64), sent at (vi64, ms since 1970), text
 *     data: session (vi64), id (vi64), base (vi64), sent at (vi64, ms since 1970), topic, bytes
 *     acknowledgement: count (vi64), for each sender:
 *       participant id, session (vi64), first (vi64), last (vi64), lost: count (vi64), ids (vi64)
 *
 * Texts, topics, bytes and ids have their length before them, as vi64. A kind that is not known is for
 * later versions.
 */

import { checkId } from '../../moq/media/names.ts'
import { Reader } from '../../moq/wire/reader.ts'
import { Writer } from '../../moq/wire/writer.ts'
import { MAX_TOPIC_BYTES, MOST_DATA_BYTES } from './data.ts'
import { MAX_TEXT_BYTES } from './text.ts'

export type ChatMessage = NumberedMessage | { readonly kind: 'acks'; readonly acks: readonly Ack[] }

/** What comes in order and is acknowledged. */
export type NumberedMessage = TextMessage | DataMessage

export interface MessageNumber {
  /** Rises each time the sender begins anew, e.g. by a reload; ids count from 1 in each. */
  readonly session: number
  readonly id: number
  /** The lowest id that everybody to whom this one goes may still wait for; at most `id`. */
  readonly base: number
  readonly sentAt: number
}

export interface TextMessage extends MessageNumber {
  readonly kind: 'text'
  readonly text: string
}

export interface DataMessage extends MessageNumber {
  readonly kind: 'data'
  readonly topic: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** What a receiver has got of one sender's session: `first` to `last` but for `lost`. */
export interface Ack {
  readonly participantId: string
  readonly session: number
  readonly first: number
  readonly last: number
  readonly lost: readonly number[]
}

export const MAX_ACKS = 64
export const MAX_LOST = 16
const VERSION = 1
const Kind = { TEXT: 1, ACKS: 2, DATA: 3 } as const

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function encodeMessage(message: ChatMessage): Uint8Array {
  const writer = new Writer(128).uint8(VERSION)
  switch (message.kind) {
    case 'text':
      writeNumber(writer.uint8(Kind.TEXT), message)
      return writer.lengthPrefixed(utf8.encode(message.text)).finish()
    case 'data':
      writeNumber(writer.uint8(Kind.DATA), message)
      writer.lengthPrefixed(utf8.encode(message.topic))
      return writer.lengthPrefixed(message.bytes).finish()
    case 'acks':
      return writeAcks(writer.uint8(Kind.ACKS), message.acks).finish()
  }
}

function writeNumber(writer: Writer, { session, id, base, sentAt }: MessageNumber): void {
  writer.vi64(session).vi64(id).vi64(base).vi64(sentAt)
}

function writeAcks(writer: Writer, acks: readonly Ack[]): Writer {
  writer.vi64(acks.length)
  for (const { participantId, session, first, last, lost } of acks) {
    writer.lengthPrefixed(utf8.encode(participantId)).vi64(session).vi64(first).vi64(last)
    writer.vi64(lost.length)
    for (const id of lost) writer.vi64(id)
  }
  return writer
}

/**
 * Null for a kind of a later version.
 * @throws Error for anything that is no message
 */
export function decodeMessage(bytes: Uint8Array): ChatMessage | null {
  const reader = new Reader(bytes)
  const version = reader.uint8()
  if (version !== VERSION) throw new Error(`a chat message of version ${version}`)
  const message = readKind(reader, reader.uint8())
  if (message !== null) reader.end()
  return message
}

function readKind(reader: Reader, kind: number): ChatMessage | null {
  switch (kind) {
    case Kind.TEXT:
      return readText(reader)
    case Kind.DATA:
      return readData(reader)
    case Kind.ACKS:
      return readAcks(reader)
    default:
      return null
  }
}

function readNumber(reader: Reader): MessageNumber {
  const session = reader.vi64('session')
  const id = reader.vi64('id')
  const base = reader.vi64('base')
  if (base < 1 || base > id) throw new Error(`message ${id} on base ${base}`)
  return { session, id, base, sentAt: reader.vi64('time') }
}

function readText(reader: Reader): TextMessage {
  const number = readNumber(reader)
  const text = reader.lengthPrefixed()
  if (text.length > MAX_TEXT_BYTES) throw new Error(`a text of ${text.length} bytes`)
  return { kind: 'text', ...number, text: fromUtf8.decode(text) }
}

/** The bytes are a copy: they outlive the object that they came in. */
function readData(reader: Reader): DataMessage {
  const number = readNumber(reader)
  const topic = reader.lengthPrefixed()
  if (topic.length > MAX_TOPIC_BYTES) throw new Error(`a topic of ${topic.length} bytes`)
  const bytes = reader.lengthPrefixed()
  if (bytes.length > MOST_DATA_BYTES) throw new Error(`data of ${bytes.length} bytes`)
  return { kind: 'data', ...number, topic: fromUtf8.decode(topic), bytes: bytes.slice() }
}

function readAcks(reader: Reader): ChatMessage {
  const acks: Ack[] = []
  for (let left = atMost(reader, MAX_ACKS); left > 0; left--) {
    const participantId = checkId('participant', fromUtf8.decode(reader.lengthPrefixed()))
    const session = reader.vi64('session')
    const first = reader.vi64('first')
    const last = reader.vi64('last')
    const lost = Array.from({ length: atMost(reader, MAX_LOST) }, () => reader.vi64('lost'))
    acks.push({ participantId, session, first, last, lost })
  }
  return { kind: 'acks', acks }
}

function atMost(reader: Reader, most: number): number {
  const count = reader.vi64('count')
  if (count > most) throw new Error(`${count} of at most ${most}`)
  return count
}
