import { ProtocolError } from '../wire/errors.ts'
import type { Location } from '../wire/location.ts'
import type { ControlMessage, Redirect, Subscribe } from '../wire/messages.ts'
import type { FullTrackName } from '../wire/names.ts'
import type { Parameters } from '../wire/parameters.ts'
import { isPublished } from './filter.ts'
import { Publication } from './publication.ts'
import type { AcceptOptions, PublicationHandler } from './publication-handler.ts'
import { requestError } from './refusal.ts'
import type { RequestHost } from './request-host.ts'
import type { OpenRequest, RequestStream } from './request-stream.ts'

/** A SUBSCRIBE of the peer's, to be answered once with `accept` or `reject`. */
export class IncomingSubscribe implements OpenRequest {
  readonly track: FullTrackName
  readonly parameters: Parameters
  readonly requestId: number
  private readonly stream: RequestStream
  private readonly host: RequestHost
  private answered = false

  /** The peer cancelled before an answer; set by an owner that answers later. */
  onCancelled: (() => void) | null = null

  constructor(message: Subscribe, stream: RequestStream, host: RequestHost) {
    this.track = message.track
    this.parameters = message.parameters
    this.requestId = message.requestId
    this.stream = stream
    this.host = host
    stream.handler = {
      onMessage: (update) => this.onMessage(update),
      onEnd: () => {},
      onCancelled: () => this.cancelled(),
    }
  }

  /** Whether it was answered or cancelled. */
  get over(): boolean {
    return this.answered
  }

  /**
   * Whether its filter passes nothing that can still be published; it is to be rejected with
   * INVALID_RANGE then (section 5.1.2).
   */
  outOfRange(largest: Location | null): boolean {
    return isPublished(this.parameters.filter, largest)
  }

  /** Sends SUBSCRIBE_OK; objects may follow at once. */
  accept(options: AcceptOptions, handler: PublicationHandler): Publication {
    if (this.answered) throw new Error('this SUBSCRIBE is already answered')
    this.answered = true
    this.stream.send({
      type: 'SUBSCRIBE_OK',
      trackAlias: options.trackAlias,
      parameters: {
        ...(options.expires !== undefined && { expires: options.expires }),
        ...(options.largest && { largestObject: options.largest }),
      },
      properties: options.properties ?? [],
    })
    const publication = new Publication(this.host, this, options, handler)
    publication.serve(this.stream, this.parameters)
    this.host.requestOpened(publication)
    this.host.requestOver(this)
    this.stream.release()
    return publication
  }

  /** @param redirect only with the code REDIRECT (section 10.6.1) */
  reject(
    code: number,
    reason: string,
    retryAfterMs: number | null = null,
    redirect?: Redirect,
  ): void {
    if (this.answered) return
    this.answered = true
    this.host.requestOver(this)
    this.stream.send(requestError({ code, reason, retryAfterMs, redirect }))
    this.stream.finish()
    this.stream.release()
  }

  /** The session ended under it. */
  sessionEnded(): void {
    this.cancelled()
  }

  /** An update waits for the answer: what it changes is not there yet. */
  private onMessage(message: ControlMessage): void {
    if (message.type !== 'REQUEST_UPDATE') {
      throw new ProtocolError(`${message.type} on the stream of a SUBSCRIBE`)
    }
    if (!this.answered) this.stream.hold(message)
  }

  private cancelled(): void {
    if (this.answered) return
    this.answered = true
    this.host.requestOver(this)
    this.onCancelled?.()
  }
}
