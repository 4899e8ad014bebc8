/**
 * An object as it is received and forwarded (draft-18 section 11.2). It keeps one view of its bytes
 * as they stood on the wire, `body`, so that a relay sends the very same bytes on; properties and
 * payload are views into it, made when asked for.
 */

import { propertiesFault } from './properties.ts'

/** Section 11.2.1.1. */
export const ObjectStatus = {
  NORMAL: 0x0,
  END_OF_GROUP: 0x3,
  END_OF_TRACK: 0x4,
} as const

/** An object as it was received, or as a relay keeps it (draft-18 section 2.1). */
export class MoqObject {
  readonly group: number
  /** Null for a datagram object, which belongs to no subgroup. */
  readonly subgroup: number | null
  readonly object: number
  /** 0..255, lower is sent first; null where the track's default applies. */
  readonly priority: number | null
  readonly status: number
  /** Datagrams only: no larger object id exists in the group. */
  readonly endOfGroup: boolean
  /**
   * From a stream: `[properties length, properties,] payload length, [status,] payload`.
   * From a datagram: `[properties length, properties,] payload`, or the status in its place.
   */
  readonly body: Uint8Array
  private readonly propertiesAt: number
  private readonly propertiesLength: number
  private readonly payloadAt: number

  constructor(
    group: number,
    subgroup: number | null,
    object: number,
    priority: number | null,
    status: number,
    endOfGroup: boolean,
    body: Uint8Array,
    propertiesAt: number,
    propertiesLength: number,
    payloadAt: number,
  ) {
    this.group = group
    this.subgroup = subgroup
    this.object = object
    this.priority = priority
    this.status = status
    this.endOfGroup = endOfGroup
    this.body = body
    this.propertiesAt = propertiesAt
    this.propertiesLength = propertiesLength
    this.payloadAt = payloadAt
  }

  /** Whether the body starts with a properties field (even an empty one). */
  get hasProperties(): boolean {
    return this.propertiesAt > 0
  }

  /** Where `properties` begin in the body, for readers that make no view. */
  get propertiesStart(): number {
    return this.propertiesAt
  }

  /** Bytes of `properties`. */
  get propertiesSize(): number {
    return this.propertiesLength
  }

  /** The serialized Key-Value-Pairs, without their length; empty when there are none. */
  get properties(): Uint8Array {
    return this.body.subarray(this.propertiesAt, this.propertiesAt + this.propertiesLength)
  }

  /** Why its properties make the track malformed, see `propertiesFault`; null when nothing does. */
  get propertiesFault(): string | null {
    if (this.propertiesLength === 0) return null
    const end = this.propertiesAt + this.propertiesLength
    return propertiesFault(this.body, this.propertiesAt, end)
  }

  get payload(): Uint8Array {
    return this.body.subarray(this.payloadAt)
  }

  get payloadLength(): number {
    return this.body.length - this.payloadAt
  }
}
