/** What the codecs of the relay's own tracks share: a version, bounded fields, one kind of error. */

import { ProtocolError } from '../wire/errors.ts'
import { Reader } from '../wire/reader.ts'
import { Writer } from '../wire/writer.ts'
import { MediaFormatError } from './errors.ts'

const VERSION = 1
const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder('utf-8', { fatal: true })

export function beginRecord(): Writer {
  return new Writer(128).vi64(VERSION)
}

/** @throws MediaFormatError for another version, a field out of its bounds, or bytes missing or left */
export function readRecord<T>(what: string, bytes: Uint8Array, read: (reader: Reader) => T): T {
  try {
    const reader = new Reader(bytes)
    const version = reader.vi64('version')
    if (version !== VERSION) throw new MediaFormatError(`${what} of version ${version}`)
    const value = read(reader)
    reader.end()
    return value
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new MediaFormatError(`${what}: ${error.message}`, { cause: error })
  }
}

/** @throws MediaFormatError for a number above `most` */
export function readUpTo(reader: Reader, most: number, what: string): number {
  const value = reader.vi64(what)
  if (value > most) throw new MediaFormatError(`${what} ${value}, at most ${most}`)
  return value
}

/** @throws RangeError for text above `most` bytes */
export function writeText(writer: Writer, text: string, most: number): void {
  const bytes = utf8.encode(text)
  if (bytes.length > most) throw new RangeError(`text of ${bytes.length} bytes, at most ${most}`)
  writer.lengthPrefixed(bytes)
}

/** @throws MediaFormatError for text above `most` bytes, or not UTF-8 */
export function readText(reader: Reader, most: number, what: string): string {
  const bytes = reader.bytes(readUpTo(reader, most, `length of ${what}`))
  try {
    return fromUtf8.decode(bytes)
  } catch (error) {
    throw new MediaFormatError(`${what} is not UTF-8`, { cause: error })
  }
}

/** As an unsigned integer on the wire. */
export function rounded(value: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.round(value)))
}
