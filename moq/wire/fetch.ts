/** Fetch streams on the wire (draft-18 section 11.4.4): the header and the encoder of what follows. */

import type { Location } from './location.ts'
import { ObjectStatus } from './object.ts'
import type { GroupOrder } from './parameters.ts'
import type { Reader } from './reader.ts'
import { vi64Size, writeVi64 } from './vi64.ts'
import { Writer } from './writer.ts'

/** Type of the unidirectional stream. */
export const FETCH_HEADER = 0x05

export interface FetchHeader {
  /** The FETCH that this stream answers. */
  readonly requestId: number
}

/** What a fetch stream carries of an object; a `MoqObject` is one. */
export interface FetchObject extends Location {
  /** Null for an object whose forwarding preference is Datagram. */
  readonly subgroup: number | null
  /** Null where the track's default applies. */
  readonly priority: number | null
  /** Serialized Key-Value-Pairs, without their length; may be empty. */
  readonly properties: Uint8Array
  readonly payload: Uint8Array
  /** A fetch stream carries no status (section 11.2.1.1): Normal, or left out. */
  readonly status?: number
}

/**
 * End of Range (section 11.4.4.2): every object after the last one on the stream, up to and with
 * this location, does not exist or is not known.
 */
export interface FetchRangeEnd extends Location {
  readonly kind: 'non-existent' | 'unknown'
}

/** Bits of the Serialization Flags, section 11.4.4.1. */
export const FetchFlag = {
  SUBGROUP_MASK: 0x03,
  SUBGROUP_ZERO: 0x00,
  SUBGROUP_PRIOR: 0x01,
  SUBGROUP_NEXT: 0x02,
  SUBGROUP_PRESENT: 0x03,
  OBJECT: 0x04,
  GROUP: 0x08,
  PRIORITY: 0x10,
  PROPERTIES: 0x20,
  DATAGRAM: 0x40,
} as const

/** Serialization Flags that are no flags: the two ends of a range. */
export const END_OF_NON_EXISTENT_RANGE = 0x8c
export const END_OF_UNKNOWN_RANGE = 0x10c

/** Flags, three ids, a priority and two lengths, each as long as it can be. */
const MAX_FIELDS_BYTES = 48

export function encodeFetchHeader(header: FetchHeader): Uint8Array {
  return new Writer(10).vi64(FETCH_HEADER).vi64(header.requestId).finish()
}

/** Reads what follows the stream type. */
export function readFetchHeader(reader: Reader): FetchHeader {
  return { requestId: reader.vi64('request id') }
}

/**
 * Encodes the objects and range ends of one fetch stream, each relative to the one before, with the
 * fewest fields. Groups must come in the order of the fetch, objects of a group by ascending id.
 */
export class FetchObjectWriter {
  private readonly order: GroupOrder
  private readonly defaultPriority: number
  private readonly fields = new Uint8Array(MAX_FIELDS_BYTES)

  /** -1: nothing was written. */
  private priorGroup = -1
  private priorObject = -1
  /** Null: no object was written, or the last one was a datagram's and has no subgroup. */
  private priorSubgroup: number | null = null
  /** -1: no object was written; a range end has no priority. */
  private priorPriority = -1

  /** @param defaultPriority 0..255, what an object without a priority of its own has */
  constructor(order: GroupOrder, defaultPriority: number) {
    this.order = order
    this.defaultPriority = defaultPriority
  }

  /**
   * The bytes of the next object, made with one copy of its properties and payload.
   * @throws RangeError for an object out of order, an id above 2^53-1, a priority outside of 0..255
   *   or a status that is not Normal (our own bug); the object is then as if never given
   */
  object(object: FetchObject): Uint8Array {
    const priority = object.priority ?? this.defaultPriority
    this.check(object, priority)
    const { properties, payload } = object
    const flags = this.flags(object, priority)
    const fieldsSize = this.writeFields(flags, object, priority)
    const size = fieldsSize + properties.length + vi64Size(payload.length) + payload.length
    const bytes = new Uint8Array(size)
    bytes.set(this.fields.subarray(0, fieldsSize))
    bytes.set(properties, fieldsSize)
    const payloadAt = writeVi64(bytes, fieldsSize + properties.length, payload.length)
    bytes.set(payload, payloadAt)
    this.priorGroup = object.group
    this.priorObject = object.object
    this.priorSubgroup = object.subgroup
    this.priorPriority = priority
    return bytes
  }

  /**
   * The bytes of an end of range. Its ids are absolute: as deltas they could not name a location in
   * the group of the object before.
   * @throws RangeError for a location out of order or an id above 2^53-1 (our own bug)
   */
  rangeEnd(end: FetchRangeEnd): Uint8Array {
    this.checkLocation(end)
    const flags = end.kind === 'unknown' ? END_OF_UNKNOWN_RANGE : END_OF_NON_EXISTENT_RANGE
    this.priorGroup = end.group
    this.priorObject = end.object
    return new Writer(20).vi64(flags).vi64(end.group).vi64(end.object).finish()
  }

  private check(object: FetchObject, priority: number): void {
    this.checkLocation(object)
    if (object.subgroup !== null) checkId(object.subgroup)
    if (!(Number.isInteger(priority) && priority >= 0 && priority <= 255)) {
      throw new RangeError(`not a priority: ${priority}`)
    }
    if ((object.status ?? ObjectStatus.NORMAL) !== ObjectStatus.NORMAL) {
      throw new RangeError(`a fetch stream carries no object of status ${object.status}`)
    }
  }

  private checkLocation({ group, object }: Location): void {
    checkId(group)
    checkId(object)
    if (this.priorGroup < 0) return
    const ordered =
      group === this.priorGroup
        ? object > this.priorObject
        : group > this.priorGroup === (this.order === 'ascending')
    if (!ordered) {
      const prior = `{${this.priorGroup}, ${this.priorObject}}`
      throw new RangeError(`{${group}, ${object}} does not follow ${prior}, groups ${this.order}`)
    }
  }

  private flags(object: FetchObject, priority: number): number {
    let flags: number = this.subgroupFlags(object.subgroup)
    const first = this.priorGroup < 0
    if (first || object.group !== this.priorGroup) flags |= FetchFlag.GROUP
    if (first || object.object !== this.priorObject + 1) flags |= FetchFlag.OBJECT
    if (priority !== this.priorPriority) flags |= FetchFlag.PRIORITY
    if (object.properties.length > 0) flags |= FetchFlag.PROPERTIES
    return flags
  }

  private subgroupFlags(subgroup: number | null): number {
    if (subgroup === null) return FetchFlag.DATAGRAM
    if (subgroup === 0) return FetchFlag.SUBGROUP_ZERO
    if (this.priorSubgroup === null) return FetchFlag.SUBGROUP_PRESENT
    if (subgroup === this.priorSubgroup) return FetchFlag.SUBGROUP_PRIOR
    if (subgroup === this.priorSubgroup + 1) return FetchFlag.SUBGROUP_NEXT
    return FetchFlag.SUBGROUP_PRESENT
  }

  /** Everything before the properties' own bytes; returns its size. */
  private writeFields(flags: number, object: FetchObject, priority: number): number {
    const { fields } = this
    let at = writeVi64(fields, 0, flags)
    if (flags & FetchFlag.GROUP) at = writeVi64(fields, at, this.groupDelta(object.group))
    if ((flags & FetchFlag.SUBGROUP_MASK) === FetchFlag.SUBGROUP_PRESENT) {
      at = writeVi64(fields, at, object.subgroup ?? 0)
    }
    if (flags & FetchFlag.OBJECT) {
      const absolute = (flags & FetchFlag.GROUP) !== 0
      at = writeVi64(fields, at, absolute ? object.object : object.object - this.priorObject)
    }
    if (flags & FetchFlag.PRIORITY) fields[at++] = priority
    if (flags & FetchFlag.PROPERTIES) at = writeVi64(fields, at, object.properties.length)
    return at
  }

  private groupDelta(group: number): number {
    return this.priorGroup < 0 ? group : Math.abs(group - this.priorGroup) - 1
  }
}

function checkId(id: number): void {
  if (!Number.isSafeInteger(id) || id < 0) throw new RangeError(`not an id: ${id}`)
}
