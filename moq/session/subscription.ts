import { DoneCode, RequestCode, ResetCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { ControlMessage, RequestError } from '../wire/messages.ts'
import type { FullTrackName } from '../wire/names.ts'
import type { MoqObject } from '../wire/object.ts'
import type { Parameters } from '../wire/parameters.ts'
import type { IncomingSubgroup, SubscriptionHandler } from './handler.ts'
import type { RequestStream } from './request-stream.ts'

/** What a subscription needs of its session. */
export interface SubscriptionHost {
  nextRequestId(): number
  /** The subscription is no longer pending. */
  subscriptionAnswered(): void
  /** @throws ProtocolError when another track holds the alias */
  registerAlias(alias: number, subscription: Subscription): void
  /**
   * The subscription is over.
   * @param alias null when it never had one
   * @param late whether streams and datagrams that are still on their way are delivered for a moment
   * (after PUBLISH_DONE, section 10.11) or turned away
   */
  subscriptionOver(subscription: Subscription, alias: number | null, late: boolean): void
}

/**
 * A subscription of ours (draft-18 section 5.1), from SUBSCRIBE to its end. States:
 * `pending` → `established` → `over`.
 */
export class Subscription {
  readonly requestId: number
  readonly track: FullTrackName
  readonly handler: SubscriptionHandler
  private readonly host: SubscriptionHost
  private stream: RequestStream | null = null
  private state: 'pending' | 'established' | 'over' = 'pending'
  private alias: number | null = null
  private readonly open = new Set<IncomingSubgroup>()

  constructor(
    host: SubscriptionHost,
    requestId: number,
    track: FullTrackName,
    handler: SubscriptionHandler,
  ) {
    this.host = host
    this.requestId = requestId
    this.track = track
    this.handler = handler
  }

  get established(): boolean {
    return this.state === 'established'
  }

  /** The session found stream credit for the request. */
  start(stream: RequestStream, parameters: Parameters): void {
    if (this.state === 'over') {
      stream.cancel(ResetCode.CANCELLED)
      return
    }
    this.stream = stream
    stream.handler = {
      onMessage: (message) => this.onMessage(message),
      onEnd: () => this.end(DoneCode.INTERNAL_ERROR, 'the publisher closed the request'),
      onCancelled: (code) => this.end(DoneCode.INTERNAL_ERROR, `the publisher reset it (${code})`),
    }
    stream.send({ type: 'SUBSCRIBE', requestId: this.requestId, track: this.track, parameters })
  }

  /** REQUEST_UPDATE (section 10.9); only what is given changes. */
  update(parameters: Parameters): void {
    if (this.state !== 'established') return
    this.stream?.send({ type: 'REQUEST_UPDATE', requestId: this.host.nextRequestId(), parameters })
  }

  /** Cancels the request and every stream of it. No callback follows. */
  unsubscribe(): void {
    if (this.state === 'over') return
    this.release(false)
    this.stream?.cancel(ResetCode.CANCELLED)
    for (const subgroup of this.open) subgroup.stop(ResetCode.CANCELLED)
    this.open.clear()
  }

  /** The session ended under it. */
  sessionEnded(reason: string): void {
    this.end(DoneCode.INTERNAL_ERROR, reason)
  }

  deliver(object: MoqObject, subgroup: IncomingSubgroup | null): void {
    this.handler.onObject(object, subgroup)
  }

  subgroupOpened(subgroup: IncomingSubgroup): void {
    this.open.add(subgroup)
    this.handler.onSubgroup?.(subgroup)
  }

  subgroupEnded(subgroup: IncomingSubgroup): void {
    this.open.delete(subgroup)
    this.handler.onSubgroupEnd?.(subgroup)
  }

  subgroupReset(subgroup: IncomingSubgroup, code: number): void {
    this.open.delete(subgroup)
    this.handler.onSubgroupReset?.(subgroup, code)
  }

  private onMessage(message: ControlMessage): void {
    switch (message.type) {
      case 'SUBSCRIBE_OK':
        if (this.state !== 'pending') throw new ProtocolError('second answer to a SUBSCRIBE')
        this.alias = message.trackAlias
        this.state = 'established'
        this.host.subscriptionAnswered()
        this.handler.onAccepted?.({
          trackAlias: message.trackAlias,
          largest: message.parameters.largestObject ?? null,
          parameters: message.parameters,
          properties: message.properties,
        })
        // After the owner knows: objects that came early are delivered from here.
        if (this.state === 'established') this.host.registerAlias(message.trackAlias, this)
        return
      case 'REQUEST_ERROR':
        // Of the SUBSCRIBE, or of an update: then PUBLISH_DONE follows (section 10.9.1).
        if (this.state === 'pending') this.reject(message)
        return
      case 'REQUEST_OK':
        if (this.state !== 'established') throw new ProtocolError('REQUEST_OK answers no SUBSCRIBE')
        return
      case 'PUBLISH_DONE':
        this.end(message.status, message.reason)
        return
      case 'GOAWAY':
        return
      default:
        throw new ProtocolError(`${message.type} on the stream of a SUBSCRIBE`)
    }
  }

  private reject(error: RequestError): void {
    this.release(false)
    this.stream?.finish()
    this.handler.onRejected?.(error)
  }

  private end(status: number, reason: string): void {
    if (this.state === 'over') return
    const pending = this.state === 'pending'
    this.release(true)
    this.stream?.finish()
    if (!pending) this.handler.onDone?.({ status, reason })
    else {
      this.handler.onRejected?.({
        type: 'REQUEST_ERROR',
        code: RequestCode.INTERNAL_ERROR,
        retryAfterMs: null,
        reason,
      })
    }
  }

  private release(late: boolean): void {
    if (this.state === 'pending') this.host.subscriptionAnswered()
    this.state = 'over'
    this.host.subscriptionOver(this, this.alias, late)
  }
}
