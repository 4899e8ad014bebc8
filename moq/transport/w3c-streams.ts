import { STREAM_SESSION_CLOSED } from './codes.ts'
import type {
  ReceiveStream,
  ReceiveStreamHandler,
  SendStream,
  SendStreamHandler,
} from './transport.ts'
import { streamError, streamErrorCode } from './w3c-types.ts'

const NO_BYTES = new Uint8Array(0)

/** Reset code where a stream fails without telling one (draft-18, INTERNAL_ERROR). */
const STREAM_INTERNAL_ERROR = 0x0

/** What a stream needs of its session. */
export interface StreamOwner {
  readonly sending: Set<W3cSendStream>
  readonly receiving: Set<W3cReceiveStream>
  /** The session has ended or is about to: only its end is still told. */
  readonly over: boolean
  /** Runs a callback of the owner's; a throw ends the session. */
  guard(callback: () => void): void
  /** Bytes handed over to the browser (positive), or done with (negative). */
  outstandingChanged(bytes: number): void
}

function ignore(): void {}

/** A browser's sendOrder sends the higher first, ours (as QUIC urgency) the lower. */
function sendOrderOf(order: number): number {
  return 255 - order
}

/**
 * Sends over a `WritableStream` that may still be on its way: what is written before waits here.
 *
 * Bytes count as outstanding until `write` settles, and those of a finished stream until `close`
 * settles, which a browser delays until the peer has acknowledged them all. That is the only sign of
 * the path's speed that a browser without `getStats` gives.
 */
export class W3cSendStream implements SendStream {
  handler: SendStreamHandler | null = null
  buffered = 0
  order: number
  readonly #owner: StreamOwner
  #writable: WritableStream | null = null
  #writer: WritableStreamDefaultWriter<Uint8Array> | null = null
  #waiting: Uint8Array[] = []
  #sizes: number[] = []
  #untilClosed = 0
  #state: 'open' | 'finished' | 'ended' = 'open'

  constructor(owner: StreamOwner, order: number) {
    this.#owner = owner
    this.order = order
    owner.sending.add(this)
  }

  /** False once reset: then no `WritableStream` needs to be given. */
  get wanted(): boolean {
    return this.#state !== 'ended'
  }

  /** The `WritableStream` has come. */
  attach(writable: WritableStream): void {
    this.#writable = writable
    const writer: WritableStreamDefaultWriter<Uint8Array> = writable.getWriter()
    this.#writer = writer
    writer.closed.then(this.#onClosed, this.#onFailed)
    this.setOrder(this.order)
    for (const bytes of this.#waiting) this.#hand(writer, bytes)
    this.#waiting = []
    if (this.#state === 'finished') writer.close().catch(ignore)
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== 'open' || bytes.length === 0) return
    this.buffered += bytes.length
    this.#owner.outstandingChanged(bytes.length)
    if (this.#writer === null) this.#waiting.push(bytes)
    else this.#hand(this.#writer, bytes)
  }

  finish(): void {
    if (this.#state !== 'open') return
    this.#state = 'finished'
    this.#writer?.close().catch(ignore)
  }

  reset(code: number): void {
    if (this.#state !== 'open') return
    this.#end()
    this.#writer?.abort(streamError(code)).catch(ignore)
  }

  setOrder(order: number): void {
    this.order = order
    const writable = this.#writable
    if (writable !== null && 'sendOrder' in writable) writable.sendOrder = sendOrderOf(order)
  }

  endWithSession(): void {
    this.#end()
  }

  #hand(writer: WritableStreamDefaultWriter<Uint8Array>, bytes: Uint8Array): void {
    this.#sizes.push(bytes.length)
    writer.write(bytes).then(this.#onTaken, ignore)
  }

  readonly #onTaken = () => {
    if (this.#state === 'ended') return
    // Writes settle in the order in which they were made.
    const size = this.#sizes.shift() ?? 0
    this.buffered -= size
    if (this.#state === 'finished') this.#untilClosed += size
    else this.#owner.outstandingChanged(-size)
  }

  readonly #onClosed = () => this.#end()

  readonly #onFailed = (error: unknown) => {
    if (this.#state === 'ended') return
    const told = this.#state === 'open'
    this.#end()
    const code = streamErrorCode(error)
    // Without a code it is the session that failed; its end is told by itself.
    if (told && code !== null && !this.#owner.over)
      this.#owner.guard(() => this.handler?.onStopped(code))
  }

  #end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#owner.sending.delete(this)
    this.#owner.outstandingChanged(-this.buffered - this.#untilClosed)
    this.buffered = 0
    this.#untilClosed = 0
    this.#waiting = []
    this.#sizes = []
  }
}

/** Receives from a `ReadableStream`, one read at a time and none while paused. */
export class W3cReceiveStream implements ReceiveStream {
  handler: ReceiveStreamHandler | null = null
  readonly #owner: StreamOwner
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null
  #paused = false
  #reading = false
  #held: (() => void) | null = null
  #stopCode: number | null = null
  #ended = false

  constructor(owner: StreamOwner) {
    this.#owner = owner
    owner.receiving.add(this)
  }

  /** The `ReadableStream` has come. */
  attach(readable: ReadableStream): void {
    const reader: ReadableStreamDefaultReader<Uint8Array> = readable.getReader()
    this.#reader = reader
    reader.closed.catch(ignore)
    if (this.#stopCode !== null) reader.cancel(streamError(this.#stopCode)).catch(ignore)
    else this.#read()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (this.#held !== null) queueMicrotask(this.#flush)
    else this.#read()
  }

  stop(code: number): void {
    if (this.#ended) return
    this.#end()
    this.#stopCode = code
    this.#reader?.cancel(streamError(code)).catch(ignore)
  }

  endWithSession(): void {
    if (this.#ended) return
    this.#end()
    this.#owner.guard(() => this.handler?.onReset(STREAM_SESSION_CLOSED))
  }

  #read(): void {
    if (this.#reader === null || this.#reading || this.#paused || this.#ended) return
    this.#reading = true
    this.#reader.read().then(this.#onRead, this.#onFailed)
  }

  readonly #onRead = (result: ReadableStreamReadResult<Uint8Array>) => {
    this.#reading = false
    this.#deliver(() => {
      if (result.done) this.#end()
      this.handler?.onBytes(result.done ? NO_BYTES : result.value, result.done)
    })
  }

  readonly #onFailed = (error: unknown) => {
    this.#reading = false
    const code = streamErrorCode(error)
    // The end of the session itself, which resets all that is open, is told by `closed`.
    if (code === null && isOfSession(error)) return
    this.#deliver(() => {
      this.#end()
      this.handler?.onReset(code ?? STREAM_INTERNAL_ERROR)
    })
  }

  #deliver(callback: () => void): void {
    if (this.#ended || this.#owner.over) return
    if (this.#paused) {
      this.#held = callback
      return
    }
    this.#owner.guard(callback)
    this.#read()
  }

  readonly #flush = () => {
    const held = this.#held
    if (held === null || this.#paused) return
    this.#held = null
    this.#deliver(held)
  }

  #end(): void {
    this.#ended = true
    this.#held = null
    this.#owner.receiving.delete(this)
  }
}

function isOfSession(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'source' in error && error.source === 'session'
  )
}
