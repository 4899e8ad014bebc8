import type { BidiStream } from '../transport/transport.ts'
import { MESSAGE_ID } from '../wire/bodies.ts'
import type { Codec, DraftRules } from '../wire/codec.ts'
import { ResetCode, SessionCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { ControlMessage, Goaway } from '../wire/messages.ts'
import type { Clock } from './clock.ts'
import { MessageParser } from './message-parser.ts'
import { UNBOUNDED, type UpdateBounds } from './update-bounds.ts'

/** What a request does with its stream's events. */
export interface RequestStreamHandler {
  onMessage(message: ControlMessage): void
  /** The peer will send no more. */
  onEnd(): void
  /** GOAWAY for this request alone (section 10.4); at most once. */
  onGoaway?(goaway: Goaway): void
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
  private readonly guard: Guard
  private readonly updates: UpdateBounds
  private readonly parser: MessageParser
  /** What is kept back; null while nothing is. */
  private held: { readonly first: ControlMessage | null; fin: boolean; releasing: boolean } | null =
    null
  private over = false
  private sendEnded = false
  private goawaySent = false
  private goawaySeen = false
  /** Something was sent that begins the stream or answers its request. */
  private begun = false
  /** REQUEST_UPDATEs of the peer's. */
  private unanswered = 0

  constructor(stream: BidiStream, codec: Codec, guard: Guard, updates: UpdateBounds = UNBOUNDED) {
    this.stream = stream
    this.codec = codec
    this.guard = guard
    this.updates = updates
    this.parser = new MessageParser((type, payload) => {
      // What follows a cancelled request on its stream is of no interest.
      if (this.over) return
      const message = codec.decode(type, payload, 'request')
      if (message.type === 'REQUEST_UPDATE') {
        this.unanswered++
        this.checkUpdates(0)
      }
      this.receive(message)
    })
    stream.receive.handler = {
      onBytes: (bytes, fin) =>
        guard(() => {
          if (this.over) return
          this.parser.feed(bytes)
          if (this.held && this.parser.pendingBytes > MAX_HELD_BYTES) {
            this.onCancel(ResetCode.EXCESSIVE_LOAD)
          } else if (fin) this.receiveEnd()
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

  get rules(): DraftRules {
    return this.codec.rules
  }

  /** REQUEST_UPDATEs of ours that may be unanswered on it. */
  get maxUpdates(): number {
    return this.updates.ours
  }

  send(message: ControlMessage): void {
    if (this.sendEnded) return
    this.noteAnswer(message)
    this.stream.send.write(this.codec.encode(message))
  }

  finish(): void {
    if (this.sendEnded) return
    this.sendEnded = true
    this.stream.send.finish()
  }

  /**
   * Asks the peer to bring this request elsewhere (section 10.4). After `timeoutMs`, unless 0, it is
   * reset with GOING_AWAY, and its handler hears of it as of a cancellation. Once; later calls do
   * nothing.
   * @param uri empty: the session's own; a client may send no other
   */
  goaway(uri: string, timeoutMs: number, clock: Clock): void {
    if (this.sendEnded || this.goawaySent) return
    this.goawaySent = true
    this.send({ type: 'GOAWAY', newSessionUri: uri, timeout: timeoutMs })
    if (timeoutMs > 0) {
      clock.after(timeoutMs, () => this.guard(() => this.onCancel(ResetCode.GOING_AWAY)))
    }
  }

  /** Ends both directions; nothing is called any more. */
  cancel(code: number): void {
    if (this.over) return
    this.over = true
    this.resetSend(code)
    this.stream.receive.stop(code)
  }

  /** As `cancel`, and its handler hears of it as if the peer had cancelled. */
  abandon(code: number): void {
    this.onCancel(code)
  }

  /**
   * Keeps back what the peer sends, `first` before all, until `release`. The transport is paused, so
   * that the peer's flow control bounds what waits. That the peer stops our side is told all the same.
   */
  hold(first: ControlMessage | null = null): void {
    this.held = { first, fin: false, releasing: false }
    this.parser.pause()
    this.stream.receive.pause()
  }

  /** Hands on what was kept back: soon, and not from within this call. */
  release(): void {
    const { held } = this
    if (!held || held.releasing) return
    held.releasing = true
    queueMicrotask(() => this.guard(() => this.goOn()))
  }

  private goOn(): void {
    const { held } = this
    // Released, and not held anew since.
    if (!held?.releasing || this.over) return
    this.held = null
    this.checkUpdates(this.parser.count(MESSAGE_ID.REQUEST_UPDATE))
    if (held.first) this.receive(held.first)
    // Unless it is kept back again by what was handed on.
    if (!this.isHeld()) {
      this.stream.receive.resume()
      this.parser.resume()
    }
    if (held.fin) this.receiveEnd()
  }

  private isHeld(): boolean {
    return this.held !== null
  }

  private receiveEnd(): void {
    if (this.over) return
    if (this.held) {
      this.held.fin = true
      return
    }
    this.parser.finish()
    this.handler?.onEnd()
  }

  private receive(message: ControlMessage): void {
    if (message.type !== 'GOAWAY') {
      this.handler?.onMessage(message)
      return
    }
    if (this.goawaySeen) throw new ProtocolError('second GOAWAY on a request')
    this.goawaySeen = true
    this.handler?.onGoaway?.(message)
  }

  /** The first message of ours is the request or its answer, never the answer to an update. */
  private noteAnswer({ type }: ControlMessage): void {
    if (type === 'GOAWAY') return
    const answers = type === 'REQUEST_OK' || type === 'REQUEST_ERROR'
    if (this.begun && answers && this.unanswered > 0) this.unanswered--
    this.begun = true
  }

  /** @param kept of those that came and were not read yet */
  private checkUpdates(kept: number): void {
    if (this.unanswered + kept <= this.updates.theirs) return
    this.updates.onExceeded?.()
    throw new ProtocolError(
      `more than ${this.updates.theirs} REQUEST_UPDATEs without an answer`,
      SessionCode.TOO_MANY_REQUEST_UPDATES,
    )
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

/** Of what was under way when a stream was held. */
const MAX_HELD_BYTES = 256 * 1024
