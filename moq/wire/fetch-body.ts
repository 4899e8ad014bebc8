import type { MoqObject } from './object.ts'
import { encodeSubgroupBody } from './subgroup.ts'

/**
 * The body under which a fetched object goes out on a subgroup stream (draft-18 section 11.4.2). A
 * fetch stream has no status behind an empty payload, and a properties field only where there are
 * properties. The object's own bytes are given where the forms agree.
 * @param hasProperties as the header of the subgroup stream says; a stream that takes any object has them
 * @throws RangeError for properties on a stream that has no place for them (our own bug)
 */
export function subgroupBodyOf(object: MoqObject, hasProperties = true): Uint8Array {
  const alike = object.hasProperties === hasProperties
  if (alike && object.payloadLength > 0) return object.body
  if (!hasProperties && object.propertiesSize > 0) {
    throw new RangeError('an object with properties on a subgroup stream without them')
  }
  return encodeSubgroupBody(hasProperties ? object.properties : null, object.payload)
}
