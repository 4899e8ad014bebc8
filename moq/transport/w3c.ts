/**
 * The transport room's door to the browser: a `TransportSession` over a W3C `WebTransport`.
 *
 * Streams. A browser creates streams by promise, and while the peer's stream credit is used up leaves
 * the promise pending or rejects it. `openUni` and `openBidi` answer at once: what is written waits in
 * the adapter until the browser's stream has come, which costs no round trip and puts no idle stream
 * on the wire. At most `PENDING_STREAMS` may be on their way, of each kind; then, or once the browser
 * has refused one, the answer is null until one comes. A stream that was reset meanwhile leaves the
 * one that comes to the next opener.
 *
 * Room. Chromium 156 has neither `getStats` nor `sendOrder`, so the adapter paces by itself: room is
 * what is left of a window of bytes that the browser has not yet taken, or that finished streams
 * have not yet had acknowledged.
 */

import { SESSION_INTERNAL_ERROR } from './codes.ts'
import type {
  BidiStream,
  CloseInfo,
  Congestion,
  SendStream,
  TransportHandler,
  TransportSession,
} from './transport.ts'
import { Opener } from './w3c-opener.ts'
import { type StreamOwner, W3cReceiveStream, W3cSendStream } from './w3c-streams.ts'
import type { W3cBidiStream, W3cCloseInfo, W3cStats, W3cWebTransport } from './w3c-types.ts'

/** Datagrams that may be with the browser and not yet be sent. */
const PENDING_DATAGRAMS = 64
/** Smallest room worth a call, bytes. */
const LEAST_ROOM = 4_096
/** A close reason is cut to this many bytes (WebTransport over HTTP/3, section 6). */
const LONGEST_REASON = 1_024
/** How long statistics are held to be fresh, ms. */
const STATS_AGE_MS = 200

/** What the adapter to a browser's `WebTransport` cannot see by itself. */
export interface W3cOptions {
  /** Path and query of the request. */
  path: string
  /** `host:port` of the peer. */
  peer: string
  /** The version to report where the browser has no `protocol`. */
  protocol: string
  /** Bytes that may be outstanding; `onRoom` gives what is left of it. Default 128 KiB. */
  window?: number
  /** Milliseconds, for the age of statistics. Default `performance.now`. */
  now?: () => number
  /** Runs a callback after so many ms. Default `setTimeout`. */
  after?: (ms: number, callback: () => void) => void
  /** Told when a handler throws; the session then ends. Default: the error is thrown as uncaught. */
  onFault?: (error: unknown) => void
}

/** Adapts a WebTransport that is ready. Nothing is read from it before `handler` is set. */
export function createW3cSession(
  webTransport: W3cWebTransport,
  options: W3cOptions,
): TransportSession {
  return new W3cSession(webTransport, options)
}

class W3cSession implements TransportSession, StreamOwner {
  readonly kind = 'webtransport'
  readonly protocol: string
  readonly path: string
  readonly peer: string
  readonly sending = new Set<W3cSendStream>()
  readonly receiving = new Set<W3cReceiveStream>()
  readonly #webTransport: W3cWebTransport
  readonly #options: W3cOptions
  readonly #now: () => number
  readonly #window: number
  readonly #datagrams: WritableStreamDefaultWriter<Uint8Array>
  readonly #datagramSizes: number[] = []
  readonly #uni: Opener<WritableStream>
  readonly #bidi: Opener<W3cBidiStream>
  #handler: TransportHandler | null = null
  #started = false
  #closing: CloseInfo | null = null
  #closed = false
  #outstanding = 0
  #roomWanted = false
  #roomPlanned = false
  #stats: Congestion | null = null
  #statsAt = Number.NEGATIVE_INFINITY

  constructor(webTransport: W3cWebTransport, options: W3cOptions) {
    this.#webTransport = webTransport
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#window = options.window ?? 131_072
    this.protocol = webTransport.protocol || options.protocol
    this.path = options.path
    this.peer = options.peer
    const { datagrams } = webTransport
    const writable = datagrams.createWritable?.() ?? datagrams.writable
    if (writable === undefined) throw new TypeError('This WebTransport cannot send datagrams')
    this.#datagrams = writable.getWriter()
    // Whoever reads these promises later does so on top; unread rejections would be faults.
    this.#datagrams.closed.catch(ignore)
    webTransport.ready.catch(ignore)
    webTransport.closed.catch(ignore)
    const onCredit = () => this.#tell((handler) => handler.onStreamCredit())
    const after = options.after ?? ((ms, callback) => void setTimeout(callback, ms))
    const waiting = { waitUntilAvailable: true }
    this.#uni = new Opener({
      create: () => webTransport.createUnidirectionalStream(waiting),
      onCredit,
      after,
    })
    this.#bidi = new Opener({
      create: () => webTransport.createBidirectionalStream(waiting),
      onCredit,
      after,
    })
  }

  get handler(): TransportHandler | null {
    return this.#handler
  }

  set handler(handler: TransportHandler | null) {
    this.#handler = handler
    if (handler === null || this.#started) return
    this.#started = true
    const { closed, datagrams } = this.#webTransport
    closed.then(
      (info) => this.#end(closedBy(info)),
      (error) => this.#end(failedWith(error)),
    )
    this.#receive(this.#webTransport.incomingUnidirectionalStreams, (readable: ReadableStream) => {
      const receive = new W3cReceiveStream(this)
      this.#tell((to) => to.onUni(receive))
      receive.attach(readable)
    })
    this.#receive(this.#webTransport.incomingBidirectionalStreams, (stream: W3cBidiStream) => {
      const receive = new W3cReceiveStream(this)
      const send = new W3cSendStream(this, 0)
      this.#tell((to) => to.onBidi({ send, receive }))
      send.attach(stream.writable)
      receive.attach(stream.readable)
    })
    this.#receive(datagrams.readable, (bytes: Uint8Array) => {
      this.#tell((to) => to.onDatagram(bytes))
    })
  }

  get maxDatagramSize(): number {
    return this.over ? 0 : this.#webTransport.datagrams.maxDatagramSize
  }

  openUni(order: number): SendStream | null {
    if (this.over || !this.#uni.mayAsk()) return null
    const send = new W3cSendStream(this, order)
    this.#uni.ask({
      isWanted: () => send.wanted,
      take: (writable) => send.attach(writable),
      fail: () => send.endWithSession(),
    })
    return send
  }

  openBidi(order: number): BidiStream | null {
    if (this.over || !this.#bidi.mayAsk()) return null
    const send = new W3cSendStream(this, order)
    const receive = new W3cReceiveStream(this)
    this.#bidi.ask({
      // Even a bidirectional stream that was reset still has to stop its other direction.
      isWanted: () => true,
      take: (stream) => {
        if (send.wanted) send.attach(stream.writable)
        else stream.writable.abort().catch(ignore)
        receive.attach(stream.readable)
      },
      fail: () => {
        send.endWithSession()
        receive.endWithSession()
      },
    })
    return { send, receive }
  }

  sendDatagram(bytes: Uint8Array): boolean {
    if (bytes.length > this.maxDatagramSize || this.over) return false
    if (this.#datagramSizes.length >= PENDING_DATAGRAMS) return false
    this.#datagramSizes.push(bytes.length)
    this.outstandingChanged(bytes.length)
    this.#datagrams.write(bytes).then(this.#onDatagramSettled, this.#onDatagramSettled)
    return true
  }

  wantRoom(): void {
    if (this.over) return
    this.#roomWanted = true
    this.#planRoom()
  }

  congestion(): Congestion | null {
    if (this.over || this.#webTransport.getStats === undefined) return null
    const now = this.#now()
    if (now - this.#statsAt >= STATS_AGE_MS) {
      this.#statsAt = now
      this.#webTransport.getStats().then((stats) => {
        this.#stats = congestionOf(stats)
      }, ignore)
    }
    return this.#stats
  }

  close(code: number, reason: string): void {
    if (this.over) return
    this.#closing = { by: 'local', code, reason }
    try {
      this.#webTransport.close({ closeCode: code, reason: cutToBytes(reason, LONGEST_REASON) })
    } catch {
      // It failed by itself meanwhile; `closed` tells.
    }
  }

  guard(callback: () => void): void {
    try {
      callback()
    } catch (error) {
      this.close(SESSION_INTERNAL_ERROR, 'internal error')
      const { onFault } = this.#options
      if (onFault !== undefined) onFault(error)
      else
        queueMicrotask(() => {
          throw error
        })
    }
  }

  outstandingChanged(bytes: number): void {
    this.#outstanding += bytes
    if (bytes < 0) this.#planRoom()
  }

  get over(): boolean {
    return this.#closing !== null || this.#closed
  }

  readonly #onDatagramSettled = () => {
    this.outstandingChanged(-(this.#datagramSizes.shift() ?? 0))
  }

  #planRoom(): void {
    if (!this.#roomWanted || this.#roomPlanned) return
    this.#roomPlanned = true
    queueMicrotask(this.#giveRoom)
  }

  readonly #giveRoom = () => {
    this.#roomPlanned = false
    const room = this.#window - this.#outstanding
    if (!this.#roomWanted || this.over || room < Math.min(LEAST_ROOM, this.#window)) return
    this.#roomWanted = false
    this.#tell((handler) => handler.onRoom(room))
  }

  #tell(callback: (handler: TransportHandler) => void): void {
    const handler = this.#handler
    if (handler !== null && !this.over) this.guard(() => callback(handler))
  }

  /** Hands over what a stream brings, one by one, until the stream or the session ends. */
  #receive<T>(readable: ReadableStream<T>, take: (value: T) => void): void {
    const reader = readable.getReader()
    reader.closed.catch(ignore)
    const next = () => void reader.read().then(onRead, ignore)
    const onRead = (result: ReadableStreamReadResult<T>) => {
      if (result.done || this.over) return
      take(result.value)
      next()
    }
    next()
  }

  #end(info: CloseInfo): void {
    if (this.#closed) return
    this.#closed = true
    this.#uni.end()
    this.#bidi.end()
    for (const stream of this.sending) stream.endWithSession()
    for (const stream of this.receiving) stream.endWithSession()
    const handler = this.#handler
    if (handler !== null) this.guard(() => handler.onClosed(this.#closing ?? info))
  }
}

function ignore(): void {}

function closedBy(info: W3cCloseInfo): CloseInfo {
  return { by: 'peer', code: info.closeCode ?? 0, reason: info.reason ?? '' }
}

function failedWith(error: unknown): CloseInfo {
  const reason = error instanceof Error ? error.message : 'the connection was lost'
  return { by: 'transport', code: SESSION_INTERNAL_ERROR, reason }
}

function congestionOf(stats: W3cStats): Congestion | null {
  const rttMs = stats.smoothedRtt ?? 0
  const deliveryRate = stats.estimatedSendRate ?? 0
  if (rttMs <= 0 || deliveryRate <= 0) return null
  return {
    rttMs,
    congestionWindow: Math.round((deliveryRate * rttMs) / 8_000),
    bytesInFlight: null,
    deliveryRate,
    lostPackets: stats.packetsLost ?? 0,
  }
}

/** Cuts a string to a length in UTF-8 bytes, between characters. */
function cutToBytes(text: string, length: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(length))
  return text.slice(0, read)
}
