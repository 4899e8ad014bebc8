import { ProtocolError } from './errors.ts'
import {
  END_OF_NON_EXISTENT_RANGE,
  END_OF_UNKNOWN_RANGE,
  FetchFlag,
  type FetchRangeEnd,
} from './fetch.ts'
import { MoqObject, ObjectStatus } from './object.ts'
import { ObjectGatherer } from './object-gatherer.ts'
import type { GroupOrder } from './parameters.ts'

/**
 * Where a parser puts what it read. The `body` of an object is `[properties length, properties,]
 * payload length, payload`, as it stood on the stream: unlike a subgroup's it has no status when the
 * payload is empty.
 */
export interface FetchSink {
  onObject(object: MoqObject): void
  onRangeEnd(end: FetchRangeEnd): void
}

/** Parses what follows the header of a fetch stream (draft-18 section 11.4.4) from bytes as they come. */
export class FetchParser extends ObjectGatherer {
  private readonly descending: boolean
  private readonly sink: FetchSink

  /** -1: nothing was read. */
  private priorGroup = -1
  private priorObject = -1
  /** Null: no object was read, or the last one is a datagram's and has no subgroup. */
  private priorSubgroup: number | null = null
  /** -1: no object was read; a range end has no priority. */
  private priorPriority = -1

  // Fields of the object or range end being parsed, kept here so that a retry allocates nothing.
  private flags = 0
  private group = 0
  private object = 0
  private subgroup: number | null = null
  private priority = 0
  private bodyAt = 0
  private propertiesAt = 0
  private propertiesLength = 0
  private payloadAt = 0

  /** @param order that of the FETCH; it gives the group deltas their sign */
  constructor(
    order: GroupOrder,
    maxObjectBytes: number,
    sink: FetchSink,
    maxPropertiesBytes: number = maxObjectBytes,
  ) {
    super(maxObjectBytes, maxPropertiesBytes)
    this.descending = order === 'descending'
    this.sink = sink
  }

  /** The prior object stays what it is: an incomplete one is parsed again. */
  protected override parse(bytes: Uint8Array, offset: number): boolean {
    this.at = offset
    this.end = offset
    const flags = this.integer(bytes, 'serialization flags')
    if (flags < 0) return false
    this.flags = flags
    if (isRangeEnd(flags)) return this.parseRangeEnd(bytes)
    if (flags > MAX_FLAGS) throw new ProtocolError(`unknown fetch flags 0x${flags.toString(16)}`)
    this.checkReferences(flags)
    return this.parseFields(bytes, flags) && this.parseBody(bytes, flags)
  }

  /** Absolute ids, and no payload length. */
  private parseRangeEnd(bytes: Uint8Array): boolean {
    this.group = this.integer(bytes, 'group')
    if (this.group < 0) return false
    this.object = this.integer(bytes, 'object')
    if (this.object < 0) return false
    this.end = this.at
    return true
  }

  /** Refuses flags that refer to fields of a prior object that is not there or has none. */
  private checkReferences(flags: number): void {
    if (this.priorGroup < 0 && !(flags & FetchFlag.GROUP && flags & FetchFlag.OBJECT)) {
      throw new ProtocolError('first object of a fetch without its group and object id')
    }
    if (this.priorPriority < 0 && !(flags & FetchFlag.PRIORITY)) {
      throw new ProtocolError('first object of a fetch without its priority')
    }
    if (this.priorSubgroup === null && refersToSubgroup(flags)) {
      throw new ProtocolError('fetch object refers to a prior subgroup id that is not there')
    }
  }

  private parseFields(bytes: Uint8Array, flags: number): boolean {
    let groupDelta = 0
    if (flags & FetchFlag.GROUP) {
      groupDelta = this.integer(bytes, 'group id delta')
      if (groupDelta < 0) return false
    }
    let subgroup = 0
    if (subgroupMode(flags) === FetchFlag.SUBGROUP_PRESENT) {
      subgroup = this.integer(bytes, 'subgroup id')
      if (subgroup < 0) return false
    }
    let objectDelta = 0
    if (flags & FetchFlag.OBJECT) {
      objectDelta = this.integer(bytes, 'object id delta')
      if (objectDelta < 0) return false
    }
    this.priority = this.priorPriority
    if (flags & FetchFlag.PRIORITY) {
      this.end = this.at + 1
      if (this.end > bytes.length) return false
      this.priority = bytes[this.at++]!
    }
    this.group = checkId(this.groupOf(flags, groupDelta), 'group')
    this.object = checkId(this.objectOf(flags, objectDelta), 'object')
    this.subgroup = this.subgroupOf(flags, subgroup)
    return true
  }

  private groupOf(flags: number, delta: number): number {
    if (!(flags & FetchFlag.GROUP)) return this.priorGroup
    if (this.priorGroup < 0) return delta
    return this.descending ? this.priorGroup - 1 - delta : this.priorGroup + 1 + delta
  }

  private objectOf(flags: number, delta: number): number {
    if (!(flags & FetchFlag.OBJECT)) return this.priorObject + 1
    return flags & FetchFlag.GROUP ? delta : this.priorObject + delta
  }

  private subgroupOf(flags: number, field: number): number | null {
    if (flags & FetchFlag.DATAGRAM) return null
    if (!refersToSubgroup(flags)) return field
    const prior = this.priorSubgroup ?? 0
    const next = subgroupMode(flags) === FetchFlag.SUBGROUP_NEXT
    return next ? checkId(prior + 1, 'subgroup') : prior
  }

  private parseBody(bytes: Uint8Array, flags: number): boolean {
    this.bodyAt = this.at
    this.propertiesAt = this.at
    this.propertiesLength = 0
    if (flags & FetchFlag.PROPERTIES) {
      const length = this.integer(bytes, 'properties length')
      if (length < 0) return false
      this.limitProperties(length)
      this.propertiesAt = this.at
      this.propertiesLength = length
      this.at += length
    }
    const payloadLength = this.integer(bytes, 'payload length')
    if (payloadLength < 0) return false
    this.limit(this.propertiesLength + payloadLength)
    this.payloadAt = this.at
    this.end = this.at + payloadLength
    return this.end <= bytes.length
  }

  protected override deliver(bytes: Uint8Array): void {
    this.priorGroup = this.group
    this.priorObject = this.object
    if (isRangeEnd(this.flags)) {
      const kind = this.flags === END_OF_UNKNOWN_RANGE ? 'unknown' : 'non-existent'
      this.sink.onRangeEnd({ group: this.group, object: this.object, kind })
      return
    }
    this.priorSubgroup = this.subgroup
    this.priorPriority = this.priority
    this.sink.onObject(
      new MoqObject(
        this.group,
        this.subgroup,
        this.object,
        this.priority,
        ObjectStatus.NORMAL,
        false,
        bytes.subarray(this.bodyAt, this.end),
        this.propertiesAt - this.bodyAt,
        this.propertiesLength,
        this.payloadAt - this.bodyAt,
      ),
    )
  }
}

const MAX_FLAGS = 0x7f

function isRangeEnd(flags: number): boolean {
  return flags === END_OF_NON_EXISTENT_RANGE || flags === END_OF_UNKNOWN_RANGE
}

/** A datagram's object has no subgroup id, whatever the two bits say. */
function subgroupMode(flags: number): number {
  return flags & FetchFlag.DATAGRAM ? FetchFlag.SUBGROUP_ZERO : flags & FetchFlag.SUBGROUP_MASK
}

function refersToSubgroup(flags: number): boolean {
  const mode = subgroupMode(flags)
  return mode === FetchFlag.SUBGROUP_PRIOR || mode === FetchFlag.SUBGROUP_NEXT
}

/** The draft's bound is 2^64-1; this endpoint counts to 2^53-1 (see `safeVi64`). */
function checkId(id: number, what: string): number {
  if (id < 0) throw new ProtocolError(`${what} id below 0`)
  if (!Number.isSafeInteger(id)) throw new ProtocolError(`${what} id above 2^53-1`)
  return id
}
