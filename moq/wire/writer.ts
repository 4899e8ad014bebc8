import { writeVi64 } from './vi64.ts'

/** Writes fields into a buffer that grows. `finish` gives what was written. */
export class Writer {
  private buffer: Uint8Array
  private length = 0

  constructor(capacity = 64) {
    this.buffer = new Uint8Array(capacity)
  }

  get size(): number {
    return this.length
  }

  private reserve(count: number): void {
    const need = this.length + count
    if (need <= this.buffer.length) return
    const grown = new Uint8Array(Math.max(need, this.buffer.length * 2))
    grown.set(this.buffer.subarray(0, this.length))
    this.buffer = grown
  }

  uint8(value: number): this {
    this.reserve(1)
    this.buffer[this.length++] = value
    return this
  }

  uint16(value: number): this {
    this.reserve(2)
    this.buffer[this.length++] = value >>> 8
    this.buffer[this.length++] = value
    return this
  }

  /** @param value an integer from 0 to 2^64-1, a bigint only above 2^53-1 */
  vi64(value: number | bigint): this {
    this.reserve(9)
    this.length = writeVi64(this.buffer, this.length, value)
    return this
  }

  bytes(value: Uint8Array): this {
    this.reserve(value.length)
    this.buffer.set(value, this.length)
    this.length += value.length
    return this
  }

  lengthPrefixed(value: Uint8Array): this {
    return this.vi64(value.length).bytes(value)
  }

  /** A copy rather than a view: a view of a small array costs far more than a few bytes. */
  finish(): Uint8Array {
    return this.length === this.buffer.length ? this.buffer : this.buffer.slice(0, this.length)
  }
}
