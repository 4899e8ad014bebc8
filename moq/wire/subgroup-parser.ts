import { ProtocolError } from './errors.ts'
import { MoqObject, ObjectStatus } from './object.ts'
import { ObjectGatherer } from './object-gatherer.ts'
import type { SubgroupHeader } from './subgroup.ts'

/** Parses the objects of one subgroup stream (draft-18 section 11.4.2) from bytes as they come. */
export class SubgroupParser extends ObjectGatherer {
  readonly header: SubgroupHeader
  private readonly emit: (object: MoqObject) => void
  private subgroup: number | null
  private previous = -1

  // Fields of the object being parsed, kept here so that a retry allocates nothing.
  private bodyAt = 0
  private propertiesAt = 0
  private propertiesLength = 0
  private payloadAt = 0
  private delta = 0
  private status = 0

  constructor(
    header: SubgroupHeader,
    maxObjectBytes: number,
    emit: (object: MoqObject) => void,
    maxPropertiesBytes: number = maxObjectBytes,
  ) {
    super(maxObjectBytes, maxPropertiesBytes)
    this.header = header
    this.subgroup = header.subgroup
    this.emit = emit
  }

  /** Largest object id delivered, or -1. */
  get lastObject(): number {
    return this.previous
  }

  protected override parse(bytes: Uint8Array, offset: number): boolean {
    this.at = offset
    this.end = offset
    const delta = this.integer(bytes, 'object id delta')
    if (delta < 0) return false
    this.delta = delta
    this.bodyAt = this.at
    this.propertiesAt = this.at
    this.propertiesLength = 0
    if (this.header.hasProperties) {
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
    this.status = ObjectStatus.NORMAL
    if (payloadLength === 0) {
      const status = this.integer(bytes, 'object status')
      if (status < 0) return false
      this.status = this.checkStatus(status)
    }
    this.payloadAt = this.at
    this.end = this.at + payloadLength
    return this.end <= bytes.length
  }

  private checkStatus(status: number): number {
    const known =
      status === ObjectStatus.NORMAL ||
      status === ObjectStatus.END_OF_GROUP ||
      status === ObjectStatus.END_OF_TRACK
    if (!known) throw new ProtocolError(`unknown object status ${status}`)
    if (status !== ObjectStatus.NORMAL && this.propertiesLength > 0) {
      throw new ProtocolError('properties on an object that is not Normal')
    }
    return status
  }

  protected override deliver(bytes: Uint8Array): void {
    const object = this.previous < 0 ? this.delta : this.previous + 1 + this.delta
    if (!Number.isSafeInteger(object)) throw new ProtocolError('object id above 2^53-1')
    if (this.subgroup === null) this.subgroup = object
    this.previous = object
    this.emit(
      new MoqObject(
        this.header.group,
        this.subgroup,
        object,
        this.header.priority,
        this.status,
        false,
        bytes.subarray(this.bodyAt, this.end),
        this.header.hasProperties ? this.propertiesAt - this.bodyAt : 0,
        this.propertiesLength,
        this.payloadAt - this.bodyAt,
      ),
    )
  }
}
