import { DoneCode, RequestCode, ResetCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { Location } from '../wire/location.ts'
import type { ControlMessage, RequestUpdate, SubscribeOk } from '../wire/messages.ts'
import type { FullTrackName } from '../wire/names.ts'
import type { MoqObject } from '../wire/object.ts'
import type { Parameters, SubscriptionFilter } from '../wire/parameters.ts'
import type { Property } from '../wire/properties.ts'
import type { AliasSink } from './alias-sink.ts'
import { type FilterRange, filterRange, isInRange } from './filter.ts'
import { LongestTimeout } from './longest-timeout.ts'
import { type RequestRefusal, requestError } from './refusal.ts'
import type { OpenRequest, RequestStream } from './request-stream.ts'
import { SentUpdates, type UpdateResult } from './sent-updates.ts'
import { StreamTally } from './stream-tally.ts'
import type { IncomingSubgroup, SubscriptionHandler } from './subscription-handler.ts'
import { type TakenProperties, trackRefusal } from './track-refusal.ts'

/** What a subscription needs of its session. */
export interface SubscriptionHost extends TakenProperties {
  nextRequestId(): number
  /** The subscription is no longer pending. */
  subscriptionAnswered(): void
  /** @throws ProtocolError when another track holds the alias */
  registerAlias(alias: number, subscription: Subscription): void
  /** No longer an open request. */
  subscriptionOver(subscription: Subscription): void
  /**
   * PUBLISH_DONE came before its streams (section 10.11).
   * @param ms how long new streams and datagrams are still taken; `expired` is called then
   */
  drain(alias: number, subscription: Subscription, ms: number): void
  /** What comes under the alias from now on is turned away. */
  retireAlias(alias: number, subscription: Subscription): void
  /** See `RequestHost.admitUpdate`. */
  admitUpdate(
    update: RequestUpdate,
    request: 'subscription',
    stream: RequestStream,
    decided: (refusal: RequestRefusal | null) => void,
  ): void
}

type State = 'pending' | 'established' | 'draining' | 'over'

/**
 * A subscription of ours (draft-18 section 5.1), by our SUBSCRIBE or the peer's PUBLISH. States:
 * `pending` → `established` → `draining` (PUBLISH_DONE came, streams may still come) → `over`.
 */
export class Subscription implements OpenRequest, AliasSink {
  readonly requestId: number
  readonly track: FullTrackName
  readonly handler: SubscriptionHandler
  private readonly host: SubscriptionHost
  private readonly updates: SentUpdates
  /** By whose request it is; it decides whose updates there can be. */
  private by: 'SUBSCRIBE' | 'PUBLISH' = 'SUBSCRIBE'
  private stream: RequestStream | null = null
  private state: State = 'pending'
  private alias: number | null = null
  private readonly streams = new StreamTally()
  /** What its location filter passes, as far as the publisher granted it. */
  private range: FilterRange = filterRange(undefined, null)
  private asked: SubscriptionFilter | undefined
  private sharesAlias = false
  private readonly deliveryTimeout = new LongestTimeout()

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
    this.updates = new SentUpdates(() => host.nextRequestId())
  }

  get pending(): boolean {
    return this.state === 'pending'
  }

  get established(): boolean {
    return this.state === 'established'
  }

  /** The publisher's name for the track; null until it is known. */
  get trackAlias(): number | null {
    return this.alias
  }

  /** The session found stream credit for the SUBSCRIBE. */
  start(stream: RequestStream, parameters: Parameters): void {
    this.deliveryTimeout.note(parameters)
    this.asked = parameters.filter
    this.attach(stream)
    stream.send({ type: 'SUBSCRIBE', requestId: this.requestId, track: this.track, parameters })
  }

  /** Goes on from a PUBLISH of the peer's that was accepted. */
  take(
    stream: RequestStream,
    publish: {
      readonly trackAlias: number
      readonly largest: Location | null
      readonly properties: readonly Property[]
    },
    parameters: Parameters,
  ): void {
    this.by = 'PUBLISH'
    this.alias = publish.trackAlias
    this.state = 'established'
    this.range = filterRange(parameters.filter, publish.largest)
    this.deliveryTimeout.note(parameters)
    this.deliveryTimeout.noteTrack(publish.properties)
    this.attach(stream)
  }

  /**
   * REQUEST_UPDATE (section 10.9); only what is given changes. A refused one ends the subscription:
   * `onResult`, then `onDone` with UPDATE_FAILED. Does nothing unless it is established.
   */
  update(parameters: Parameters, onResult?: UpdateResult): void {
    if (this.state !== 'established' || !this.stream) return
    this.deliveryTimeout.note(parameters)
    this.updates.send(this.stream, parameters, (error, granted) => {
      if (!error && parameters.filter) {
        this.range = filterRange(parameters.filter, granted.largestObject ?? null)
      }
      onResult?.(error, granted)
    })
  }

  /** Cancels the request and every stream of it. No callback follows. */
  unsubscribe(): void {
    if (this.state === 'over') return
    this.leave()
    this.finish()
    this.stream?.cancel(ResetCode.CANCELLED)
    this.streams.stop(ResetCode.CANCELLED)
  }

  /**
   * Ends a SUBSCRIBE that has no answer, because the peer offers the track by PUBLISH and that is
   * accepted (section 5.1).
   */
  supersede(): void {
    this.refuse({
      code: RequestCode.DUPLICATE_SUBSCRIPTION,
      reason: 'the track is taken as the publisher offers it',
      retryAfterMs: null,
    })
  }

  /** The session ended under it. */
  sessionEnded(reason: string): void {
    this.end(DoneCode.INTERNAL_ERROR, reason, null)
    this.drained()
  }

  // ---- its streams and datagrams

  /** Whether its filter passes an object; Infinity: any of the group's from there on. */
  takes(group: number, object: number): boolean {
    return isInRange(this.range, group, object)
  }

  /** Others have its alias too: how many streams come under it says nothing of its own. */
  shareAlias(): void {
    this.sharesAlias = true
  }

  deliver(object: MoqObject, subgroup: IncomingSubgroup | null): void {
    this.handler.onObject(object, subgroup)
  }

  subgroupOpened(subgroup: IncomingSubgroup): void {
    this.streams.opened(subgroup)
    this.handler.onSubgroup?.(subgroup)
  }

  subgroupEnded(subgroup: IncomingSubgroup): void {
    this.streams.ended(subgroup)
    this.handler.onSubgroupEnd?.(subgroup)
    this.drainIfComplete()
  }

  subgroupReset(subgroup: IncomingSubgroup, code: number): void {
    this.streams.ended(subgroup)
    this.handler.onSubgroupReset?.(subgroup, code)
    this.drainIfComplete()
  }

  /** Its owner stopped it. */
  subgroupStopped(subgroup: IncomingSubgroup): void {
    this.streams.ended(subgroup)
    this.drainIfComplete()
  }

  /** The time for late streams is over; those that are open go on to their end. */
  expired(): void {
    this.streams.close()
    this.drainIfComplete()
  }

  // ---- its request stream

  private attach(stream: RequestStream): void {
    this.stream = stream
    stream.handler = {
      onMessage: (message) => this.onMessage(message),
      onEnd: () => this.end(DoneCode.INTERNAL_ERROR, 'the publisher closed the request', null),
      onCancelled: (code) =>
        this.end(DoneCode.INTERNAL_ERROR, `the publisher reset it (${code})`, null),
      onGoaway: (goaway) => this.handler.onGoaway?.(goaway),
    }
  }

  private onMessage(message: ControlMessage): void {
    // What was under way when it ended.
    if (this.state === 'draining' || this.state === 'over') return
    switch (message.type) {
      case 'SUBSCRIBE_OK':
        if (this.state !== 'pending') throw new ProtocolError('second answer to a SUBSCRIBE')
        this.accept(message)
        return
      case 'REQUEST_ERROR':
        if (this.state === 'pending') this.refuse(message, message)
        // Of an update: then PUBLISH_DONE follows (section 10.9.1).
        else this.updates.refused(message)
        return
      case 'REQUEST_OK':
        if (this.state !== 'established') throw new ProtocolError('REQUEST_OK answers no SUBSCRIBE')
        this.updates.granted(message)
        return
      case 'PUBLISH_DONE':
        this.end(message.status, message.reason, message.streamCount)
        return
      case 'REQUEST_UPDATE':
        if (this.by === 'PUBLISH') {
          this.onUpdate(message)
          return
        }
    }
    throw new ProtocolError(`${message.type} on the stream of a ${this.by}`)
  }

  private accept(message: SubscribeOk): void {
    const refusal = trackRefusal(message.properties, this.host)
    if (refusal) {
      // It is cancelled (section 2.5.1), and what was sent of it already is turned away.
      this.alias = message.trackAlias
      this.stream?.cancel(ResetCode.CANCELLED)
      this.refuse(refusal)
      return
    }
    this.alias = message.trackAlias
    this.state = 'established'
    this.range = filterRange(this.asked, message.parameters.largestObject ?? null)
    this.deliveryTimeout.noteTrack(message.properties)
    this.host.subscriptionAnswered()
    this.handler.onAccepted?.({
      trackAlias: message.trackAlias,
      largest: message.parameters.largestObject ?? null,
      parameters: message.parameters,
      properties: message.properties,
    })
    // After the owner knows: objects that came early are delivered from here.
    if (this.established) this.host.registerAlias(message.trackAlias, this)
  }

  /** Of the publisher's, for its PUBLISH: new tokens at most. What it promises changes nothing here. */
  private onUpdate(update: RequestUpdate): void {
    const stream = this.stream!
    this.host.admitUpdate(update, 'subscription', stream, (refusal) => {
      if (this.state !== 'established') return
      if (!refusal) {
        stream.send({ type: 'REQUEST_OK', parameters: {}, properties: [] })
        return
      }
      stream.send(requestError(refusal))
      this.end(DoneCode.UPDATE_FAILED, refusal.reason, null)
      this.streams.stop(ResetCode.CANCELLED)
      this.expired()
    })
  }

  private refuse(refusal: RequestRefusal, error = requestError(refusal)): void {
    if (this.state !== 'pending') return
    this.leave()
    this.finish()
    this.stream?.finish()
    this.handler.onRejected?.(error)
  }

  private end(status: number, reason: string, streamCount: number | null): void {
    if (this.state === 'pending') {
      this.refuse({ code: RequestCode.INTERNAL_ERROR, reason, retryAfterMs: null })
      return
    }
    if (this.state !== 'established') return
    this.leave()
    this.state = 'draining'
    this.streams.expect(this.sharesAlias ? null : streamCount)
    this.stream?.finish()
    this.handler.onDone?.({ status, reason })
    if (this.isDraining()) this.host.drain(this.alias!, this, this.deliveryTimeout.ms)
    this.drainIfComplete()
  }

  /** The owner may have ended it when it was told. */
  private isDraining(): boolean {
    return this.state === 'draining'
  }

  /** It is no open request any more. */
  private leave(): void {
    if (this.state === 'pending') this.host.subscriptionAnswered()
    if (this.state === 'pending' || this.state === 'established') this.host.subscriptionOver(this)
    this.updates.clear()
  }

  private finish(): void {
    this.state = 'over'
    if (this.alias !== null) this.host.retireAlias(this.alias, this)
  }

  private drainIfComplete(): void {
    if (this.streams.complete) this.drained()
  }

  private drained(): void {
    if (!this.isDraining()) return
    this.finish()
    this.handler.onDrained?.()
  }
}
