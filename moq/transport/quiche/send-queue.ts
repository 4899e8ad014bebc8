/** The streams of a connection that have something to send, in the order in which it should go. */

import type { NativeConnection } from './binding.ts'
import type { QuicSendStream } from './streams.ts'

export interface SendQueueHandler {
  /** A stream has nothing more to send, ever. */
  onOver(stream: QuicSendStream): void
  /** The peer stopped a stream. It may be answered by writes to others. */
  onSendError(stream: QuicSendStream, error: unknown): void
}

export class SendQueue {
  /** Bytes that wait in all streams. */
  bytes = 0
  #streams: QuicSendStream[] = []
  #sorted = true

  get isEmpty(): boolean {
    return this.#streams.length === 0
  }

  add(stream: QuicSendStream, bytes: number): void {
    this.bytes += bytes
    if (stream.queued) return
    stream.queued = true
    this.#streams.push(stream)
    this.#sorted = this.#streams.length === 1
  }

  reordered(): void {
    this.#sorted = false
  }

  /**
   * Gives quiche at most `grant` bytes, the most urgent stream's first. Between streams of one
   * order, the older goes first, so that an object is completed before the next is begun.
   */
  flush(native: NativeConnection, grant: number, handler: SendQueueHandler): void {
    const streams = this.#streams
    if (!this.#sorted) {
      streams.sort((a, b) => a.order - b.order || a.id - b.id)
      this.#sorted = true
    }
    let left = grant
    let kept = 0
    // A handler may add streams: the length is read anew.
    for (let i = 0; i < streams.length; i++) {
      const stream = streams[i]!
      if (!stream.isOver) left -= this.#drain(stream, native, left, handler)
      if (stream.isDrained) {
        stream.queued = false
        if (stream.isOver) handler.onOver(stream)
      } else {
        streams[kept++] = stream
      }
    }
    streams.length = kept
  }

  #drain(
    stream: QuicSendStream,
    native: NativeConnection,
    grant: number,
    handler: SendQueueHandler,
  ): number {
    const before = stream.buffered
    let failure: unknown = null
    try {
      stream.drain(native, grant)
    } catch (error) {
      failure = error
    }
    const taken = before - stream.buffered
    this.bytes -= taken
    if (failure !== null) handler.onSendError(stream, failure)
    return taken
  }
}
