import { STREAM_SESSION_CLOSED } from './codes.ts'
import type {
  BidiStream,
  ReceiveStream,
  ReceiveStreamHandler,
  SendStream,
  SendStreamHandler,
  TransportHandler,
} from './transport.ts'

const NO_BYTES = new Uint8Array(0)

/** Something that has reached a session and waits for its turn in the session's inbox. */
export interface MemoryEvent {
  deliver(session: MemoryEnd, handler: TransportHandler): void
}

/** What a stream needs of the session at one end of it. */
export interface MemoryEnd {
  /** Streams to reset when the session ends. */
  readonly receiving: Set<MemoryReceiveStream>
  /** Streams to end, silently, when the session ends. */
  readonly sending: Set<MemorySendStream>
  post(event: MemoryEvent): void
  returnCredit(kind: 'uni' | 'bidi', handler: TransportHandler): void
}

/** What both directions of a stream share: who opened it, who was told of it, what is still open. */
class MemoryStream {
  readonly #kind: 'uni' | 'bidi'
  readonly #opener: MemoryEnd
  #openDirections: number
  #announcement: ((handler: TransportHandler) => void) | null

  constructor(
    kind: 'uni' | 'bidi',
    opener: MemoryEnd,
    announcement: (handler: TransportHandler) => void,
  ) {
    this.#kind = kind
    this.#opener = opener
    this.#openDirections = kind === 'uni' ? 1 : 2
    this.#announcement = announcement
  }

  /** As in QUIC, the peer learns of a stream with the first thing that it carries. */
  announceTo(session: MemoryEnd, handler: TransportHandler): void {
    if (session === this.#opener || this.#announcement === null) return
    const announcement = this.#announcement
    this.#announcement = null
    announcement(handler)
  }

  /** One direction is done with at its receiver. The last one returns the opener's credit. */
  directionEnded(): void {
    this.#openDirections--
    if (this.#openDirections > 0) return
    const kind = this.#kind
    this.#opener.post({ deliver: (session, handler) => session.returnCredit(kind, handler) })
  }
}

/** Opens a unidirectional stream from `near` to `far`. */
export function openMemoryUni(near: MemoryEnd, far: MemoryEnd, order: number): SendStream {
  const stream = new MemoryStream('uni', near, (handler) => handler.onUni(receive))
  const receive = new MemoryReceiveStream(far, stream)
  return new MemorySendStream(near, far, receive, stream, order)
}

/** Opens a bidirectional stream; the far side's half starts with the same order. */
export function openMemoryBidi(near: MemoryEnd, far: MemoryEnd, order: number): BidiStream {
  const stream = new MemoryStream('bidi', near, (handler) => {
    handler.onBidi({ send: farSend, receive: farReceive })
  })
  const nearReceive = new MemoryReceiveStream(near, stream)
  const farReceive = new MemoryReceiveStream(far, stream)
  const nearSend = new MemorySendStream(near, far, farReceive, stream, order)
  const farSend = new MemorySendStream(far, near, nearReceive, stream, order)
  return { send: nearSend, receive: nearReceive }
}

export class MemorySendStream implements SendStream {
  handler: SendStreamHandler | null = null
  /** As last set; nothing in memory is slow enough to be reordered. */
  order: number
  #near: MemoryEnd
  #far: MemoryEnd
  #receive: MemoryReceiveStream
  #stream: MemoryStream
  #used = false
  #ended = false
  #last: BytesEvent | null = null

  constructor(
    near: MemoryEnd,
    far: MemoryEnd,
    receive: MemoryReceiveStream,
    stream: MemoryStream,
    order: number,
  ) {
    this.#near = near
    this.#far = far
    this.#receive = receive
    this.#stream = stream
    this.order = order
    near.sending.add(this)
    receive.sender = this
  }

  get buffered(): number {
    return this.#receive.undelivered
  }

  write(bytes: Uint8Array): void {
    if (this.#ended) return
    this.#post(bytes, false)
  }

  finish(): void {
    if (this.#ended) return
    // The end travels with the last bytes where they are still on their way, else alone.
    if (this.#last !== null && !this.#last.delivered) this.#last.fin = true
    else this.#post(NO_BYTES, true)
    this.#end()
  }

  reset(code: number): void {
    if (this.#ended) return
    this.#end()
    this.#receive.abandon()
    if (this.#used) this.#far.post(new ResetEvent(this.#receive, this.#stream, code))
    else this.#receive.close()
  }

  setOrder(order: number): void {
    this.order = order
  }

  /** The peer's `stop` has arrived. */
  stopped(code: number): void {
    if (this.#ended) return
    this.#end()
    this.handler?.onStopped(code)
  }

  /** Asks this sender, from the receiving side, to stop. */
  askToStop(code: number): void {
    const stream = this.#stream
    this.#near.post({
      deliver: (session, handler) => {
        stream.announceTo(session, handler)
        this.stopped(code)
      },
    })
  }

  endWithSession(): void {
    this.#end()
  }

  #post(bytes: Uint8Array, fin: boolean): void {
    this.#used = true
    this.#receive.undelivered += bytes.length
    this.#last = new BytesEvent(this.#receive, this.#stream, bytes, fin)
    this.#far.post(this.#last)
  }

  #end(): void {
    this.#ended = true
    this.#last = null
    this.#near.sending.delete(this)
  }
}

export class MemoryReceiveStream implements ReceiveStream {
  handler: ReceiveStreamHandler | null = null
  sender: MemorySendStream | null = null
  /** Bytes written by the sender that `onBytes` has not been given. */
  undelivered = 0
  #session: MemoryEnd
  #stream: MemoryStream
  #arrived: { bytes: Uint8Array; fin: boolean }[] = []
  #resetCode: number | null = null
  #paused = false
  #abandoned = false
  #closed = false

  constructor(session: MemoryEnd, stream: MemoryStream) {
    this.#session = session
    this.#stream = stream
    session.receiving.add(this)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (!this.#closed) this.#session.post({ deliver: () => this.#flush() })
  }

  stop(code: number): void {
    if (this.#closed) return
    this.close()
    this.sender?.askToStop(code)
  }

  /** The sender takes back what was not delivered. */
  abandon(): void {
    this.#abandoned = true
    this.#arrived = []
    this.undelivered = 0
  }

  bytesArrived(bytes: Uint8Array, fin: boolean): void {
    if (this.#closed || this.#abandoned) return
    this.#arrived.push({ bytes, fin })
    this.#flush()
  }

  resetArrived(code: number): void {
    if (this.#closed) return
    this.#resetCode = code
    this.#flush()
  }

  /** No callback follows. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#arrived = []
    this.undelivered = 0
    this.#session.receiving.delete(this)
    this.#stream.directionEnded()
  }

  endWithSession(): void {
    if (this.#closed) return
    this.close()
    this.handler?.onReset(STREAM_SESSION_CLOSED)
  }

  #flush(): void {
    while (!this.#paused && !this.#closed) {
      const next = this.#arrived.shift()
      if (next === undefined) break
      this.undelivered -= next.bytes.length
      if (next.fin) this.close()
      this.handler?.onBytes(next.bytes, next.fin)
    }
    if (this.#resetCode === null || this.#paused || this.#closed) return
    this.close()
    this.handler?.onReset(this.#resetCode)
  }
}

class BytesEvent implements MemoryEvent {
  fin: boolean
  delivered = false
  readonly #receive: MemoryReceiveStream
  readonly #stream: MemoryStream
  readonly #bytes: Uint8Array

  constructor(receive: MemoryReceiveStream, stream: MemoryStream, bytes: Uint8Array, fin: boolean) {
    this.#receive = receive
    this.#stream = stream
    this.#bytes = bytes
    this.fin = fin
  }

  deliver(session: MemoryEnd, handler: TransportHandler): void {
    this.delivered = true
    this.#stream.announceTo(session, handler)
    this.#receive.bytesArrived(this.#bytes, this.fin)
  }
}

class ResetEvent implements MemoryEvent {
  readonly #receive: MemoryReceiveStream
  readonly #stream: MemoryStream
  readonly #code: number

  constructor(receive: MemoryReceiveStream, stream: MemoryStream, code: number) {
    this.#receive = receive
    this.#stream = stream
    this.#code = code
  }

  deliver(session: MemoryEnd, handler: TransportHandler): void {
    this.#stream.announceTo(session, handler)
    this.#receive.resetArrived(this.#code)
  }
}
