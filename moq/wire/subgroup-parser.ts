import { ProtocolError } from './errors.ts'
import { MoqObject, ObjectStatus } from './object.ts'
import type { SubgroupHeader } from './subgroup.ts'
import { readVi64, safeVi64, vi64Length } from './vi64.ts'

/** One object is larger than this endpoint takes; it costs the stream, not the session. */
export class ObjectTooLargeError extends Error {
  override readonly name = 'ObjectTooLargeError'
}

/**
 * Parses the objects of one subgroup stream from bytes as they come. An object that arrives whole in
 * one chunk is a view of that chunk; one that spans chunks is gathered once into a buffer of its
 * exact size. Memory is bounded by `maxObjectBytes`.
 */
export class SubgroupParser {
  readonly header: SubgroupHeader
  private readonly maxObjectBytes: number
  private readonly emit: (object: MoqObject) => void
  private subgroup: number | null
  private previous = -1

  /** Bytes of an object not yet whole; `held` of them are filled. */
  private hold: Uint8Array | null = null
  private held = 0

  // Fields of the object being parsed, kept here so that a retry allocates nothing.
  private at = 0
  private bodyAt = 0
  private propertiesAt = 0
  private propertiesLength = 0
  private payloadAt = 0
  private end = 0
  private delta = 0
  private status = 0

  constructor(header: SubgroupHeader, maxObjectBytes: number, emit: (object: MoqObject) => void) {
    this.header = header
    this.subgroup = header.subgroup
    this.maxObjectBytes = maxObjectBytes
    this.emit = emit
  }

  /**
   * @throws ProtocolError when the bytes are not objects
   * @throws ObjectTooLargeError when an object exceeds the limit
   */
  feed(chunk: Uint8Array): void {
    let offset = 0
    while (this.hold) {
      offset = this.fill(this.hold, chunk, offset)
      if (this.held < this.hold.length) return
      const filled = this.hold
      this.hold = null
      if (this.parse(filled, 0)) this.deliver(filled)
      else this.keep(filled, 0)
    }
    while (offset < chunk.length && this.parse(chunk, offset)) {
      this.deliver(chunk)
      offset = this.end
    }
    if (offset < chunk.length) this.keep(chunk, offset)
  }

  /** @throws ProtocolError when the stream ended within an object (section 11.4) */
  finish(): void {
    if (this.hold) throw new ProtocolError('subgroup stream ends within an object')
  }

  /** Largest object id delivered, or -1. */
  get lastObject(): number {
    return this.previous
  }

  private fill(hold: Uint8Array, chunk: Uint8Array, offset: number): number {
    const end = Math.min(chunk.length, offset + hold.length - this.held)
    hold.set(chunk.subarray(offset, end), this.held)
    this.held += end - offset
    return end
  }

  /**
   * Keeps an incomplete object. The buffer never exceeds what the object needs, so that a full one
   * ends with it, and grows by doubling, so that a peer pays for memory with bytes and not with a
   * length that it merely claims.
   */
  private keep(bytes: Uint8Array, offset: number): void {
    const have = bytes.length - offset
    const need = Math.max(this.end - offset, have + 1)
    this.hold = new Uint8Array(Math.min(need, Math.max(2 * have, FIRST_HOLD)))
    this.hold.set(bytes.subarray(offset))
    this.held = have
  }

  /**
   * Reads the fields of the object at `offset`. Returns whether it is whole; `end` is then the offset
   * behind it, else the offset that is known to be needed at least.
   */
  private parse(bytes: Uint8Array, offset: number): boolean {
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
      this.limit(length)
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

  /** A vi64 at `at`, which moves behind it; -1 when it is not whole, with `end` set to its need. */
  private integer(bytes: Uint8Array, what: string): number {
    if (this.at >= bytes.length) {
      this.end = this.at + 1
      return -1
    }
    const size = vi64Length(bytes[this.at]!)
    if (this.at + size > bytes.length) {
      this.end = this.at + size
      return -1
    }
    const value = safeVi64(readVi64(bytes, this.at), what)
    this.at += size
    return value
  }

  private limit(length: number): void {
    if (length > this.maxObjectBytes) {
      throw new ObjectTooLargeError(`object of ${length} bytes, at most ${this.maxObjectBytes}`)
    }
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

  private deliver(bytes: Uint8Array): void {
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

const FIRST_HOLD = 4096
