import type { ReceiveStream, ReceiveStreamHandler } from '../../../moq/transport/transport.ts'
import type { StreamFrame, StreamKind } from './frames.ts'
import { STREAM_WINDOW, type StreamHost } from './send-stream.ts'

/** The receiving half: puts frames in order, whatever order or how often they come. */
export class SimulatedReceiveStream implements ReceiveStream {
  handler: ReceiveStreamHandler | null = null
  readonly id: number
  readonly kind: StreamKind
  private readonly host: StreamHost
  private readonly onOver: () => void
  private readonly early = new Map<number, StreamFrame>()
  private readonly arrived: StreamFrame[] = []
  /** Where what has come in order ends, and what the owner was given. */
  private next = 0
  private read = 0
  private granted = STREAM_WINDOW
  private resetCode: number | null = null
  private paused = false
  private over = false

  /** @param onOver nothing more comes of it */
  constructor(host: StreamHost, id: number, kind: StreamKind, onOver: () => void) {
    this.host = host
    this.id = id
    this.kind = kind
    this.onOver = onOver
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    if (!this.over) this.host.later(() => this.flush())
  }

  stop(code: number): void {
    if (this.over) return
    this.host.control({ type: 'stop', id: this.id, kind: this.kind, code })
    this.end()
  }

  take(frame: StreamFrame): void {
    if (this.over || frame.offset < this.next || this.early.has(frame.offset)) return
    this.early.set(frame.offset, frame)
    for (let found = this.early.get(this.next); found; found = this.early.get(this.next)) {
      this.early.delete(found.offset)
      this.arrived.push(found)
      this.next += found.bytes.length
      if (found.bytes.length === 0) break
    }
    this.flush()
  }

  takeReset(code: number): void {
    if (this.over) return
    this.arrived.length = 0
    this.resetCode = code
    this.flush()
  }

  /** The session is over. */
  abort(code: number): void {
    if (this.over) return
    this.end()
    this.handler?.onReset(code)
  }

  private flush(): void {
    while (!this.paused && !this.over) {
      const frame = this.arrived.shift()
      if (!frame) break
      this.read += frame.bytes.length
      if (frame.fin) this.end()
      else this.grant()
      this.handler?.onBytes(frame.bytes, frame.fin)
    }
    if (this.resetCode === null || this.paused || this.over) return
    this.end()
    this.handler?.onReset(this.resetCode)
  }

  private grant(): void {
    if (this.granted - this.read > STREAM_WINDOW / 2) return
    this.granted = this.read + STREAM_WINDOW
    this.host.control({ type: 'window', id: this.id, end: this.granted })
  }

  private end(): void {
    if (this.over) return
    this.over = true
    this.early.clear()
    this.arrived.length = 0
    this.onOver()
  }
}
