import { ProtocolError } from '../wire/errors.ts'
import { Reader } from '../wire/reader.ts'
import { readVi64, safeVi64, vi64Length } from '../wire/vi64.ts'

/**
 * Cuts a control or request stream into messages: type (vi64), length (16 bits), payload (draft-18
 * section 10). Holds at most one message, so at most 64 KiB and a header.
 */
export class MessageParser {
  private readonly emit: (type: number, payload: Reader) => void
  private pending: Uint8Array | null = null

  constructor(emit: (type: number, payload: Reader) => void) {
    this.emit = emit
  }

  /** Whether a message has begun and is not whole. */
  get incomplete(): boolean {
    return this.pending !== null
  }

  feed(chunk: Uint8Array): void {
    let bytes = chunk
    if (this.pending) {
      bytes = new Uint8Array(this.pending.length + chunk.length)
      bytes.set(this.pending)
      bytes.set(chunk, this.pending.length)
      this.pending = null
    }
    let offset = 0
    for (;;) {
      const end = this.messageEnd(bytes, offset)
      if (end < 0) break
      offset = end
    }
    if (offset < bytes.length) this.pending = bytes.subarray(offset)
  }

  /** Emits the message at `offset` and returns the offset behind it, or -1 when it is not whole. */
  private messageEnd(bytes: Uint8Array, offset: number): number {
    if (offset >= bytes.length) return -1
    const lengthAt = offset + vi64Length(bytes[offset]!)
    const payloadAt = lengthAt + 2
    if (payloadAt > bytes.length) return -1
    const end = payloadAt + ((bytes[lengthAt]! << 8) | bytes[lengthAt + 1]!)
    if (end > bytes.length) return -1
    this.emit(safeVi64(readVi64(bytes, offset), 'message type'), new Reader(bytes, payloadAt, end))
    return end
  }

  /** @throws ProtocolError when the stream ended within a message */
  finish(): void {
    if (this.pending) throw new ProtocolError('stream ends within a message')
  }
}
