import { ProtocolError } from '../wire/errors.ts'
import type { Location } from '../wire/location.ts'
import type { ControlMessage, Goaway, Publish } from '../wire/messages.ts'
import type { FullTrackName } from '../wire/names.ts'
import type { AuthorizationToken, Parameters } from '../wire/parameters.ts'
import type { Property } from '../wire/properties.ts'
import type { Clock } from './clock.ts'
import type { Publication } from './publication.ts'
import type { AcceptOptions } from './publication-handler.ts'
import { requestError } from './refusal.ts'
import type { OpenRequest, RequestStream } from './request-stream.ts'
import type { Subscription } from './subscription.ts'
import type { SubscriptionHandler } from './subscription-handler.ts'

/** What a PUBLISH of ours says (draft-18 section 10.10). */
export interface PublishOptions extends AcceptOptions {
  /** The initial Forward State; false: nothing is sent until the subscriber wants it. Default true. */
  readonly forward?: boolean
  /**
   * What the subscriber's SUBSCRIBE_TRACKS asked of the subscriptions that come of it, which holds
   * until PUBLISH_OK says otherwise (draft-19 section 10.19.1). Draft-18 has only the Forward State.
   */
  readonly terms?: Parameters
  readonly authorizationTokens?: readonly AuthorizationToken[]
}

/** Sends PUBLISH for a publication, with the Largest Object as it is now. */
export function offer(
  publication: Publication,
  stream: RequestStream,
  options: PublishOptions,
): void {
  const { largest, track, requestId, trackAlias } = publication
  const { expires, authorizationTokens, terms } = options
  publication.offer(stream, largest)
  stream.send({
    type: 'PUBLISH',
    requestId,
    track,
    trackAlias,
    parameters: {
      ...(authorizationTokens && { authorizationTokens }),
      ...(expires !== undefined && { expires }),
      ...(largest && { largestObject: largest }),
      ...(!publication.forward && { forward: false }),
      ...(stream.rules.termsForTracks && terms?.groupOrder && { groupOrder: terms.groupOrder }),
    },
    properties: options.properties ?? [],
  })
}

/** What a PUBLISH of the peer's needs of its session. */
export interface IncomingPublishHost {
  readonly clock: Clock
  /** Accepted: makes the subscription that goes on from it, before PUBLISH_OK is sent. */
  publishAccepted(
    publish: IncomingPublish,
    stream: RequestStream,
    parameters: Parameters,
    handler: SubscriptionHandler,
  ): Subscription
  /** Rejected or withdrawn: nothing under its alias is taken. */
  publishOver(publish: IncomingPublish): void
}

/**
 * A PUBLISH of the peer's (draft-18 section 10.10), to be answered once with `accept` or `reject`. Its
 * objects may come before; they are kept for a moment (section 11.1).
 */
export class IncomingPublish implements OpenRequest {
  readonly track: FullTrackName
  readonly trackAlias: number
  readonly parameters: Parameters
  readonly properties: readonly Property[]
  readonly requestId: number
  /** The publisher gave it up before an answer; set by an owner that answers later. */
  onCancelled: (() => void) | null = null
  /** The publisher asks to be answered elsewhere (section 10.4); set by the owner. */
  onGoaway: ((goaway: Goaway) => void) | null = null
  private readonly stream: RequestStream
  private readonly host: IncomingPublishHost
  private answered = false

  constructor(message: Publish, stream: RequestStream, host: IncomingPublishHost) {
    this.track = message.track
    this.trackAlias = message.trackAlias
    this.parameters = message.parameters
    this.properties = message.properties
    this.requestId = message.requestId
    this.stream = stream
    this.host = host
    stream.handler = {
      onMessage: (next) => this.onMessage(next),
      onEnd: () => this.cancelled(),
      onCancelled: () => this.cancelled(),
      onGoaway: (goaway) => this.onGoaway?.(goaway),
    }
  }

  /** Null: nothing was published yet. */
  get largest(): Location | null {
    return this.parameters.largestObject ?? null
  }

  /** Whether the publisher sends objects without being asked again. */
  get forward(): boolean {
    return this.parameters.forward ?? true
  }

  /** Whether it was answered or given up. */
  get over(): boolean {
    return this.answered
  }

  /**
   * PUBLISH_OK. What came early is delivered from here on, but not within this call, and `onAccepted`
   * is not called. A SUBSCRIBE of ours for the same track that has no answer ends first, rejected with
   * DUPLICATE_SUBSCRIPTION (section 5.1).
   * @param parameters what the subscription is to be; FORWARD is 1 unless given
   */
  accept(parameters: Parameters, handler: SubscriptionHandler): Subscription {
    if (this.answered) throw new Error('this PUBLISH is already answered')
    this.answered = true
    const subscription = this.host.publishAccepted(this, this.stream, parameters, handler)
    this.stream.send({ type: 'REQUEST_OK', parameters, properties: [] })
    this.stream.release()
    return subscription
  }

  /** REQUEST_ERROR; what came of the track already is turned away. */
  reject(code: number, reason: string, retryAfterMs: number | null = null): void {
    if (this.answered) return
    this.answered = true
    this.stream.send(requestError({ code, reason, retryAfterMs }))
    this.stream.finish()
    this.stream.release()
    this.host.publishOver(this)
  }

  /**
   * Asks the publisher to publish elsewhere (section 10.4); `reject` is to follow, since a redirect is no
   * answer to a PUBLISH (section 10.6).
   */
  goaway(uri: string, timeoutMs: number): void {
    this.stream.goaway(uri, timeoutMs, this.host.clock)
  }

  /** The session ended under it. */
  sessionEnded(): void {
    this.cancelled()
  }

  private onMessage(message: ControlMessage): void {
    if (message.type === 'PUBLISH_DONE') this.cancelled()
    else if (message.type !== 'REQUEST_UPDATE') {
      throw new ProtocolError(`${message.type} on the stream of a PUBLISH`)
    } else if (!this.answered) this.stream.hold(message)
  }

  private cancelled(): void {
    if (this.answered) return
    this.answered = true
    this.stream.finish()
    this.host.publishOver(this)
    this.onCancelled?.()
  }
}
