/** For tests: objects as they come from a stream or a datagram. */

import { MoqObject, ObjectStatus } from '../../moq/wire/object.ts'
import { encodeProperties, type Property } from '../../moq/wire/properties.ts'
import { vi64Size, writeVi64 } from '../../moq/wire/vi64.ts'

export interface TestObject {
  readonly subgroup?: number | null
  readonly priority?: number | null
  readonly status?: number
  readonly endOfGroup?: boolean
  readonly properties?: readonly Property[]
  readonly payload?: Uint8Array
}

export function testObject(group: number, object: number, fields: TestObject = {}): MoqObject {
  const payload = fields.payload ?? new Uint8Array([group, object])
  const properties = fields.properties && encodeProperties(fields.properties)
  const lengthSize = properties ? vi64Size(properties.length) : 0
  const payloadAt = lengthSize + (properties?.length ?? 0)
  const body = new Uint8Array(payloadAt + payload.length)
  if (properties) {
    writeVi64(body, 0, properties.length)
    body.set(properties, lengthSize)
  }
  body.set(payload, payloadAt)
  return new MoqObject(
    group,
    fields.subgroup === undefined ? 0 : fields.subgroup,
    object,
    fields.priority ?? null,
    fields.status ?? ObjectStatus.NORMAL,
    fields.endOfGroup ?? false,
    body,
    lengthSize,
    properties?.length ?? 0,
    payloadAt,
  )
}

export function endOfGroup(group: number, object: number): MoqObject {
  return testObject(group, object, { status: ObjectStatus.END_OF_GROUP, payload: NONE })
}

export function endOfTrack(group: number, object: number): MoqObject {
  return testObject(group, object, { status: ObjectStatus.END_OF_TRACK, payload: NONE })
}

const NONE = new Uint8Array(0)
