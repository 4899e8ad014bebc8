/**
 * The two halves of a QUIC stream. They keep what the transport interface promises (order of
 * callbacks, no re-entrance, bytes that stay); the connection moves the bytes.
 */

import type {
  ReceiveStream,
  ReceiveStreamHandler,
  SendStream,
  SendStreamHandler,
} from '../transport.ts'
import type { NativeConnection } from './binding.ts'
import type { StreamCodes } from './stream-codes.ts'

const EMPTY = new Uint8Array(0)

/** Where chunks are put together; quiche copies at once, so one buffer serves all streams. */
const gathered = new Uint8Array(16 * 1024)

/** What a send stream needs of its connection. */
export interface SendOwner {
  /** Bytes were written or an end was set: send them in the next flush. */
  sendLater(stream: QuicSendStream, added: number): void
  /** `dropped` buffered bytes will not be sent after all. */
  resetSending(stream: QuicSendStream, wireCode: number, dropped: number): void
  setOrder(stream: QuicSendStream, order: number): void
}

/** What a receive stream needs of its connection. */
export interface ReceiveOwner {
  stopReceiving(stream: QuicReceiveStream, wireCode: number): void
  resumed(stream: QuicReceiveStream): void
  finishedReceiving(stream: QuicReceiveStream): void
}

export class QuicSendStream implements SendStream {
  handler: SendStreamHandler | null = null
  readonly id: number
  order: number
  codes: StreamCodes
  buffered = 0
  /** Bytes that quiche has taken, as long as it keeps them. */
  taken = 0
  /** Whether the connection has it on the list for the next flush. */
  queued = false
  #owner: SendOwner
  #chunks: Uint8Array[] = []
  #first = 0
  #offset = 0
  /** `ending`: no more is written, the rest is under way. `over`: nothing more happens. */
  #state: 'open' | 'ending' | 'over' = 'open'

  constructor(owner: SendOwner, id: number, order: number, codes: StreamCodes) {
    this.#owner = owner
    this.id = id
    this.order = order
    this.codes = codes
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== 'open' || bytes.length === 0) return
    this.#chunks.push(bytes)
    this.buffered += bytes.length
    this.#owner.sendLater(this, bytes.length)
  }

  finish(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    this.#owner.sendLater(this, 0)
  }

  reset(code: number): void {
    if (this.#state !== 'open') return
    this.resetRaw(this.codes.toWire(code))
  }

  setOrder(order: number): void {
    if (this.#state === 'over' || order === this.order) return
    this.order = order
    this.#owner.setOrder(this, order)
  }

  /** Resets with a code of the layer below MoQT, also while the end is still under way. */
  resetRaw(wireCode: number): void {
    if (this.#state === 'over') return
    this.#owner.resetSending(this, wireCode, this.abandon())
  }

  /** Drops what waits and ends silently. @returns the bytes dropped */
  abandon(): number {
    const dropped = this.buffered
    this.#state = 'over'
    this.#chunks = []
    this.#first = 0
    this.#offset = 0
    this.buffered = 0
    this.taken = 0
    return dropped
  }

  /** The peer wants no more. Called from the loop, after `abandon`. */
  stopped(wireCode: number): void {
    this.handler?.onStopped(this.codes.fromWire(wireCode))
  }

  /**
   * Gives quiche at most `grant` bytes; it copies at once. `buffered` and `isDrained` say what is
   * left.
   * @throws what quiche throws on a stream that was stopped or is gone
   */
  drain(native: NativeConnection, grant: number): void {
    let left = grant
    while (this.buffered > 0) {
      if (left <= 0) return
      const piece = this.#gather(left)
      const last = this.#state === 'ending' && piece.length === this.buffered
      const count = native.streamSend(this.id, piece, last) ?? 0
      left -= count
      this.taken += count
      this.#advance(count)
      if (count < piece.length) return
      if (last) this.#state = 'over'
    }
    if (this.#state === 'ending') {
      native.streamSend(this.id, EMPTY, true)
      this.#state = 'over'
    }
  }

  /**
   * What is sent next, at most `most` bytes. Chunks go together, copied where there are several: each
   * call into quiche, and each buffer that it makes for one, costs more than that.
   */
  #gather(most: number): Uint8Array {
    const chunks = this.#chunks
    const chunk = chunks[this.#first]!
    const rest = chunk.length - this.#offset
    if (rest >= Math.min(most, gathered.length) || rest === this.buffered) {
      return chunk.subarray(this.#offset, Math.min(chunk.length, this.#offset + most))
    }
    const room = Math.min(most, gathered.length)
    let length = 0
    let offset = this.#offset
    for (let i = this.#first; i < chunks.length && length < room; i++) {
      const end = Math.min(chunks[i]!.length, offset + room - length)
      gathered.set(chunks[i]!.subarray(offset, end), length)
      length += end - offset
      offset = 0
    }
    return gathered.subarray(0, length)
  }

  /** So many bytes were taken. */
  #advance(count: number): void {
    const chunks = this.#chunks
    this.buffered -= count
    this.#offset += count
    while (this.#first < chunks.length && this.#offset >= chunks[this.#first]!.length) {
      this.#offset -= chunks[this.#first++]!.length
    }
    if (this.#first < chunks.length) return
    chunks.length = 0
    this.#first = 0
  }

  get isDrained(): boolean {
    return this.buffered === 0 && this.#state !== 'ending'
  }
}

/** Takes a stream's bytes until it knows whom they are for. */
export interface Interceptor {
  onBytes(bytes: Uint8Array, fin: boolean): void
}

export class QuicReceiveStream implements ReceiveStream {
  handler: ReceiveStreamHandler | null = null
  interceptor: Interceptor | null = null
  readonly id: number
  codes: StreamCodes
  /** Whether the owner asked for silence. */
  paused = false
  /** Whether its last callback was made, or none may follow. */
  ended = false
  #owner: ReceiveOwner
  #held: Uint8Array | null = null
  #heldFin = false

  constructor(owner: ReceiveOwner, id: number, codes: StreamCodes) {
    this.#owner = owner
    this.id = id
    this.codes = codes
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    if (!this.ended) this.#owner.resumed(this)
  }

  stop(code: number): void {
    this.stopRaw(this.codes.toWire(code))
  }

  /** Stops with a code of the layer below MoQT. */
  stopRaw(wireCode: number): void {
    if (this.ended) return
    this.ended = true
    this.#held = null
    this.#owner.stopReceiving(this, wireCode)
  }

  /** Passes bytes up, or holds them while the stream is paused. Called from the loop. */
  deliver(bytes: Uint8Array, fin: boolean): void {
    if (this.ended) return
    if (this.interceptor !== null) {
      this.interceptor.onBytes(bytes, fin)
      return
    }
    if (this.paused) {
      this.#held = bytes
      this.#heldFin = fin
      return
    }
    if (fin) {
      this.ended = true
      this.#owner.finishedReceiving(this)
    }
    this.handler?.onBytes(bytes, fin)
  }

  /** Forgets a stream that came to its end before anybody wanted it. */
  discard(): void {
    this.ended = true
    this.#owner.finishedReceiving(this)
  }

  /** Passes up what was held. Called from the loop, after `resume`. */
  deliverHeld(): void {
    const held = this.#held
    if (held === null || this.paused) return
    this.#held = null
    this.deliver(held, this.#heldFin)
  }

  /** The peer reset the stream. Called from the loop. */
  wasReset(wireCode: number): void {
    this.endWith(this.codes.fromWire(wireCode))
  }

  /** Ends the stream with a MoQT code, without a word to the peer. Called from the loop. */
  endWith(code: number): void {
    if (this.ended) return
    this.ended = true
    this.#held = null
    this.handler?.onReset(code)
  }
}

export interface QuicBidiStream {
  readonly send: QuicSendStream
  readonly receive: QuicReceiveStream
}
