import type { Duplex } from 'node:stream'
import type { Pressure } from '../../../moq/transport/fails-session.ts'
import type { FailsParser } from '../../../moq/transport/fails-types.ts'
import { FrameGate, FrameViolation } from './frame-gate.ts'

const PING = 0x9
/** How long a client may take to read the end of its session, ms. */
const FAREWELL_MS = 2_000

/** The package's WebSocket parser, as far as only a server knows it. */
export interface FailsServerParser extends FailsParser {
  writeWSFrame(frame: { opcode: number; payload: Uint8Array | undefined }): unknown
}

export interface LinkOptions {
  /** Bytes; longer WebSocket messages end the session. */
  maxMessage: number
  /** Bytes written and not yet with the operating system that end the session. */
  maxBuffered: number
  /** A client silent for so long is lost, ms; it is asked for a sign of life before. */
  idleTimeoutMs: number
  now(): number
  /** The client broke the WebSocket protocol. */
  onViolation(reason: string): void
  /** The client lets what we write pile up. */
  onUnread(): void
  /** The client has not been heard for too long. */
  onSilent(): void
}

/** The socket below a WebSocket session: what comes in is checked, what goes out is watched. */
export class WebSocketLink implements Pressure {
  bytesReceived = 0
  readonly #stream: Duplex
  readonly #parser: FailsServerParser
  readonly #options: LinkOptions
  #heardAt: number

  constructor(stream: Duplex, parser: FailsServerParser, options: LinkOptions) {
    this.#stream = stream
    this.#parser = parser
    this.#options = options
    this.#heardAt = options.now()
  }

  /** Takes the place of `parser.parseData`; to be called once the session has set its own. */
  start(): void {
    const [stream, parser, options] = [this.#stream, this.#parser, this.#options]
    const parse = parser.parseData
    const gate = new FrameGate({
      maxMessage: options.maxMessage,
      onFrame: (frame) => parse.call(parser, frame),
      onPong: () => {},
    })
    parser.parseData = (data) => {
      this.bytesReceived += data.length
      this.#heardAt = options.now()
      try {
        gate.push(Buffer.from(data.buffer, data.byteOffset, data.length))
      } catch (error) {
        if (!(error instanceof FrameViolation)) throw error
        parser.parseData = () => {}
        options.onViolation(error.message)
      }
      // Answers to pings and credit grow here while a client does not read them.
      if (stream.writableLength > options.maxBuffered) {
        parser.parseData = () => {}
        options.onUnread()
      }
    }
  }

  bytes(): number {
    return this.#stream.writableLength
  }

  whenLess(callback: () => void): void {
    this.#stream.once('drain', callback)
  }

  /** To be called now and then, several times in each idle timeout. */
  checkLife(): void {
    const silent = this.#options.now() - this.#heardAt
    if (silent >= this.#options.idleTimeoutMs) this.#options.onSilent()
    else if (silent >= this.#options.idleTimeoutMs / 3) {
      this.#parser.writeWSFrame({ opcode: PING, payload: undefined })
    }
  }

  /** Ends the connection after what was written, but does not wait for the client for long. */
  close(): void {
    if (this.#stream.destroyed) return
    this.#stream.end()
    setTimeout(() => this.#stream.destroy(), FAREWELL_MS).unref()
  }
}
