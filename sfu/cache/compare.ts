import { Buffer } from 'node:buffer'
import type { MoqObject } from '../../moq/wire/object.ts'
import type { CachedObject } from './object.ts'
import { ObjectProperties } from './object-properties.ts'

/**
 * Whether a second copy of an object is the same (draft-18 sections 2.4.2, 6 and 7, and 9.1): subgroup
 * or datagram, priority, payload and immutable properties. Other properties may change on the way. Of
 * an object whose bytes are gone, what is remembered is compared.
 * @param properties those of `object`, read
 */
export function sameObject(
  known: CachedObject,
  object: MoqObject,
  priority: number,
  properties: ObjectProperties,
): boolean {
  if (known.subgroup !== object.subgroup || known.priority !== priority) return false
  if (known.payloadLength !== object.payloadLength) return false
  if (!known.body) return true
  scratch.readBody(known.body, known.hasProperties)
  return (
    Buffer.compare(known.payload, object.payload) === 0 &&
    Buffer.compare(immutable(known.body, scratch), immutable(object.body, properties)) === 0
  )
}

const scratch = new ObjectProperties()

function immutable(body: Uint8Array, properties: ObjectProperties): Uint8Array {
  return body.subarray(properties.immutableFrom, properties.immutableTo)
}
