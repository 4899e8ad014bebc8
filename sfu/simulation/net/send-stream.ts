import type { SendStream, SendStreamHandler } from '../../../moq/transport/transport.ts'
import type { ControlFrame, StreamFrame, StreamKind } from './frames.ts'

/** Bytes of a stream that may be under way or unread. */
export const STREAM_WINDOW = 1024 * 1024
const NO_BYTES = new Uint8Array(0)

/** The session, as its streams know it. */
export interface StreamHost {
  /** The stream may have something to send. */
  ready(stream: SimulatedSendStream): void
  control(frame: ControlFrame): void
  /** The owner writes. */
  wrote(stream: SimulatedSendStream, bytes: Uint8Array): void
  /** Runs a callback of the owner's from the loop, not from inside a call. */
  later(task: () => void): void
}

/** The sending half of a stream: cut into frames when the session has room; what was lost goes first. */
export class SimulatedSendStream implements SendStream {
  handler: SendStreamHandler | null = null
  order: number
  readonly id: number
  readonly kind: StreamKind
  private readonly host: StreamHost
  private readonly chunks: Uint8Array[] = []
  private again: StreamFrame[] = []
  private first = 0
  private offset = 0
  private waiting = 0
  private windowEnd = STREAM_WINDOW
  private fin: 'open' | 'due' | 'sent' = 'open'
  private over = false
  private used = false

  constructor(host: StreamHost, id: number, kind: StreamKind, order: number) {
    this.host = host
    this.id = id
    this.kind = kind
    this.order = order
  }

  get buffered(): number {
    return this.waiting
  }

  write(bytes: Uint8Array): void {
    if (this.over || this.fin !== 'open' || bytes.length === 0) return
    this.used = true
    this.host.wrote(this, bytes)
    this.chunks.push(bytes)
    this.waiting += bytes.length
    this.host.ready(this)
  }

  finish(): void {
    if (this.over || this.fin !== 'open') return
    this.used = true
    this.fin = 'due'
    this.host.ready(this)
  }

  reset(code: number): void {
    if (this.over || this.fin !== 'open') return
    this.end()
    if (this.used) this.host.control({ type: 'reset', id: this.id, kind: this.kind, code })
  }

  setOrder(order: number): void {
    this.order = order
  }

  /** The peer wants no more of it. */
  stopped(code: number): void {
    if (this.over) return
    const told = this.fin === 'open'
    this.end()
    if (told) this.handler?.onStopped(code)
  }

  /** The peer takes bytes up to here. */
  widen(end: number): void {
    if (end <= this.windowEnd) return
    this.windowEnd = end
    this.host.ready(this)
  }

  /** A packet with this frame was lost. */
  lost(frame: StreamFrame): void {
    if (this.over) return
    this.again.push(frame)
    this.host.ready(this)
  }

  end(): void {
    this.over = true
    this.chunks.length = 0
    this.again = []
    this.waiting = 0
  }

  get hasFrame(): boolean {
    if (this.over) return false
    if (this.again.length > 0) return true
    if (this.waiting > 0) return this.offset < this.windowEnd
    return this.fin === 'due'
  }

  /** The next frame of at most so many bytes; null when that is too few for it. */
  take(most: number): StreamFrame | null {
    const [repeat] = this.again
    if (repeat) {
      if (repeat.bytes.length > most) return null
      this.again.shift()
      return repeat
    }
    const bytes = this.cut(Math.min(most, this.windowEnd - this.offset))
    const fin = this.fin === 'due' && this.waiting === 0
    if (fin) this.fin = 'sent'
    const { id, kind, offset } = this
    this.offset += bytes.length
    return { type: 'stream', id, kind, offset, bytes, fin }
  }

  /** What was written in pieces goes on the wire as one. */
  private cut(most: number): Uint8Array {
    const size = Math.min(most, this.waiting)
    if (size <= 0) return NO_BYTES
    this.waiting -= size
    const [head] = this.chunks
    if (head!.length - this.first >= size) return this.advance(size)
    const bytes = new Uint8Array(size)
    for (let at = 0; at < size; ) {
      const part = this.advance(Math.min(size - at, this.chunks[0]!.length - this.first))
      bytes.set(part, at)
      at += part.length
    }
    return bytes
  }

  private advance(size: number): Uint8Array {
    const head = this.chunks[0]!
    const part = head.subarray(this.first, this.first + size)
    this.first += size
    if (this.first === head.length) {
      this.chunks.shift()
      this.first = 0
    }
    return part
  }
}
