import { ProtocolError } from '../wire/errors.ts'
import type { ControlMessage, Goaway, Redirect, RequestUpdate } from '../wire/messages.ts'
import type { Parameters } from '../wire/parameters.ts'
import { type RequestRefusal, requestError } from './refusal.ts'
import type { RequestHost } from './request-host.ts'
import type { UpdatedRequest } from './request-rules.ts'
import type { OpenRequest, RequestStream } from './request-stream.ts'

/**
 * A request of the peer's that stays open once it is accepted, and may be updated (draft-18 section
 * 10.9): `pending` → `open` → `over`.
 */
export abstract class IncomingRequest implements OpenRequest {
  readonly requestId: number
  /** The peer asks to bring the request elsewhere (section 10.4); set by the owner. */
  onGoaway: ((goaway: Goaway) => void) | null = null
  protected readonly stream: RequestStream
  private readonly type: UpdatedRequest
  private readonly host: RequestHost
  private given: Parameters
  private state: 'pending' | 'open' | 'over' = 'pending'

  constructor(
    type: UpdatedRequest,
    message: { readonly requestId: number; readonly parameters: Parameters },
    stream: RequestStream,
    host: RequestHost,
  ) {
    this.type = type
    this.requestId = message.requestId
    this.given = message.parameters
    this.stream = stream
    this.host = host
    stream.handler = {
      onMessage: (update) => this.onMessage(update),
      onEnd: () => this.onFin(),
      onCancelled: () => this.peerEnded(),
      onGoaway: (goaway) => this.onGoaway?.(goaway),
    }
  }

  /** Those of the request, with what updates changed. */
  get parameters(): Parameters {
    return this.given
  }

  /** Rejected, cancelled by either side, or ended with the session. */
  get over(): boolean {
    return this.state === 'over'
  }

  get accepted(): boolean {
    return this.state === 'open'
  }

  /** REQUEST_OK. */
  accept(): void {
    if (this.state !== 'pending') return
    this.state = 'open'
    this.grant()
    this.stream.release()
  }

  /**
   * REQUEST_ERROR, in place of `accept`.
   * @param redirect only with the code REDIRECT, without a name (section 10.6.1)
   */
  reject(
    code: number,
    reason: string,
    retryAfterMs: number | null = null,
    redirect?: Redirect,
  ): void {
    if (this.state !== 'pending') return
    this.refuse({ code, reason, retryAfterMs, redirect })
  }

  /** Ends it from our side, with a stream reset code. No callback follows. */
  cancel(code: number): void {
    if (this.over) return
    this.close()
    this.stream.cancel(code)
  }

  /** Asks the peer to bring it elsewhere (section 10.4); after `timeoutMs`, unless 0, it is reset. */
  goaway(uri: string, timeoutMs: number): void {
    this.stream.goaway(uri, timeoutMs, this.host.clock)
  }

  sessionEnded(): void {
    this.peerEnded()
  }

  /** The peer ended it, or a refused update or the session's end did. */
  protected abstract ended(): void

  /** The peer's side was finished. */
  protected abstract onFin(): void

  /** Why an update cannot be granted; null: it is, and `updated` follows the REQUEST_OK. */
  protected onUpdate(_parameters: Parameters): RequestRefusal | null {
    return null
  }

  protected updated(_parameters: Parameters): void {}

  protected peerEnded(): void {
    if (this.over) return
    this.close()
    this.stream.finish()
    this.ended()
  }

  private onMessage(message: ControlMessage): void {
    if (message.type !== 'REQUEST_UPDATE') {
      throw new ProtocolError(`${message.type} on the stream of a ${this.type}`)
    }
    // An update waits for the answer; after the end it is of no interest.
    if (this.state === 'pending') this.stream.hold(message)
    else if (this.state === 'open') this.decide(message)
  }

  private decide(update: RequestUpdate): void {
    const { parameters } = update
    this.host.admitUpdate(update, this.type, this.stream, (refusal) => {
      if (this.over) return
      const reason = refusal ?? this.onUpdate(parameters)
      if (this.over) return
      if (reason) {
        this.refuse(reason)
        this.ended()
        return
      }
      this.given = { ...this.given, ...parameters }
      this.grant()
      this.updated(parameters)
    })
  }

  private grant(): void {
    this.stream.send({ type: 'REQUEST_OK', parameters: {}, properties: [] })
  }

  /** The stream is closed with the error (sections 3.3.2 and 10.9.1). */
  private refuse(refusal: RequestRefusal): void {
    this.close()
    this.stream.send(requestError(refusal))
    this.stream.finish()
    this.stream.release()
  }

  private close(): void {
    this.state = 'over'
    this.host.requestOver(this)
  }
}
