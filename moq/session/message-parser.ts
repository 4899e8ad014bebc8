import { ProtocolError } from '../wire/errors.ts'
import { Reader } from '../wire/reader.ts'
import { readVi64, safeVi64, vi64Length } from '../wire/vi64.ts'

/**
 * Cuts a control or request stream into messages: type (vi64), length (16 bits), payload (draft-18
 * section 10). Holds at most one message, so at most 64 KiB and a header; while it is paused, what was
 * under way.
 */
export class MessageParser {
  private readonly emit: (type: number, payload: Reader) => void
  private pending: Uint8Array | null = null
  private paused = false
  /** Where a message is gathered that did not come in one piece. */
  private held = EMPTY

  constructor(emit: (type: number, payload: Reader) => void) {
    this.emit = emit
  }

  /** Whether a message has begun and is not whole. */
  get incomplete(): boolean {
    return this.pending !== null
  }

  /** Bytes of what was not emitted. */
  get pendingBytes(): number {
    return this.pending?.length ?? 0
  }

  /** How many whole messages of a type wait, while it is paused. */
  count(type: number): number {
    const bytes = this.pending
    let count = 0
    if (!bytes) return 0
    for (let at = 0, end = 0; ; at = end) {
      end = messageEnd(bytes, at)
      if (end < 0) return count
      if (readVi64(bytes, at) === type) count++
    }
  }

  feed(chunk: Uint8Array): void {
    const bytes = this.pending ? this.append(this.pending, chunk) : chunk
    let offset = 0
    while (!this.paused) {
      const end = messageEnd(bytes, offset)
      if (end < 0) break
      const payloadAt = offset + vi64Length(bytes[offset]!) + 2
      const type = safeVi64(readVi64(bytes, offset), 'message type')
      this.emit(type, new Reader(bytes, payloadAt, end))
      offset = end
    }
    this.pending = offset < bytes.length ? bytes.subarray(offset) : null
  }

  /** Emits nothing more, not even of the chunk that it is fed, until `resume`. */
  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    const bytes = this.pending
    this.pending = null
    if (bytes) this.feed(bytes)
  }

  /**
   * Joins what is pending and a chunk, in the buffer that holds what is pending where it has room: a
   * peer that sends byte by byte costs no more than its bytes.
   */
  private append(pending: Uint8Array, chunk: Uint8Array): Uint8Array {
    const length = pending.length + chunk.length
    if (this.holds(pending, length)) {
      this.held.set(chunk, pending.length)
      return this.held.subarray(0, length)
    }
    this.held = new Uint8Array(Math.max(2 * length, FIRST_HOLD))
    this.held.set(pending)
    this.held.set(chunk, pending.length)
    return this.held.subarray(0, length)
  }

  private holds(pending: Uint8Array, length: number): boolean {
    const own = pending.buffer === this.held.buffer && pending.byteOffset === this.held.byteOffset
    return own && length <= this.held.length
  }

  /** @throws ProtocolError when the stream ended within a message */
  finish(): void {
    if (this.pending) throw new ProtocolError('stream ends within a message')
  }
}

const EMPTY = new Uint8Array(0)
const FIRST_HOLD = 256

/** The offset behind the message at `offset`, or -1 when it is not whole. */
function messageEnd(bytes: Uint8Array, offset: number): number {
  if (offset >= bytes.length) return -1
  const lengthAt = offset + vi64Length(bytes[offset]!)
  const payloadAt = lengthAt + 2
  if (payloadAt > bytes.length) return -1
  const end = payloadAt + ((bytes[lengthAt]! << 8) | bytes[lengthAt + 1]!)
  return end > bytes.length ? -1 : end
}
