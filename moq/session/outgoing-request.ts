import { ResetCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { ControlMessage, Goaway, RequestError, RequestMessage } from '../wire/messages.ts'
import type { Parameters } from '../wire/parameters.ts'
import { checkOk, type OkName } from './request-rules.ts'
import type { OnOver, OpenRequest, RequestStream } from './request-stream.ts'
import { SentUpdates, type UpdateResult } from './sent-updates.ts'

/** What the owner of a request that stays open is told. */
export interface OutgoingRequestHandler {
  onAccepted?(): void
  /** REQUEST_ERROR; nothing follows. */
  onRejected?(error: RequestError): void
  /** The peer asks to bring the request elsewhere (section 10.4); nothing is ended by it. */
  onGoaway?(goaway: Goaway): void
  /** The peer ended it, before or after its answer, or the session ended. */
  onDone?(): void
}

/** What such a request needs of its session. */
export interface OutgoingRequestHost {
  readonly requestOver: OnOver
  nextRequestId(): number
}

/**
 * A request of ours that stays open once it is accepted, and may be updated (draft-18 section 10.9):
 * `waiting` (for stream credit) → `pending` → `open` → `over`.
 */
export abstract class OutgoingRequest implements OpenRequest {
  protected readonly handler: OutgoingRequestHandler
  private readonly okName: OkName
  private readonly host: OutgoingRequestHost
  private readonly updates: SentUpdates
  private stream: RequestStream | null = null
  private state: 'waiting' | 'pending' | 'open' | 'over' = 'waiting'

  constructor(okName: OkName, handler: OutgoingRequestHandler, host: OutgoingRequestHost) {
    this.okName = okName
    this.handler = handler
    this.host = host
    this.updates = new SentUpdates(() => host.nextRequestId())
  }

  get over(): boolean {
    return this.state === 'over'
  }

  /** The session found stream credit for the request. */
  start(stream: RequestStream, requestId: number, parameters: Parameters): void {
    this.state = 'pending'
    this.stream = stream
    stream.handler = {
      onMessage: (message) => this.onMessage(message),
      onEnd: () => this.end(),
      onCancelled: () => this.end(),
      onGoaway: (goaway) => this.handler.onGoaway?.(goaway),
    }
    stream.send(this.message(requestId, parameters))
  }

  /**
   * REQUEST_UPDATE; only what is given changes. A refused one ends the request: `onResult` is told,
   * then `onDone`. Does nothing unless the request is accepted.
   */
  update(parameters: Parameters, onResult?: UpdateResult): void {
    if (this.state !== 'open' || !this.stream) return
    this.updates.send(this.stream, parameters, (error, granted) => {
      if (!error) this.updated(parameters)
      onResult?.(error, granted)
    })
  }

  /** Ends it from our side; nothing is called any more. */
  cancel(): void {
    if (this.over) return
    this.close()
    this.stream?.cancel(ResetCode.CANCELLED)
  }

  sessionEnded(): void {
    this.end()
  }

  protected abstract message(requestId: number, parameters: Parameters): RequestMessage

  /**
   * What comes on the stream behind the REQUEST_OK.
   * @returns false for a message that does not belong there
   */
  protected news(_message: ControlMessage): boolean {
    return false
  }

  /** An update was granted. */
  protected updated(_parameters: Parameters): void {}

  /** The request ended after it was sent; the handler's `onDone` follows. */
  protected ended(): void {}

  private onMessage(message: ControlMessage): void {
    if (this.over) return
    if (this.state === 'pending') this.answer(message)
    else if (message.type === 'REQUEST_OK') this.updates.granted(message)
    else if (message.type === 'REQUEST_ERROR') {
      this.updates.refused(message)
      // The peer closes the stream with it (section 10.9.1).
      this.end()
    } else if (!this.news(message)) {
      throw new ProtocolError(`${message.type} behind a ${this.okName}`)
    }
  }

  private answer(message: ControlMessage): void {
    if (message.type === 'REQUEST_OK') {
      checkOk(message, this.okName, this.stream?.rules)
      this.state = 'open'
      this.handler.onAccepted?.()
    } else if (message.type === 'REQUEST_ERROR') {
      if (message.redirect && message.redirect.track.name.length > 0) {
        throw new ProtocolError('a track name in the redirect of a namespace')
      }
      this.close()
      this.stream?.finish()
      this.handler.onRejected?.(message)
    } else {
      throw new ProtocolError(`${message.type} in place of a ${this.okName}`)
    }
  }

  private end(): void {
    if (this.over) return
    this.close()
    this.stream?.finish()
    this.ended()
    this.handler.onDone?.()
  }

  private close(): void {
    this.state = 'over'
    this.updates.clear()
    this.host.requestOver(this)
  }
}
