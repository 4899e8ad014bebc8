/** Subgroup streams on the wire (draft-18 section 11.4.2). */

import { ProtocolError } from './errors.ts'
import type { Reader } from './reader.ts'
import { vi64Length, vi64Size, writeVi64 } from './vi64.ts'
import { Writer } from './writer.ts'

/** Head of a subgroup's stream (draft-18 section 11.4.2). */
export interface SubgroupHeader {
  readonly trackAlias: number
  readonly group: number
  /** Null: the id of the first object on the stream (mode 0b01). */
  readonly subgroup: number | null
  /** Null: the track's default (DEFAULT_PRIORITY bit). */
  readonly priority: number | null
  /** Every object on the stream has a properties field. */
  readonly hasProperties: boolean
  /** The group's largest object is on this stream; a FIN says which it is. */
  readonly endOfGroup: boolean
  /** The stream's first object is the first ever published in the subgroup. */
  readonly firstObject: boolean
}

const PROPERTIES = 0x01
const MODE_MASK = 0x06
const MODE_FIRST_OBJECT_ID = 0x02
const MODE_EXPLICIT = 0x04
const END_OF_GROUP = 0x08
const SUBGROUP = 0x10
const DEFAULT_PRIORITY = 0x20
const FIRST_OBJECT = 0x40

/** Whether a unidirectional stream type is of the form 0b0XX1XXXX (section 3.4). */
export function isSubgroupType(type: number): boolean {
  return type <= 0x7f && (type & SUBGROUP) !== 0
}

/** With the stream's type before it (draft-18 section 11.4.2). */
export function encodeSubgroupHeader(header: SubgroupHeader): Uint8Array {
  let type = SUBGROUP
  if (header.hasProperties) type |= PROPERTIES
  if (header.subgroup === null) type |= MODE_FIRST_OBJECT_ID
  else if (header.subgroup !== 0) type |= MODE_EXPLICIT
  if (header.endOfGroup) type |= END_OF_GROUP
  if (header.priority === null) type |= DEFAULT_PRIORITY
  if (header.firstObject) type |= FIRST_OBJECT
  const writer = new Writer(24).vi64(type).vi64(header.trackAlias).vi64(header.group)
  if (header.subgroup !== null && header.subgroup !== 0) writer.vi64(header.subgroup)
  if (header.priority !== null) writer.uint8(header.priority)
  return writer.finish()
}

/**
 * Whether all of a header has come.
 * @param offset behind the stream type
 */
export function isSubgroupHeaderWhole(type: number, bytes: Uint8Array, offset: number): boolean {
  const integers = (type & MODE_MASK) === MODE_EXPLICIT ? 3 : 2
  let at = offset
  for (let i = 0; i < integers; i++) {
    if (at >= bytes.length) return false
    at += vi64Length(bytes[at]!)
  }
  if ((type & DEFAULT_PRIORITY) === 0) at++
  return at <= bytes.length
}

/**
 * Reads what follows the stream type.
 * @throws ProtocolError for the reserved subgroup id mode
 */
export function readSubgroupHeader(type: number, reader: Reader): SubgroupHeader {
  const mode = type & MODE_MASK
  if (mode === MODE_MASK)
    throw new ProtocolError(`subgroup type 0x${type.toString(16)} is reserved`)
  const trackAlias = reader.vi64('track alias')
  const group = reader.vi64('group')
  let subgroup: number | null = 0
  if (mode === MODE_EXPLICIT) subgroup = reader.vi64('subgroup')
  else if (mode === MODE_FIRST_OBJECT_ID) subgroup = null
  return {
    trackAlias,
    group,
    subgroup,
    priority: type & DEFAULT_PRIORITY ? null : reader.uint8(),
    hasProperties: (type & PROPERTIES) !== 0,
    endOfGroup: (type & END_OF_GROUP) !== 0,
    firstObject: (type & FIRST_OBJECT) !== 0,
  }
}

/**
 * The object id field: the id itself for the first object on a stream, else the distance to the
 * previous one less one.
 * @param previous id of the object before on this stream, or -1
 */
export function objectIdDelta(object: number, previous: number): number {
  return previous < 0 ? object : object - previous - 1
}

/**
 * The body of a stream object with a payload: `[properties length, properties,] payload length,
 * payload`, made with one copy of each.
 * @param properties null when the subgroup header has no properties bit
 */
export function encodeSubgroupBody(properties: Uint8Array | null, payload: Uint8Array): Uint8Array {
  const propertiesSize = properties ? vi64Size(properties.length) + properties.length : 0
  // A zero-length payload is followed by its status, Normal.
  const statusSize = payload.length === 0 ? 1 : 0
  const size = propertiesSize + vi64Size(payload.length) + statusSize + payload.length
  const body = new Uint8Array(size)
  let at = 0
  if (properties) {
    at = writeVi64(body, at, properties.length)
    body.set(properties, at)
    at += properties.length
  }
  at = writeVi64(body, at, payload.length)
  body.set(payload, at + statusSize)
  return body
}

/** The body of an object without payload that states End of Group or End of Track. */
export function encodeStatusBody(hasProperties: boolean, status: number): Uint8Array {
  const writer = new Writer(3)
  if (hasProperties) writer.vi64(0)
  return writer.vi64(0).vi64(status).finish()
}
