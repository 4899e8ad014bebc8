/** Reads the integers that begin a stream of HTTP/3 and say what it is. */

import { STREAM_WEBTRANSPORT_BIDI, STREAM_WEBTRANSPORT_UNI } from '../h3/frames.ts'
import { hasVarint, readVarint, varintLengthFrom } from '../h3/varint.ts'
import type { Interceptor, QuicReceiveStream, QuicSendStream } from '../streams.ts'

/** Where a stream goes once its kind is known. All may throw `H3Error`. */
export interface StreamSorter {
  onSessionStream(
    sessionId: number,
    receive: QuicReceiveStream,
    send: QuicSendStream | null,
    rest: Uint8Array,
    fin: boolean,
  ): void
  /** A unidirectional stream that is not a session's. */
  onUniOfType(type: number, receive: QuicReceiveStream, rest: Uint8Array, fin: boolean): void
  /** A bidirectional stream that is not a session's; `bytes` are all of its first. */
  onRequest(receive: QuicReceiveStream, send: QuicSendStream, bytes: Uint8Array, fin: boolean): void
  /** Takes what was thrown. */
  failed(error: unknown): void
}

export class StreamPreface implements Interceptor {
  #sorter: StreamSorter
  #receive: QuicReceiveStream
  #send: QuicSendStream | null
  #early: Uint8Array | null = null

  constructor(sorter: StreamSorter, receive: QuicReceiveStream, send: QuicSendStream | null) {
    this.#sorter = sorter
    this.#receive = receive
    this.#send = send
  }

  onBytes(bytes: Uint8Array, fin: boolean): void {
    try {
      this.#sort(this.#early === null ? bytes : join(this.#early, bytes), fin)
    } catch (error) {
      this.#sorter.failed(error)
    }
  }

  #sort(bytes: Uint8Array, fin: boolean): void {
    const receive = this.#receive
    const send = this.#send
    if (!hasVarint(bytes, 0)) {
      this.#wait(bytes, fin)
      return
    }
    const type = readVarint(bytes, 0)
    const behind = varintLengthFrom(bytes[0]!)
    if (type !== (send === null ? STREAM_WEBTRANSPORT_UNI : STREAM_WEBTRANSPORT_BIDI)) {
      receive.interceptor = null
      if (send !== null) this.#sorter.onRequest(receive, send, bytes, fin)
      else this.#sorter.onUniOfType(type, receive, bytes.subarray(behind), fin)
      return
    }
    if (!hasVarint(bytes, behind)) {
      this.#wait(bytes, fin)
      return
    }
    receive.interceptor = null
    const sessionId = readVarint(bytes, behind)
    const rest = bytes.subarray(behind + varintLengthFrom(bytes[behind]!))
    this.#sorter.onSessionStream(sessionId, receive, send, rest, fin)
  }

  #wait(bytes: Uint8Array, fin: boolean): void {
    this.#early = bytes
    // A stream that ends before it said what it is was never anything.
    if (fin) this.#receive.discard()
  }
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length)
  joined.set(a)
  joined.set(b, a.length)
  return joined
}
