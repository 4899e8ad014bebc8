/**
 * Key-Value-Pairs (draft-18 section 1.4.3), the form of track and object properties and of setup
 * options: types ascend and are coded as deltas; an even type has a vi64 value, an odd one bytes.
 * Unknown properties are kept as they are; a relay forwards the serialized bytes untouched.
 */

import { SessionCode } from './codes.ts'
import { ProtocolError } from './errors.ts'
import { Reader } from './reader.ts'
import { MAX_VI64, readVi64, vi64Length } from './vi64.ts'
import { Writer } from './writer.ts'

/** A Key-Value-Pair (draft-18 section 1.4.3): a property, or an option of SETUP. */
export interface Property {
  readonly type: number | bigint
  /** An integer for an even type, bytes for an odd one. */
  readonly value: number | bigint | Uint8Array
}

/** Property types of the transport draft (section 12). */
export const PropertyType = {
  OBJECT_DELIVERY_TIMEOUT: 0x02,
  MAX_CACHE_DURATION: 0x04,
  SUBGROUP_DELIVERY_TIMEOUT: 0x06,
  IMMUTABLE_PROPERTIES: 0x0b,
  DEFAULT_PUBLISHER_PRIORITY: 0x0e,
  DEFAULT_PUBLISHER_GROUP_ORDER: 0x22,
  DYNAMIC_GROUPS: 0x30,
  PRIOR_GROUP_ID_GAP: 0x3c,
  PRIOR_OBJECT_ID_GAP: 0x3e,
} as const

const MAX_VALUE_BYTES = 0xffff

/**
 * @param properties in ascending order of type; equal types may repeat
 * @throws RangeError for an order, parity or length that cannot be encoded (our own bug)
 */
export function encodeProperties(properties: readonly Property[]): Uint8Array {
  const writer = new Writer(16 * properties.length)
  writeProperties(writer, properties)
  return writer.finish()
}

export function writeProperties(writer: Writer, properties: readonly Property[]): void {
  let previous: number | bigint = 0
  for (const { type, value } of properties) {
    if (type < previous) throw new RangeError('properties must ascend by type')
    writer.vi64(difference(type, previous))
    previous = type
    if (value instanceof Uint8Array) {
      if (!isOdd(type)) throw new RangeError(`property ${type} is even: its value is an integer`)
      if (value.length > MAX_VALUE_BYTES) throw new RangeError(`property ${type} is too long`)
      writer.lengthPrefixed(value)
    } else {
      if (isOdd(type)) throw new RangeError(`property ${type} is odd: its value is bytes`)
      writer.vi64(value)
    }
  }
}

/** @throws ProtocolError for anything that is not a sequence of Key-Value-Pairs */
export function decodeProperties(bytes: Uint8Array): Property[] {
  return readProperties(new Reader(bytes))
}

/** Reads to the end of the reader. */
export function readProperties(reader: Reader): Property[] {
  const properties: Property[] = []
  let type: number | bigint = 0
  while (reader.remaining > 0) {
    type = sum(type, reader.vi64Any())
    if (type > MAX_VI64) throw new ProtocolError('property type above 2^64-1')
    properties.push({ type, value: isOdd(type) ? readValueBytes(reader) : reader.vi64Any() })
  }
  return properties
}

function readValueBytes(reader: Reader): Uint8Array {
  const length = reader.vi64('property length')
  if (length > MAX_VALUE_BYTES) throw new ProtocolError('property value above 65535 bytes')
  return reader.bytes(length)
}

/**
 * The integer value of a property, searched in the list and inside Immutable Properties
 * (section 12.7); undefined when absent. Above 2^53-1 it is only nearly exact.
 */
export function findInteger(properties: readonly Property[], type: number): number | undefined {
  for (const property of properties) {
    if (property.type === type && !(property.value instanceof Uint8Array)) {
      return Number(property.value)
    }
    if (property.type === PropertyType.IMMUTABLE_PROPERTIES) {
      const inner = decodeProperties(property.value as Uint8Array)
      if (inner.some((p) => p.type === PropertyType.IMMUTABLE_PROPERTIES)) {
        throw new ProtocolError(
          'nested immutable properties',
          SessionCode.KEY_VALUE_FORMATTING_ERROR,
        )
      }
      const found = findInteger(inner, type)
      if (found !== undefined) return found
    }
  }
  return undefined
}

/** Section 2.5.1: tracks with such a property are only for those who understand it. */
const MANDATORY_FIRST = 0x4000
const MANDATORY_LAST = 0x7fff
const NONE: ReadonlySet<number> = new Set()

/**
 * A Mandatory Track Property that is not understood, in the list or inside Immutable Properties; null
 * when there is none. A track with one is neither taken nor forwarded: UNSUPPORTED_EXTENSION.
 * @param known types that the receiver understands
 */
export function unknownMandatory(
  properties: readonly Property[],
  known: ReadonlySet<number> = NONE,
): number | null {
  for (const { type, value } of properties) {
    if (typeof type === 'number' && isMandatory(type) && !known.has(type)) return type
    if (type !== PropertyType.IMMUTABLE_PROPERTIES || !(value instanceof Uint8Array)) continue
    // What cannot be read is another fault: `propertiesFault` tells it.
    if (scan(value, 0, value.length, true, false) !== null) continue
    const found = unknownMandatory(decodeProperties(value), known)
    if (found !== null) return found
  }
  return null
}

/**
 * Why the properties of an object make its track malformed (sections 2.4.2, 2.5.1 and 12.7): a
 * mandatory property, pairs that cannot be read, Immutable Properties twice or nested. Null when
 * nothing is wrong; that answer allocates nothing.
 * @param bytes hold the serialized Key-Value-Pairs from `start` to `end`
 */
export function propertiesFault(bytes: Uint8Array, start: number, end: number): string | null {
  return scan(bytes, start, end, false, true)
}

/**
 * Checks what the draft says of Track Properties that it defines.
 * @returns why they make the track malformed; null when nothing is wrong
 * @throws ProtocolError for a value that ends the session (sections 12.5 and 12.6)
 */
export function trackPropertiesFault(properties: readonly Property[]): string | null {
  for (const { type, value } of properties) {
    if (type !== PropertyType.IMMUTABLE_PROPERTIES || !(value instanceof Uint8Array)) continue
    const fault = scan(value, 0, value.length, true, false)
    if (fault !== null) return fault
  }
  const priority = findInteger(properties, PropertyType.DEFAULT_PUBLISHER_PRIORITY)
  if (priority !== undefined && priority > 255) return 'a default publisher priority above 255'
  const order = findInteger(properties, PropertyType.DEFAULT_PUBLISHER_GROUP_ORDER)
  if (order !== undefined && order !== 1 && order !== 2) {
    throw new ProtocolError(`DEFAULT_PUBLISHER_GROUP_ORDER ${order}, not 1 or 2`)
  }
  const dynamic = findInteger(properties, PropertyType.DYNAMIC_GROUPS)
  if (dynamic !== undefined && dynamic > 1) {
    throw new ProtocolError(`DYNAMIC_GROUPS ${dynamic}, not 0 or 1`)
  }
  return null
}

function isMandatory(type: number): boolean {
  return type >= MANDATORY_FIRST && type <= MANDATORY_LAST
}

/**
 * @param inner whether they stand inside Immutable Properties
 * @param ofObject whether a mandatory property is a fault
 */
function scan(
  bytes: Uint8Array,
  start: number,
  end: number,
  inner: boolean,
  ofObject: boolean,
): string | null {
  let at = start
  let type: number | bigint = 0
  let immutable = false
  while (at < end) {
    const valueAt = at + vi64Length(bytes[at]!)
    if (valueAt >= end || valueAt + vi64Length(bytes[valueAt]!) > end) return UNREADABLE
    type = sum(type, readVi64(bytes, at))
    if (typeof type === 'bigint' && type > MAX_VI64) return UNREADABLE
    if (ofObject && typeof type === 'number' && isMandatory(type)) {
      return 'a mandatory track property on an object'
    }
    at = valueAt + vi64Length(bytes[valueAt]!)
    if (!isOdd(type)) continue
    const length = readVi64(bytes, valueAt)
    if (typeof length === 'bigint' || length > MAX_VALUE_BYTES || at + length > end) {
      return UNREADABLE
    }
    if (type === PropertyType.IMMUTABLE_PROPERTIES) {
      if (inner || immutable) return 'immutable properties twice or nested'
      immutable = true
      const fault = scan(bytes, at, at + length, true, ofObject)
      if (fault !== null) return fault
    }
    at += length
  }
  return null
}

const UNREADABLE = 'properties that cannot be read'

function isOdd(type: number | bigint): boolean {
  return typeof type === 'number' ? type % 2 === 1 : (type & 1n) === 1n
}

function difference(a: number | bigint, b: number | bigint): number | bigint {
  return typeof a === 'number' && typeof b === 'number' ? a - b : BigInt(a) - BigInt(b)
}

function sum(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'number' && typeof b === 'number' && a + b <= Number.MAX_SAFE_INTEGER)
    return a + b
  return BigInt(a) + BigInt(b)
}
