import type { BidiStream, ReceiveStream, ReceiveStreamHandler } from '../transport/transport.ts'
import type { Clock } from './clock.ts'

/** A stream that may be made to wait. */
export interface Throttled {
  throttle(): void
  unthrottle(): void
}

/**
 * Bounds the bytes a second that a session reads from control and request streams, whose messages
 * cost far more than their bytes. A peer that sends more is not punished but read more slowly: its
 * streams are paused and flow control makes it wait, so that a burst of an honest peer's passes and a
 * flood costs only the one who sends it. Data streams are not touched.
 */
export class ControlBudget {
  private readonly clock: Clock
  private readonly bytesPerSecond: number
  private readonly burst: number
  private readonly onExceeded: () => void
  private readonly waiting = new Set<Throttled>()
  /** Below zero: what was read in advance. */
  private tokens: number
  private at: number
  private stopTimer: (() => void) | null = null

  constructor(clock: Clock, bytesPerSecond: number, burst: number, onExceeded: () => void) {
    this.clock = clock
    this.bytesPerSecond = bytesPerSecond
    this.burst = burst
    this.onExceeded = onExceeded
    this.tokens = burst
    this.at = clock.now()
  }

  /**
   * Bytes came.
   * @param stream that brought them, or, with 0 bytes, has begun, and may have to wait; null when it
   * will bring no more
   */
  take(stream: Throttled | null, bytes: number): void {
    this.refill()
    this.tokens -= bytes
    if (!stream || (this.tokens >= 0 && this.waiting.size === 0)) return
    if (this.waiting.has(stream)) return
    this.waiting.add(stream)
    stream.throttle()
    if (this.stopTimer) return
    this.onExceeded()
    this.wait()
  }

  /**
   * Whether work that the peer asked for and that is not urgent may cost it something now, which is then
   * taken like bytes that came. It never takes what the peer's next messages need.
   */
  get hasSpare(): boolean {
    this.refill()
    return this.tokens >= this.burst / RESERVE
  }

  /** The stream is over: it is not called any more. */
  forget(stream: Throttled): void {
    this.waiting.delete(stream)
  }

  /** The same stream, whose reading is bounded. */
  meter(stream: BidiStream): BidiStream {
    return { send: stream.send, receive: new MeteredStream(stream.receive, this) }
  }

  clear(): void {
    this.stopTimer?.()
    this.stopTimer = null
    this.waiting.clear()
  }

  private refill(): void {
    const now = this.clock.now()
    const earned = ((now - this.at) * this.bytesPerSecond) / 1000
    this.tokens = Math.min(this.burst, this.tokens + earned)
    this.at = now
  }

  private wait(): void {
    const bytes = this.tokens < 0 ? -this.tokens : TURN_BYTES
    const ms = Math.max(1, Math.ceil((bytes * 1000) / this.bytesPerSecond))
    this.stopTimer = this.clock.after(ms, () => this.goOn())
  }

  private goOn(): void {
    this.stopTimer = null
    this.refill()
    if (this.tokens >= 0) this.giveTurns(Math.max(1, Math.floor(this.tokens / TURN_BYTES)))
    if (this.waiting.size > 0) this.wait()
  }

  /** What they bring is only known later, so not all go on at once. */
  private giveTurns(count: number): void {
    let left = count
    for (const stream of this.waiting) {
      if (left-- === 0) return
      this.waiting.delete(stream)
      stream.unthrottle()
    }
  }
}

/** The share of the burst that is kept for messages. */
const RESERVE = 4
/** What a stream is thought to bring when it may go on. */
const TURN_BYTES = 512

/** The receiving half of a request stream: its owner may pause it, and so may the budget. */
class MeteredStream implements ReceiveStream, ReceiveStreamHandler, Throttled {
  handler: ReceiveStreamHandler | null = null
  private readonly stream: ReceiveStream
  private readonly budget: ControlBudget
  private paused = false
  private throttled = false

  constructor(stream: ReceiveStream, budget: ControlBudget) {
    this.stream = stream
    this.budget = budget
    stream.handler = this
    budget.take(this, 0)
  }

  pause(): void {
    this.paused = true
    this.stream.pause()
  }

  resume(): void {
    this.paused = false
    if (!this.throttled) this.stream.resume()
  }

  throttle(): void {
    this.throttled = true
    this.stream.pause()
  }

  unthrottle(): void {
    this.throttled = false
    if (!this.paused) this.stream.resume()
  }

  stop(code: number): void {
    this.budget.forget(this)
    this.stream.stop(code)
  }

  onBytes(bytes: Uint8Array, fin: boolean): void {
    this.budget.take(fin ? null : this, bytes.length)
    this.handler?.onBytes(bytes, fin)
  }

  onReset(code: number): void {
    this.budget.forget(this)
    this.handler?.onReset(code)
  }
}
