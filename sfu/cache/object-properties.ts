/**
 * What a relay has to know of an object's properties (draft-18 sections 2.5.1, 12.7 to 12.9), read from
 * their serialized form without an allocation.
 */

import type { MoqObject } from '../../moq/wire/object.ts'
import { PropertyType } from '../../moq/wire/properties.ts'
import { readVi64, vi64Length } from '../../moq/wire/vi64.ts'

/** Mandatory Track Properties: on an object they make the track malformed (section 2.5.1). */
const FIRST_MANDATORY = 0x4000
const LAST_MANDATORY = 0x7fff

export class ObjectProperties {
  /** Ids before the object's that do not exist; 0 where the object does not tell. */
  groupGap = 0
  objectGap = 0
  /** Whether it tells of a gap before its group: it may say that there is none. */
  hasGroupGap = false
  /** Where the value of the Immutable Properties stands in the body; equal when there are none. */
  immutableFrom = 0
  immutableTo = 0
  private hasObjectGap = false
  private at = 0

  /**
   * Reads the properties of an object.
   * @returns false when they make its track malformed
   */
  read(object: MoqObject): boolean {
    return (
      this.readBody(object.body, object.hasProperties) &&
      this.groupGap <= object.group &&
      this.objectGap <= object.object
    )
  }

  /** As `read`, of bytes that begin with the properties' length if there are any. */
  readBody(body: Uint8Array, hasProperties: boolean): boolean {
    this.groupGap = 0
    this.objectGap = 0
    this.hasGroupGap = false
    this.hasObjectGap = false
    this.immutableFrom = 0
    this.immutableTo = 0
    if (!hasProperties) return true
    const size = readVi64(body, 0)
    const from = vi64Length(body[0]!)
    return size === 0 || this.scan(body, from, from + Number(size), false)
  }

  private scan(bytes: Uint8Array, from: number, to: number, inside: boolean): boolean {
    let type = 0
    let odd = false
    this.at = from
    while (this.at < to) {
      const delta = this.integer(bytes, to)
      if (delta < 0) return false
      type += delta
      // By the last byte: the sum may not be exact.
      odd = odd !== ((bytes[this.at - 1]! & 1) === 1)
      if (type >= FIRST_MANDATORY && type <= LAST_MANDATORY) return false
      // An even type has an integer, an odd one its length and bytes.
      const value = this.integer(bytes, to)
      if (value < 0) return false
      if (odd) {
        if (value > to - this.at) return false
        const end = this.at + value
        if (type === PropertyType.IMMUTABLE_PROPERTIES) {
          if (inside || this.immutableTo > 0) return false
          this.immutableFrom = this.at
          this.immutableTo = end
          if (!this.scan(bytes, this.at, end, true)) return false
        }
        this.at = end
      } else if (!this.take(type, value)) return false
    }
    return true
  }

  /** @returns false for a second value of what an object may have once */
  private take(type: number, value: number): boolean {
    if (type === PropertyType.PRIOR_GROUP_ID_GAP) {
      if (this.hasGroupGap) return false
      this.hasGroupGap = true
      this.groupGap = value
    } else if (type === PropertyType.PRIOR_OBJECT_ID_GAP) {
      if (this.hasObjectGap) return false
      this.hasObjectGap = true
      this.objectGap = value
    }
    return true
  }

  /** The next integer, or -1 when the bytes end within it. Beyond 2^53 it is only nearly exact. */
  private integer(bytes: Uint8Array, to: number): number {
    if (this.at >= to) return -1
    const size = vi64Length(bytes[this.at]!)
    if (size > to - this.at) return -1
    const value = readVi64(bytes, this.at)
    this.at += size
    return typeof value === 'number' ? value : Number(value)
  }
}
