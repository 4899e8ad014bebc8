import type { BidiStream } from '../transport/transport.ts'
import type { Codec } from '../wire/codec.ts'
import type { ControlMessage } from '../wire/messages.ts'
import { MessageParser } from './message-parser.ts'

/** What a request does with its stream's events. */
export interface RequestStreamHandler {
  onMessage(message: ControlMessage): void
  /** The peer will send no more. */
  onEnd(): void
  /** The peer abandoned the request: it reset its side, or stopped ours. Called once at most. */
  onCancelled(code: number): void
}

/** A request, of ours or of the peer's, that must hear of the session's end. */
export interface OpenRequest {
  sessionEnded(reason: string): void
}

/** Tells the session that it may forget a request. */
export type OnOver = (request: OpenRequest) => void

/** Runs a callback and turns a `ProtocolError` into the end of the session. */
export type Guard = (task: () => void) => void

/**
 * One request and its answers, on one bidirectional stream (draft-18 section 3.3). Cancelling ends
 * both directions (section 3.3.2).
 */
export class RequestStream {
  handler: RequestStreamHandler | null = null
  private readonly stream: BidiStream
  private readonly codec: Codec
  private over = false
  private sendEnded = false

  constructor(stream: BidiStream, codec: Codec, guard: Guard) {
    this.stream = stream
    this.codec = codec
    const parser = new MessageParser((type, payload) => {
      // What follows a cancelled request on its stream is of no interest.
      if (!this.over) this.handler?.onMessage(codec.decode(type, payload, 'request'))
    })
    stream.receive.handler = {
      onBytes: (bytes, fin) =>
        guard(() => {
          if (this.over) return
          parser.feed(bytes)
          if (!fin || this.over) return
          parser.finish()
          this.handler?.onEnd()
        }),
      onReset: (code) => guard(() => this.onCancel(code)),
    }
    stream.send.handler = { onStopped: (code) => guard(() => this.onCancel(code)) }
  }

  /** Bytes not yet taken by the transport: a peer that does not read makes this grow. */
  get buffered(): number {
    return this.stream.send.buffered
  }

  /** Either side cancelled it. */
  get cancelled(): boolean {
    return this.over
  }

  send(message: ControlMessage): void {
    if (this.sendEnded) return
    this.stream.send.write(this.codec.encode(message))
  }

  finish(): void {
    if (this.sendEnded) return
    this.sendEnded = true
    this.stream.send.finish()
  }

  /** Ends both directions; nothing is called any more. */
  cancel(code: number): void {
    if (this.over) return
    this.over = true
    this.resetSend(code)
    this.stream.receive.stop(code)
  }

  private onCancel(code: number): void {
    if (this.over) return
    this.over = true
    this.resetSend(code)
    this.stream.receive.stop(code)
    this.handler?.onCancelled(code)
  }

  private resetSend(code: number): void {
    if (this.sendEnded) return
    this.sendEnded = true
    this.stream.send.reset(code)
  }
}
