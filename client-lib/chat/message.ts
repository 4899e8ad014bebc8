/**
 * What one object of a `chat` track holds, before encryption.
 *
 *     version (8), kind (8)
 *     text: session (vi64), id (vi64), base (vi64), sent at (vi64, ms since 1970), text
 *     acknowledgement: count (vi64), for each sender:
 *       participant id, session (vi64), first (vi64), last (vi64), lost: count (vi64), ids (vi64)
 *
 * Texts and ids have their length before them, as vi64. A kind that is not known is for later versions.
 */

import { checkId } from '../../moq/media/names.ts'
import { Reader } from '../../moq/wire/reader.ts'
import { Writer } from '../../moq/wire/writer.ts'
import { MAX_TEXT_BYTES } from './text.ts'

export type ChatMessage = TextMessage | { readonly kind: 'acks'; readonly acks: readonly Ack[] }

export interface TextMessage {
  readonly kind: 'text'
  /** Rises each time the sender begins anew, e.g. by a reload; ids count from 1 in each. */
  readonly session: number
  readonly id: number
  /** The lowest id that everybody to whom this one goes may still wait for; at most `id`. */
  readonly base: number
  readonly sentAt: number
  readonly text: string
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
const Kind = { TEXT: 1, ACKS: 2 } as const

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function encodeMessage(message: ChatMessage): Uint8Array {
  const writer = new Writer(128).uint8(VERSION)
  if (message.kind === 'text') {
    const { session, id, base, sentAt, text } = message
    writer.uint8(Kind.TEXT).vi64(session).vi64(id).vi64(base).vi64(sentAt)
    return writer.lengthPrefixed(utf8.encode(text)).finish()
  }
  writer.uint8(Kind.ACKS).vi64(message.acks.length)
  for (const { participantId, session, first, last, lost } of message.acks) {
    writer.lengthPrefixed(utf8.encode(participantId)).vi64(session).vi64(first).vi64(last)
    writer.vi64(lost.length)
    for (const id of lost) writer.vi64(id)
  }
  return writer.finish()
}

/**
 * Null for a kind of a later version.
 * @throws Error for anything that is no message
 */
export function decodeMessage(bytes: Uint8Array): ChatMessage | null {
  const reader = new Reader(bytes)
  const version = reader.uint8()
  if (version !== VERSION) throw new Error(`a chat message of version ${version}`)
  const kind = reader.uint8()
  if (kind !== Kind.TEXT && kind !== Kind.ACKS) return null
  const message = kind === Kind.TEXT ? readText(reader) : readAcks(reader)
  reader.end()
  return message
}

function readText(reader: Reader): TextMessage {
  const session = reader.vi64('session')
  const id = reader.vi64('id')
  const base = reader.vi64('base')
  if (base < 1 || base > id) throw new Error(`text ${id} on base ${base}`)
  const sentAt = reader.vi64('time')
  const text = reader.lengthPrefixed()
  if (text.length > MAX_TEXT_BYTES) throw new Error(`a text of ${text.length} bytes`)
  return { kind: 'text', session, id, base, sentAt, text: fromUtf8.decode(text) }
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
