import { ResetCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { Location } from '../wire/location.ts'
import type {
  ControlMessage,
  Fetch,
  FetchRange,
  Redirect,
  RequestUpdate,
} from '../wire/messages.ts'
import type { GroupOrder, Parameters } from '../wire/parameters.ts'
import type { Property } from '../wire/properties.ts'
import { FetchWriter, type FetchWriterOwner } from './fetch-writer.ts'
import type { IncomingSubscribe } from './incoming-subscribe.ts'
import type { Publication } from './publication.ts'
import { type RequestRefusal, requestError } from './refusal.ts'
import type { RequestHost } from './request-host.ts'
import type { OpenRequest, RequestStream } from './request-stream.ts'

/** What a FETCH_OK says (draft-18 section 10.13). */
export interface FetchAnswer {
  /** `end` is the final object of the track. */
  readonly endOfTrack: boolean
  /** The end plus 1, or object 0 for the whole group, as in the FETCH. */
  readonly end: Location
  readonly properties: readonly Property[]
}

/** What a FETCH of the peer's needs of its session. */
export interface IncomingFetchHost extends RequestHost {
  /** The peer's subscription with this request id, pending or established. */
  subscription(requestId: number): Publication | IncomingSubscribe | null
}

/**
 * A FETCH of the peer's (draft-18 sections 5.2 and 10.12): answered once, by `accept` or `reject`, and
 * served on one stream, before or after the answer. It is over when it is answered and its stream is
 * closed, or when either side gave it up.
 */
export class IncomingFetch implements OpenRequest, FetchWriterOwner {
  readonly requestId: number
  readonly range: FetchRange
  /** REQUEST_UPDATE (section 10.9); returns why it cannot be granted, else null. Set by the owner. */
  onUpdate: ((parameters: Parameters) => RequestRefusal | null | undefined) | null = null
  /** The peer cancelled it or stopped its stream, or the session ended. Set by the owner. */
  onCancelled: (() => void) | null = null
  private readonly stream: RequestStream
  private readonly host: IncomingFetchHost
  private current: Parameters
  private writer: FetchWriter | null = null
  private answered = false
  private ended = false
  /** Updates that were granted before the FETCH_OK, which has to go first. */
  private owed = 0

  constructor(message: Fetch, stream: RequestStream, host: IncomingFetchHost) {
    this.requestId = message.requestId
    this.range = message.range
    this.current = message.parameters
    this.stream = stream
    this.host = host
    stream.handler = {
      onMessage: (update) => this.onMessage(update),
      // Only says that no update follows.
      onEnd: () => {},
      onCancelled: () => this.cancelled(),
    }
  }

  /** Those of the FETCH, with what updates changed. */
  get parameters(): Parameters {
    return this.current
  }

  /** Ascending unless the FETCH says otherwise (section 10.2.8). */
  get groupOrder(): GroupOrder {
    return this.current.groupOrder ?? 'ascending'
  }

  /** Nothing more can be said or sent. */
  get over(): boolean {
    return this.ended
  }

  /**
   * The subscription that a joining fetch names, as it is now; null when there is none (answer
   * INVALID_JOINING_REQUEST_ID) and for a standalone fetch.
   */
  get joining(): Publication | IncomingSubscribe | null {
    if (this.range.kind === 'standalone') return null
    return this.host.subscription(this.range.joiningRequestId)
  }

  /** FETCH_OK. Objects may be written before and after. */
  accept({ endOfTrack, end, properties }: FetchAnswer): void {
    if (this.answered || this.ended) return
    this.answered = true
    this.stream.send({ type: 'FETCH_OK', endOfTrack, end, parameters: {}, properties })
    for (; this.owed > 0; this.owed--) this.grant()
    if (this.writer?.closed) this.close()
  }

  /**
   * REQUEST_ERROR. A stream that was opened is reset; after `accept` there is only the reset to say.
   * @param redirect only with the code REDIRECT (section 10.6.1)
   */
  reject(
    code: number,
    reason: string,
    retryAfterMs: number | null = null,
    redirect?: Redirect,
  ): void {
    if (this.ended) return
    if (this.answered) {
      this.abort(ResetCode.INTERNAL_ERROR)
    } else {
      this.stream.send(requestError({ code, reason, retryAfterMs, redirect }))
      this.close()
    }
    this.writer?.reset(ResetCode.INTERNAL_ERROR)
  }

  /**
   * Opens the one stream of the response and writes its header.
   * @param order send order, see `TransportSession.openUni`
   * @param defaultPriority 0..255, what an object without a priority of its own has
   * @returns null without stream credit (`SessionHandler.onStreamCredit` follows) and once it is over
   */
  openStream(order: number, defaultPriority: number, groupOrder: GroupOrder): FetchWriter | null {
    if (this.ended) return null
    if (this.writer) throw new Error('a FETCH is answered on one stream')
    const stream = this.host.transport.openUni(order)
    if (!stream) return null
    this.writer = new FetchWriter(stream, groupOrder, defaultPriority, this)
    return this.writer
  }

  /** Asks the peer to fetch elsewhere (section 10.4); after `timeoutMs`, unless 0, it is reset. */
  goaway(uri: string, timeoutMs: number): void {
    this.stream.goaway(uri, timeoutMs, this.host.clock)
  }

  writerStopped(): void {
    this.stream.cancel(ResetCode.CANCELLED)
    this.cancelled()
  }

  writerFinished(): void {
    if (this.answered) this.close()
  }

  /**
   * The reset may overtake the header that names the fetch, so the request is reset too: else the
   * subscriber would wait for ever.
   */
  writerReset(code: number): void {
    if (this.answered && !this.ended) this.abort(code)
  }

  /** The session ended under it. */
  sessionEnded(): void {
    this.cancelled()
  }

  private onMessage(message: ControlMessage): void {
    if (message.type !== 'REQUEST_UPDATE') {
      throw new ProtocolError(`${message.type} on the stream of a FETCH`)
    }
    if (this.ended) return
    this.host.admitUpdate(message, 'FETCH', this.stream, (refusal) => this.update(message, refusal))
  }

  private update({ parameters }: RequestUpdate, unauthorized: RequestRefusal | null): void {
    if (this.ended) return
    const refusal = unauthorized ?? this.change(parameters)
    if (refusal) this.refuseUpdate(refusal)
    else if (this.answered) this.grant()
    else this.owed++
  }

  private change(parameters: Parameters): RequestRefusal | null {
    this.current = { ...this.current, ...parameters }
    return this.onUpdate?.(parameters) ?? null
  }

  private grant(): void {
    this.stream.send({ type: 'REQUEST_OK', parameters: {}, properties: [] })
  }

  /** A fetch does not outlive an update that failed: its stream is reset (section 10.9.1). */
  private refuseUpdate(refusal: RequestRefusal): void {
    if (this.ended) return
    this.stream.send(requestError(refusal))
    this.close()
    this.writer?.reset(ResetCode.CANCELLED)
    this.onCancelled?.()
  }

  private cancelled(): void {
    if (this.ended) return
    this.close()
    this.writer?.reset(ResetCode.CANCELLED)
    this.onCancelled?.()
  }

  private abort(code: number): void {
    this.stream.cancel(code)
    this.close()
  }

  private close(): void {
    if (this.ended) return
    this.ended = true
    this.host.requestOver(this)
    this.stream.finish()
  }
}
