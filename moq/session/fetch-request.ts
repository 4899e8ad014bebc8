import { ResetCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { FetchRangeEnd } from '../wire/fetch.ts'
import type { FetchSink } from '../wire/fetch-parser.ts'
import type { Location } from '../wire/location.ts'
import type { ControlMessage, FetchOk, FetchRange, Goaway, RequestError } from '../wire/messages.ts'
import type { MoqObject } from '../wire/object.ts'
import type { GroupOrder, Parameters } from '../wire/parameters.ts'
import type { Property } from '../wire/properties.ts'
import { requestError } from './refusal.ts'
import type { OpenRequest, RequestStream } from './request-stream.ts'
import { SentUpdates, type UpdateResult } from './sent-updates.ts'
import { type TakenProperties, trackRefusal } from './track-refusal.ts'

/** What a FETCH_OK said (draft-18 section 10.13). */
export interface AcceptedFetch {
  /** `end` is the final object of the track. */
  readonly endOfTrack: boolean
  /** The end plus 1, or object 0 for the whole group. */
  readonly end: Location
  readonly parameters: Parameters
  readonly properties: readonly Property[]
}

/** FETCH_OK and the objects come in any order; after `onRejected`, `onEnd` or `onReset` nothing does. */
export interface FetchHandler {
  onAccepted?(accepted: AcceptedFetch): void
  /** REQUEST_ERROR, or a FETCH_OK that we cannot go by; objects may have come before. */
  onRejected?(error: RequestError): void
  /** Its body has the form of a fetch stream: see `subgroupBodyOf`. */
  onObject(object: MoqObject): void
  onRangeEnd?(end: FetchRangeEnd): void
  /** Every object was delivered, and FETCH_OK came. */
  onEnd?(): void
  /** The stream was reset, or the request or the session ended, before every object came. */
  onReset?(code: number): void
  /** The publisher asks to fetch elsewhere (section 10.4). */
  onGoaway?(goaway: Goaway): void
}

/** The data stream of a fetch, as the fetch sees it. */
export interface FetchStream {
  /** STOP_SENDING; no callback follows. */
  stop(code: number): void
  /** Takes no more of the peer's bytes, or takes them again: flow control makes it wait. */
  setPaused(paused: boolean): void
}

/** What a fetch of ours needs of its session. */
export interface FetchHost {
  readonly subscriptions: TakenProperties
  nextRequestId(): number
  /** @param streamed whether its data stream came */
  fetchOver(fetch: FetchRequest, streamed: boolean): void
}

/** A FETCH of ours (draft-18 sections 5.2 and 10.12). */
export class FetchRequest implements OpenRequest, FetchSink {
  readonly requestId: number
  readonly range: FetchRange
  /** Of the groups on the stream (section 10.2.8). */
  readonly groupOrder: GroupOrder
  private readonly handler: FetchHandler
  private readonly host: FetchHost
  private stream: RequestStream | null = null
  private data: FetchStream | null = null
  private accepted = false
  private delivered = false
  private ended = false
  private held = false
  private readonly updates: SentUpdates

  constructor(
    host: FetchHost,
    requestId: number,
    range: FetchRange,
    groupOrder: GroupOrder,
    handler: FetchHandler,
  ) {
    this.host = host
    this.requestId = requestId
    this.range = range
    this.groupOrder = groupOrder
    this.handler = handler
    this.updates = new SentUpdates(() => host.nextRequestId())
  }

  /** Nothing more comes. */
  get over(): boolean {
    return this.ended
  }

  /** The session found stream credit for the request. */
  start(stream: RequestStream, parameters: Parameters): void {
    this.stream = stream
    stream.handler = {
      onMessage: (message) => this.onMessage(message),
      onEnd: () => this.requestEnded(),
      onCancelled: (code) => this.abandon(code),
      onGoaway: (goaway) => this.handler.onGoaway?.(goaway),
    }
    const { requestId, range } = this
    stream.send({ type: 'FETCH', requestId, range, parameters })
  }

  /** REQUEST_UPDATE (section 10.9): only what is given changes. A refused one ends the fetch. */
  update(parameters: Parameters, onResult?: UpdateResult): void {
    if (!this.ended && this.stream) this.updates.send(this.stream, parameters, onResult)
  }

  /**
   * Asks the publisher to wait, by flow control, until `resume`: for an owner that cannot take more.
   * What is under way already still comes.
   */
  pause(): void {
    this.hold(true)
  }

  resume(): void {
    this.hold(false)
  }

  /** Gives the fetch up; nothing is called any more. */
  cancel(): void {
    if (this.ended) return
    this.close()
    this.stream?.cancel(ResetCode.CANCELLED)
    this.data?.stop(ResetCode.CANCELLED)
  }

  /** The session ended under it. */
  sessionEnded(): void {
    this.abandon(ResetCode.SESSION_CLOSED)
  }

  // ---- its data stream

  /** @throws ProtocolError for a second stream, and for one that comes before the FETCH was sent */
  streamOpened(data: FetchStream): void {
    if (!this.stream) throw new ProtocolError('fetch stream for no FETCH of ours')
    if (this.data) throw new ProtocolError(`second stream for FETCH ${this.requestId}`)
    this.data = data
    if (this.held) data.setPaused(true)
  }

  onObject(object: MoqObject): void {
    if (!this.ended) this.handler.onObject(object)
  }

  onRangeEnd(end: FetchRangeEnd): void {
    if (!this.ended) this.handler.onRangeEnd?.(end)
  }

  /** FIN. */
  streamEnded(): void {
    if (this.ended) return
    this.delivered = true
    if (this.accepted) this.finish()
  }

  streamReset(code: number): void {
    this.abandon(code)
  }

  // ---- its request stream

  private onMessage(message: ControlMessage): void {
    // What was under way when it ended.
    if (this.ended) return
    switch (message.type) {
      case 'FETCH_OK':
        this.accept(message)
        return
      case 'REQUEST_OK':
        if (!this.accepted) throw new ProtocolError('REQUEST_OK answers no FETCH')
        this.updates.granted(message)
        return
      case 'REQUEST_ERROR':
        if (!this.accepted) {
          this.reject(message)
          return
        }
        this.updates.refused(message)
        // The publisher resets the data stream after an update that failed (section 10.9.1).
        this.abandon(ResetCode.CANCELLED)
        return
      default:
        throw new ProtocolError(`${message.type} on the stream of a FETCH`)
    }
  }

  private accept(message: FetchOk): void {
    if (this.accepted) throw new ProtocolError('second answer to a FETCH')
    if (endsBeforeStart(this.range, message.end)) {
      throw new ProtocolError('FETCH_OK ends before the start of its FETCH')
    }
    const refusal = trackRefusal(message.properties, this.host.subscriptions)
    if (refusal) {
      this.refuse(requestError(refusal))
      return
    }
    this.accepted = true
    const { endOfTrack, end, parameters, properties } = message
    this.handler.onAccepted?.({ endOfTrack, end, parameters, properties })
    if (this.delivered && !this.ended) this.finish()
  }

  /** Cancels it, and tells the owner as if the publisher had refused. */
  private refuse(error: RequestError): void {
    this.cancel()
    this.handler.onRejected?.(error)
  }

  private reject(error: RequestError): void {
    this.close()
    this.stream?.finish()
    this.data?.stop(ResetCode.CANCELLED)
    this.handler.onRejected?.(error)
  }

  /** The publisher will send no more on the request stream; the data may still be on its way. */
  private requestEnded(): void {
    if (!this.accepted) this.abandon(ResetCode.INTERNAL_ERROR)
  }

  private hold(held: boolean): void {
    if (this.ended || this.held === held) return
    this.held = held
    this.data?.setPaused(held)
  }

  private finish(): void {
    this.close()
    this.stream?.finish()
    this.handler.onEnd?.()
  }

  private abandon(code: number): void {
    if (this.ended) return
    this.close()
    this.stream?.cancel(ResetCode.CANCELLED)
    this.data?.stop(ResetCode.CANCELLED)
    this.handler.onReset?.(code)
  }

  private close(): void {
    this.ended = true
    this.updates.clear()
    this.host.fetchOver(this, this.data !== null)
  }
}

/** The end is one more than the last object, or object 0 for a whole group. */
function endsBeforeStart(range: FetchRange, end: Location): boolean {
  if (range.kind === 'absolute-joining') return end.group < range.joiningStart
  if (range.kind !== 'standalone') return false
  const { start } = range
  if (end.group !== start.group) return end.group < start.group
  return end.object !== 0 && end.object < start.object
}
