import { ProtocolError } from './errors.ts'
import { readVi64, safeVi64, vi64Length } from './vi64.ts'

/** One object is larger than this endpoint takes; it costs the stream, not the session. */
export class ObjectTooLargeError extends Error {
  override readonly name = 'ObjectTooLargeError'
  /** What of it is too large. */
  readonly what: 'object' | 'properties'

  constructor(what: 'object' | 'properties', bytes: number, limit: number) {
    super(`${what} of ${bytes} bytes, at most ${limit}`)
    this.what = what
  }
}

/**
 * What the parsers of data streams share: objects are cut from bytes as they come. An object that
 * arrives whole in one chunk is a view of that chunk; one that spans chunks is gathered once into a
 * buffer of its exact size. Memory is bounded by `maxObjectBytes`, which limits an object's properties
 * and payload together.
 */
export abstract class ObjectGatherer {
  private readonly maxObjectBytes: number
  private readonly maxPropertiesBytes: number
  /** Bytes of an object not yet whole; `held` of them are filled. */
  private hold: Uint8Array | null = null
  private held = 0

  /** Where the next field is read. Kept here so that a retry allocates nothing. */
  protected at = 0
  /** Offset behind the object that was parsed, or the one that is known to be needed at least. */
  protected end = 0

  constructor(maxObjectBytes: number, maxPropertiesBytes: number) {
    this.maxObjectBytes = maxObjectBytes
    this.maxPropertiesBytes = maxPropertiesBytes
  }

  /** Whether an object has begun and is not whole. */
  get incomplete(): boolean {
    return this.hold !== null
  }

  /**
   * @throws ProtocolError when the bytes are not objects
   * @throws ObjectTooLargeError when an object exceeds a limit
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
      offset = this.end
      this.deliver(chunk)
    }
    if (offset < chunk.length) this.keep(chunk, offset)
  }

  /** @throws ProtocolError when the stream ended within an object (section 11.4) */
  finish(): void {
    if (this.hold) throw new ProtocolError('data stream ends within an object')
  }

  /**
   * Reads the fields of what is at `offset`. Returns whether it is whole; `end` is then the offset
   * behind it, else the offset that is known to be needed at least. What is not whole is parsed again.
   */
  protected abstract parse(bytes: Uint8Array, offset: number): boolean

  /** Hands over what was parsed last, from `bytes`. */
  protected abstract deliver(bytes: Uint8Array): void

  /** A vi64 at `at`, which moves behind it; -1 when it is not whole, with `end` set to its need. */
  protected integer(bytes: Uint8Array, what: string): number {
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

  /** @throws ObjectTooLargeError */
  protected limit(length: number): void {
    if (length > this.maxObjectBytes) {
      throw new ObjectTooLargeError('object', length, this.maxObjectBytes)
    }
  }

  /** @throws ObjectTooLargeError */
  protected limitProperties(length: number): void {
    if (length > this.maxPropertiesBytes) {
      throw new ObjectTooLargeError('properties', length, this.maxPropertiesBytes)
    }
    this.limit(length)
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
}

const FIRST_HOLD = 4096
