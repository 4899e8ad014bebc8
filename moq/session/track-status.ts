import { ResetCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { Location } from '../wire/location.ts'
import type { Redirect, RequestError, RequestOk, TrackStatus } from '../wire/messages.ts'
import type { FullTrackName } from '../wire/names.ts'
import type { Parameters } from '../wire/parameters.ts'
import type { Property } from '../wire/properties.ts'
import { requestError } from './refusal.ts'
import { checkOk } from './request-rules.ts'
import type { OnOver, RequestStream } from './request-stream.ts'
import { type TakenProperties, trackRefusal } from './track-refusal.ts'

/** What a TRACK_STATUS_OK tells: what a SUBSCRIBE_OK would have told (draft-18 section 10.14). */
export interface TrackState {
  /** Null: nothing was published yet. */
  readonly largest: Location | null
  readonly properties: readonly Property[]
}

/** The answer to a TRACK_STATUS of ours. */
export interface TrackStatusHandler {
  onStatus(state: TrackState): void
  /**
   * REQUEST_ERROR, also for an answer with properties that we cannot take; or null when the request
   * ended without an answer.
   */
  onRejected(error: RequestError | null): void
}

/** A TRACK_STATUS of ours: one question, one answer. */
export class TrackStatusRequest {
  private readonly handler: TrackStatusHandler
  private readonly session: TakenProperties
  private readonly onOver: OnOver
  private stream: RequestStream | null = null
  private over = false

  constructor(handler: TrackStatusHandler, session: TakenProperties, onOver: OnOver) {
    this.handler = handler
    this.session = session
    this.onOver = onOver
  }

  start(
    stream: RequestStream,
    requestId: number,
    track: FullTrackName,
    parameters: Parameters,
  ): void {
    this.stream = stream
    stream.handler = {
      onMessage: (message) => {
        if (message.type === 'REQUEST_OK') {
          this.answer(message)
        } else if (message.type === 'REQUEST_ERROR') {
          this.end(() => this.handler.onRejected(message))
        } else {
          throw new ProtocolError(`${message.type} on the stream of a TRACK_STATUS`)
        }
      },
      onEnd: () => this.end(() => this.handler.onRejected(null)),
      onCancelled: () => this.end(() => this.handler.onRejected(null)),
    }
    stream.send({ type: 'TRACK_STATUS', requestId, track, parameters })
    // It is the first and only message of ours on the stream.
    stream.finish()
  }

  /** The answer is of no interest any more; nothing is called. */
  cancel(): void {
    if (this.over) return
    this.end(() => {})
    this.stream?.cancel(ResetCode.CANCELLED)
  }

  sessionEnded(): void {
    this.end(() => this.handler.onRejected(null))
  }

  private answer(message: RequestOk): void {
    checkOk(message, 'TRACK_STATUS_OK')
    const { parameters, properties } = message
    const refusal = trackRefusal(properties, this.session)
    this.end(() => {
      if (refusal) this.handler.onRejected(requestError(refusal))
      else this.handler.onStatus({ largest: parameters.largestObject ?? null, properties })
    })
  }

  private end(tell: () => void): void {
    if (this.over) return
    this.over = true
    this.onOver(this)
    tell()
  }
}

/** The peer's TRACK_STATUS, to be answered once. */
export class IncomingTrackStatus {
  readonly track: FullTrackName
  readonly parameters: Parameters
  /** The peer cancelled before an answer; set by an owner that answers later. */
  onCancelled: (() => void) | null = null
  private readonly stream: RequestStream
  private readonly onOver: OnOver
  private over = false

  constructor(message: TrackStatus, stream: RequestStream, onOver: OnOver) {
    this.track = message.track
    this.parameters = message.parameters
    this.stream = stream
    this.onOver = onOver
    stream.handler = {
      onMessage: ({ type }) => {
        throw new ProtocolError(`${type} behind a TRACK_STATUS`)
      },
      onEnd: () => {},
      onCancelled: () => this.cancelled(),
    }
  }

  accept({ largest, properties }: TrackState): void {
    if (this.over) return
    this.close()
    const parameters = largest ? { largestObject: largest } : {}
    this.stream.send({ type: 'REQUEST_OK', parameters, properties })
    this.stream.finish()
  }

  /** @param redirect only with the code REDIRECT (section 10.6.1) */
  reject(
    code: number,
    reason: string,
    retryAfterMs: number | null = null,
    redirect?: Redirect,
  ): void {
    if (this.over) return
    this.close()
    this.stream.send(requestError({ code, reason, retryAfterMs, redirect }))
    this.stream.finish()
  }

  sessionEnded(): void {
    this.cancelled()
  }

  private cancelled(): void {
    if (this.over) return
    this.close()
    this.onCancelled?.()
  }

  private close(): void {
    this.over = true
    this.onOver(this)
  }
}
