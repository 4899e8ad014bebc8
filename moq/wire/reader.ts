import { ProtocolError } from './errors.ts'
import { readVi64, safeVi64, vi64Length } from './vi64.ts'

/**
 * Reads fields from bytes of a known end. Every read is bounded; running past the end is a
 * `ProtocolError`, and `end()` refuses left-over bytes (draft-18 section 10: a message's length must
 * match its payload). Views, not copies, are returned for byte fields.
 */
export class Reader {
  readonly source: Uint8Array
  offset: number
  readonly limit: number

  constructor(bytes: Uint8Array, offset = 0, limit = bytes.length) {
    this.source = bytes
    this.offset = offset
    this.limit = limit
  }

  get remaining(): number {
    return this.limit - this.offset
  }

  uint8(): number {
    if (this.offset >= this.limit) throw truncated()
    return this.source[this.offset++]!
  }

  uint16(): number {
    if (this.remaining < 2) throw truncated()
    const value = (this.source[this.offset]! << 8) | this.source[this.offset + 1]!
    this.offset += 2
    return value
  }

  /** A vi64 that this endpoint counts with (at most 2^53-1). */
  vi64(what = 'value'): number {
    return safeVi64(this.vi64Any(), what)
  }

  /** Any vi64: a number up to 2^53-1, a bigint above. */
  vi64Any(): number | bigint {
    if (this.offset >= this.limit) throw truncated()
    const size = vi64Length(this.source[this.offset]!)
    if (size > this.remaining) throw truncated()
    const value = readVi64(this.source, this.offset)
    this.offset += size
    return value
  }

  /** A view of the next `length` bytes. */
  bytes(length: number): Uint8Array {
    if (length > this.remaining) throw truncated()
    const view = this.source.subarray(this.offset, this.offset + length)
    this.offset += length
    return view
  }

  /** A vi64 length, then a view of that many bytes. */
  lengthPrefixed(): Uint8Array {
    return this.bytes(this.vi64('length'))
  }

  /** A view of everything that is left. */
  rest(): Uint8Array {
    return this.bytes(this.remaining)
  }

  /** @throws ProtocolError when bytes are left over */
  end(): void {
    if (this.remaining > 0) throw new ProtocolError(`${this.remaining} bytes left over`)
  }
}

function truncated(): ProtocolError {
  return new ProtocolError('message ends within a field')
}
