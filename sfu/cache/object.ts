import type { FetchObject } from '../../moq/wire/fetch.ts'
import type { MoqObject } from '../../moq/wire/object.ts'
import { readVi64, vi64Length } from '../../moq/wire/vi64.ts'

/**
 * What the cache remembers of an object: the header's fields and, while they are kept, its bytes as
 * they came (draft-18 section 9.1).
 */
export class CachedObject {
  readonly group: number
  readonly object: number
  /** Null: its forwarding preference is Datagram. */
  readonly subgroup: number | null
  /** 0..255, resolved. */
  readonly priority: number
  /** Bytes of its payload, known for as long as the object is. */
  readonly payloadLength: number
  /** When the last copy of it was received, ms of the relay's clock. */
  arrivedAt: number
  /** Whether it came by subscription; one that only a fetch brought is new to subscribers. */
  forwarded: boolean
  /** `[properties length, properties,] ..., payload`, or null when only its existence is remembered. */
  body: Uint8Array | null = null
  /** Whether `body` begins with a properties field. */
  hasProperties = false

  constructor(object: MoqObject, priority: number, arrivedAt: number, forwarded: boolean) {
    this.group = object.group
    this.object = object.object
    this.subgroup = object.subgroup
    this.priority = priority
    this.payloadLength = object.payloadLength
    this.arrivedAt = arrivedAt
    this.forwarded = forwarded
  }

  /** @param body the bytes of `object`, or a copy of them */
  keep(object: MoqObject, body: Uint8Array, arrivedAt: number): void {
    this.body = body
    this.hasProperties = object.hasProperties
    this.arrivedAt = arrivedAt
  }

  /** What there is to send, if there is; it stays when the object is evicted. */
  toSend(): FetchObject | undefined {
    const { group, object, subgroup, priority, body } = this
    if (!body) return undefined
    const { payload } = this
    return { group, object, subgroup, priority, properties: this.propertiesIn(body), payload }
  }

  /** Empty when its bytes are gone. */
  get payload(): Uint8Array {
    const body = this.body ?? NONE
    return body.subarray(body.length - this.payloadLength)
  }

  private propertiesIn(body: Uint8Array): Uint8Array {
    if (!this.hasProperties) return NONE
    const from = vi64Length(body[0]!)
    return body.subarray(from, from + Number(readVi64(body, 0)))
  }
}

const NONE = new Uint8Array(0)
