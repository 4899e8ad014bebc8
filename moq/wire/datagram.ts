/** Object datagrams and padding datagrams on the wire (draft-18 sections 11.3 and 11.5.2). */

import { ProtocolError } from './errors.ts'
import { MoqObject, ObjectStatus } from './object.ts'
import { Reader } from './reader.ts'
import { allocatePiece } from './slab.ts'
import { vi64Size, writeVi64 } from './vi64.ts'

const PROPERTIES = 0x01
const END_OF_GROUP = 0x02
const ZERO_OBJECT_ID = 0x04
const DEFAULT_PRIORITY = 0x08
const STATUS = 0x20
const VALID_BITS = 0x2f

export const PADDING_DATAGRAM = 0x132b3e29

/** Head of an object datagram (draft-18 section 11.3.1). */
export interface DatagramHeader {
  readonly trackAlias: number
  readonly group: number
  readonly object: number
  readonly priority: number | null
  readonly endOfGroup: boolean
}

/** Bytes that a datagram takes on top of its body. */
export function datagramHeaderSize(header: DatagramHeader): number {
  return (
    1 +
    vi64Size(header.trackAlias) +
    vi64Size(header.group) +
    (header.object === 0 ? 0 : vi64Size(header.object)) +
    (header.priority === null ? 0 : 1)
  )
}

/** A datagram that carries `payload`, with one copy of it. */
export function encodeDatagram(
  header: DatagramHeader,
  properties: Uint8Array,
  payload: Uint8Array,
): Uint8Array {
  const size = datagramHeaderSize(header)
  const propertiesSize =
    properties.length === 0 ? 0 : vi64Size(properties.length) + properties.length
  const bytes = new Uint8Array(size + propertiesSize + payload.length)
  let at = writeHeader(bytes, header, propertiesSize > 0 ? PROPERTIES : 0)
  if (propertiesSize > 0) {
    at = writeVi64(bytes, at, properties.length)
    bytes.set(properties, at)
    at += properties.length
  }
  bytes.set(payload, at)
  return bytes
}

/** The datagram of a received object under another track alias; the body's bytes are the same. */
export function reencodeDatagram(trackAlias: number, object: MoqObject): Uint8Array {
  const header: DatagramHeader = {
    trackAlias,
    group: object.group,
    object: object.object,
    priority: object.priority,
    endOfGroup: object.endOfGroup,
  }
  const size = datagramHeaderSize(header)
  const bytes = allocatePiece(size + object.body.length)
  let flags = object.hasProperties ? PROPERTIES : 0
  if (object.payloadLength === 0 && object.status !== ObjectStatus.NORMAL) flags |= STATUS
  writeHeader(bytes, header, flags)
  bytes.set(object.body, size)
  return bytes
}

function writeHeader(bytes: Uint8Array, header: DatagramHeader, flags: number): number {
  let type = flags
  if (header.endOfGroup) type |= END_OF_GROUP
  if (header.object === 0) type |= ZERO_OBJECT_ID
  if (header.priority === null) type |= DEFAULT_PRIORITY
  bytes[0] = type
  let at = writeVi64(bytes, 1, header.trackAlias)
  at = writeVi64(bytes, at, header.group)
  if (header.object !== 0) at = writeVi64(bytes, at, header.object)
  if (header.priority !== null) bytes[at++] = header.priority
  return at
}

/** An object datagram as it came. */
export interface ReceivedDatagram {
  readonly trackAlias: number
  readonly object: MoqObject
}

/**
 * @returns null for padding, which is discarded
 * @throws ProtocolError for an unknown type and for what section 11.3.1 forbids
 */
export function decodeDatagram(bytes: Uint8Array): ReceivedDatagram | null {
  const reader = new Reader(bytes)
  const type = reader.vi64('datagram type')
  if (type === PADDING_DATAGRAM) return null
  if ((type & ~VALID_BITS) !== 0 || type > VALID_BITS) {
    throw new ProtocolError(`unknown datagram type 0x${type.toString(16)}`)
  }
  if ((type & STATUS) !== 0 && (type & END_OF_GROUP) !== 0) {
    throw new ProtocolError('datagram with both a status and the end of its group')
  }
  const trackAlias = reader.vi64('track alias')
  const group = reader.vi64('group')
  const object = type & ZERO_OBJECT_ID ? 0 : reader.vi64('object')
  const priority = type & DEFAULT_PRIORITY ? null : reader.uint8()
  const bodyAt = reader.offset
  let propertiesAt = bodyAt
  let propertiesLength = 0
  if (type & PROPERTIES) {
    propertiesLength = reader.vi64('properties length')
    if (propertiesLength === 0) throw new ProtocolError('datagram with an empty properties field')
    propertiesAt = reader.offset
    reader.bytes(propertiesLength)
  }
  let status: number = ObjectStatus.NORMAL
  let payloadAt = reader.offset
  if (type & STATUS) {
    status = readStatus(reader, propertiesLength > 0)
    reader.end()
    payloadAt = reader.offset
  }
  return {
    trackAlias,
    object: new MoqObject(
      group,
      null,
      object,
      priority,
      status,
      (type & END_OF_GROUP) !== 0,
      bytes.subarray(bodyAt),
      type & PROPERTIES ? propertiesAt - bodyAt : 0,
      propertiesLength,
      payloadAt - bodyAt,
    ),
  }
}

function readStatus(reader: Reader, hasProperties: boolean): number {
  const status = reader.vi64('object status')
  const known =
    status === ObjectStatus.NORMAL ||
    status === ObjectStatus.END_OF_GROUP ||
    status === ObjectStatus.END_OF_TRACK
  if (!known) throw new ProtocolError(`unknown object status ${status}`)
  if (status !== ObjectStatus.NORMAL && hasProperties) {
    throw new ProtocolError('properties on an object that is not Normal')
  }
  return status
}
