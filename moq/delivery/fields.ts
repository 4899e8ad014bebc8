/**
 * What the three message formats of the delivery service share: a version byte at the head, and fields
 * that are a vi64 or are preceded by their length in bytes as one.
 */

import { checkId } from '../media/names.ts'
import { Reader } from '../wire/reader.ts'
import { Writer } from '../wire/writer.ts'
import { DeliveryFormatError, UnknownSuiteError } from './errors.ts'
import { isSuiteName, type SuiteName } from './suites.ts'

const VERSION = 1
/** Longest MLS group id, in bytes. */
export const MAX_GROUP_ID_BYTES = 32

const utf8 = new TextEncoder()
const fromUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @param payloadBytes what the fields will take, so that the buffer is allocated once */
export function begin(payloadBytes: number): Writer {
  return new Writer(payloadBytes + 192).uint8(VERSION)
}

/**
 * Runs `read` over the whole of `bytes`.
 * @throws DeliveryFormatError for whatever goes wrong in it, and for bytes left over
 */
export function decode<T>(bytes: Uint8Array, read: (reader: Reader) => T): T {
  try {
    const reader = new Reader(bytes)
    const version = reader.uint8()
    if (version !== VERSION) throw new DeliveryFormatError(`version ${version}, not ${VERSION}`)
    const message = read(reader)
    reader.end()
    return message
  } catch (error) {
    if (error instanceof DeliveryFormatError) throw error
    throw new DeliveryFormatError(error instanceof Error ? error.message : String(error))
  }
}

export function readBounded(reader: Reader, what: string, most: number): Uint8Array {
  const field = reader.lengthPrefixed()
  if (field.length === 0) throw new DeliveryFormatError(`${what} is empty`)
  if (field.length > most) {
    throw new DeliveryFormatError(`${what} of ${field.length} bytes, at most ${most}`)
  }
  return field
}

export function readExactly(reader: Reader, what: string, bytes: number): Uint8Array {
  const field = readBounded(reader, what, bytes)
  if (field.length < bytes) {
    throw new DeliveryFormatError(`${what} of ${field.length} bytes, not ${bytes}`)
  }
  return field
}

export function writeText(writer: Writer, text: string): void {
  writer.lengthPrefixed(utf8.encode(text))
}

export function readParticipant(reader: Reader): string {
  return checkId('participant', fromUtf8.decode(reader.lengthPrefixed()))
}

export function readSuite(reader: Reader): SuiteName {
  const name = fromUtf8.decode(readBounded(reader, 'suite', 32))
  if (!isSuiteName(name)) throw new UnknownSuiteError(name)
  return name
}
