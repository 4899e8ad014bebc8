/**
 * A pair of W3C WebTransport look-alikes joined in memory, over the runtime's own web streams: back
 * pressure, aborts, cancels, error codes and stream credit behave as in a browser. For tests.
 */

import { streamErrorCode, type W3cBidiStream, type W3cWebTransport } from './w3c-types.ts'

export interface FakeOptions {
  /** Streams that may be open at once, each way and kind. */
  credit?: number
  /** Reject streams while there is no credit, as Chromium does, instead of leaving them pending. */
  refuse?: boolean
  maxDatagramSize?: number
  /** Offer `datagrams.createWritable()` instead of `datagrams.writable`. */
  createWritable?: boolean
  protocol?: string
}

/** Bytes that a stream takes before its reader must read. */
const STREAM_WINDOW = 65_536

export function createFakePair(options: FakeOptions = {}) {
  const client = new FakeWebTransport(options)
  const server = new FakeWebTransport(options)
  client.peer = server
  server.peer = client
  return { client, server }
}

export class FakeWebTransport implements W3cWebTransport {
  peer: FakeWebTransport | null = null
  readonly ready = Promise.resolve()
  readonly closed: Promise<{ closeCode?: number; reason?: string }>
  readonly protocol?: string
  readonly datagrams: W3cWebTransport['datagrams']
  readonly incomingUnidirectionalStreams: ReadableStream
  readonly incomingBidirectionalStreams: ReadableStream
  /** Errors every stream of this side's, as the end of a session does. */
  readonly enders = new Set<() => void>()
  #incomingUni!: ReadableStreamDefaultController<ReadableStream>
  #incomingBidi!: ReadableStreamDefaultController<W3cBidiStream>
  #incomingDatagrams!: ReadableStreamDefaultController<Uint8Array>
  #settleClosed!: { resolve(info: object): void; reject(error: unknown): void }
  readonly #uniCredit: Credit
  readonly #bidiCredit: Credit
  #over = false

  constructor(options: FakeOptions) {
    this.#uniCredit = new Credit(options.credit ?? 100, options.refuse ?? false)
    this.#bidiCredit = new Credit(options.credit ?? 100, options.refuse ?? false)
    if (options.protocol !== undefined) this.protocol = options.protocol
    this.closed = new Promise((resolve, reject) => {
      this.#settleClosed = { resolve, reject }
    })
    this.incomingUnidirectionalStreams = new ReadableStream({
      start: (controller) => {
        this.#incomingUni = controller
      },
    })
    this.incomingBidirectionalStreams = new ReadableStream({
      start: (controller) => {
        this.#incomingBidi = controller
      },
    })
    const readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#incomingDatagrams = controller
      },
    })
    const writable = () =>
      new WritableStream<Uint8Array>({
        write: (bytes) => this.peer?.takeDatagram(bytes.slice()),
      })
    this.datagrams = {
      readable,
      maxDatagramSize: options.maxDatagramSize ?? 1_200,
      ...(options.createWritable ? { createWritable: writable } : { writable: writable() }),
    }
  }

  async createUnidirectionalStream(): Promise<WritableStream> {
    await this.#uniCredit.take()
    const pipe = createPipe(this, this.peer!, () => this.#uniCredit.giveBack())
    this.peer!.#incomingUni.enqueue(pipe.readable)
    return pipe.writable
  }

  async createBidirectionalStream(): Promise<W3cBidiStream> {
    await this.#bidiCredit.take()
    const there = createPipe(this, this.peer!, () => this.#bidiCredit.giveBack())
    const back = createPipe(this.peer!, this, ignore)
    this.peer!.#incomingBidi.enqueue({ readable: there.readable, writable: back.writable })
    return { readable: back.readable, writable: there.writable }
  }

  takeDatagram(bytes: Uint8Array): void {
    if (!this.#over) this.#incomingDatagrams.enqueue(bytes)
  }

  close(info: { closeCode?: number; reason?: string } = {}): void {
    this.#end(() => this.#settleClosed.resolve(info))
    const peer = this.peer!
    queueMicrotask(() => peer.#end(() => peer.#settleClosed.resolve(info)))
  }

  /** The connection breaks, without a word from the peer. */
  fail(error: unknown): void {
    this.#end(() => this.#settleClosed.reject(error))
  }

  #end(settle: () => void): void {
    if (this.#over) return
    this.#over = true
    for (const end of this.enders) end()
    this.#incomingUni.close()
    this.#incomingBidi.close()
    this.#incomingDatagrams.close()
    settle()
  }
}

/** One direction of a stream, from one side to the other. */
function createPipe(from: FakeWebTransport, to: FakeWebTransport, onDone: () => void) {
  let source!: ReadableStreamDefaultController<Uint8Array>
  let sink!: WritableStreamDefaultController
  let pulled: (() => void) | null = null
  let over = false
  const done = () => {
    if (over) return false
    over = true
    from.enders.delete(failSink)
    to.enders.delete(failSource)
    onDone()
    return true
  }
  const failSink = () => sink.error({ source: 'session', streamErrorCode: null })
  const failSource = () => source.error({ source: 'session', streamErrorCode: null })
  from.enders.add(failSink)
  to.enders.add(failSource)
  const readable = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        source = controller
      },
      pull() {
        pulled?.()
      },
      cancel(reason) {
        if (done()) sink.error({ source: 'stream', streamErrorCode: streamErrorCode(reason) })
      },
    },
    { highWaterMark: STREAM_WINDOW, size: (bytes) => bytes.length },
  )
  const writable = new WritableStream<Uint8Array>({
    start(controller) {
      sink = controller
    },
    async write(bytes, controller) {
      if ((source.desiredSize ?? 0) <= 0) {
        await new Promise<void>((resolve) => {
          pulled = resolve
          controller.signal.addEventListener('abort', () => resolve())
        })
        pulled = null
      }
      if (!over && !controller.signal.aborted) source.enqueue(bytes.slice())
    },
    close() {
      if (done()) source.close()
    },
    abort(reason) {
      if (done()) source.error({ source: 'stream', streamErrorCode: streamErrorCode(reason) })
    },
  })
  return { readable, writable }
}

class Credit {
  readonly #refuse: boolean
  #left: number
  #waiting: (() => void)[] = []

  constructor(streams: number, refuse: boolean) {
    this.#left = streams
    this.#refuse = refuse
  }

  take(): Promise<void> {
    if (this.#left > 0) {
      this.#left--
      return Promise.resolve()
    }
    if (this.#refuse) return Promise.reject(new Error('Failed to create send stream.'))
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  giveBack(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#left++
    else next()
  }
}

function ignore(): void {}
