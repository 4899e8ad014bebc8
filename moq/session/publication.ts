import { DoneCode, RequestCode, ResetCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { Location } from '../wire/location.ts'
import type { ControlMessage, RequestError, RequestUpdate } from '../wire/messages.ts'
import type { FullTrackName } from '../wire/names.ts'
import type { Parameters } from '../wire/parameters.ts'
import { encodeSubgroupHeader, type SubgroupHeader } from '../wire/subgroup.ts'
import { DeliveryTerms } from './delivery-terms.ts'
import { isInRange, isPublished } from './filter.ts'
import { OpenWriters } from './open-writers.ts'
import type { AcceptOptions, PublishHandler } from './publication-handler.ts'
import { rangeFilterRefusal } from './range-filter-rules.ts'
import { type RequestRefusal, requestError } from './refusal.ts'
import type { RequestHost } from './request-host.ts'
import { checkOk } from './request-rules.ts'
import type { OpenRequest, RequestStream } from './request-stream.ts'
import { SentUpdates, type UpdateResult } from './sent-updates.ts'
import { StoppedSubgroups } from './stopped-subgroups.ts'
import { SubgroupWriter } from './subgroup-writer.ts'

type State = 'waiting' | 'pending' | 'established' | 'over'

/**
 * A subscription that we serve (draft-18 section 5.1), asked for by the peer's SUBSCRIBE or offered by
 * our PUBLISH. The owner asks `passes`, then writes subgroups and datagrams. States: `waiting` (a
 * PUBLISH without stream credit yet) → `pending` (PUBLISH sent) → `established` → `over`.
 */
export class Publication extends DeliveryTerms implements OpenRequest {
  readonly track: FullTrackName
  readonly requestId: number
  readonly trackAlias: number
  readonly handler: PublishHandler
  /** Where a joining fetch ends (section 5.1); null when nothing was published then. */
  joiningLocation: Location | null
  private readonly host: RequestHost
  private readonly published: Location | null
  private readonly updates: SentUpdates
  private readonly writers = new OpenWriters()
  private readonly stopped = new StoppedSubgroups()
  private stream: RequestStream | null = null
  private state: State = 'waiting'
  private streamsOpened = 0
  /** By a PUBLISH of ours. */
  private ours = true

  constructor(
    host: RequestHost,
    request: { readonly track: FullTrackName; readonly requestId: number },
    options: AcceptOptions,
    handler: PublishHandler,
  ) {
    super()
    this.host = host
    this.track = request.track
    this.requestId = request.requestId
    this.trackAlias = options.trackAlias
    this.published = options.largest
    this.joiningLocation = options.largest
    this.handler = handler
    this.updates = new SentUpdates(() => host.nextRequestId())
  }

  get closed(): boolean {
    return this.state === 'over'
  }

  get established(): boolean {
    return this.state === 'established'
  }

  /**
   * Whether the request is on its way. A PUBLISH is not while there is no stream credit: where the
   * subscriber asked for tracks, it is to be told with `IncomingTracksSubscription.blocked` (section
   * 6.1), after `done`.
   */
  get sent(): boolean {
    return this.stream !== null
  }

  /** The Largest Object, as far as the publication knows. */
  get largest(): Location | null {
    return this.handler.largest ? this.handler.largest() : this.published
  }

  /** Takes over the stream of a SUBSCRIBE that was accepted. */
  serve(stream: RequestStream, parameters: Parameters): void {
    this.ours = false
    this.state = 'established'
    this.apply(parameters, this.published)
    this.attach(stream)
  }

  /** What holds until PUBLISH_OK says otherwise. */
  propose(terms: Parameters, forward: boolean): void {
    this.apply({ ...terms, forward }, this.published)
  }

  /** Takes the stream that PUBLISH was sent on; `largest` is what it said. */
  offer(stream: RequestStream, largest: Location | null): void {
    this.state = 'pending'
    this.joiningLocation = largest
    this.attach(stream)
  }

  /** Whether an object passes the filter and the Forward State (sections 5.1 and 5.1.2). */
  passes(group: number, object: number): boolean {
    return this.forward && this.stream !== null && isInRange(this, group, object)
  }

  /**
   * Whether the subscriber stopped a stream of this subgroup: no new one should be opened (section
   * 11.4.3). Forgotten when it sets the Forward State from 0 to 1.
   */
  isStopped(group: number, subgroup: number): boolean {
    return this.stopped.has(group, subgroup)
  }

  /**
   * Opens the stream of a subgroup.
   * @param header under this publication's track alias
   * @param order send order, see `TransportSession.openUni`
   * @param encoded the header's bytes, where the caller has them for many subscribers
   * @returns null while there is no stream credit; `SessionHandler.onStreamCredit` follows
   */
  openSubgroup(
    header: SubgroupHeader,
    order: number,
    encoded: Uint8Array = encodeSubgroupHeader(header),
  ): SubgroupWriter | null {
    if (this.state === 'over' || this.stream === null) return null
    const stream = this.host.transport.openUni(order)
    if (!stream) return null
    this.streamsOpened++
    return new SubgroupWriter(stream, header, encoded, this)
  }

  /** @param datagram with this publication's alias; returns whether the transport took it */
  sendDatagram(datagram: Uint8Array): boolean {
    return this.state !== 'over' && this.host.transport.sendDatagram(datagram)
  }

  /**
   * REQUEST_UPDATE for our PUBLISH, which may bring authorization tokens (section 10.9). A refused one
   * ends the publication. Does nothing before PUBLISH was sent and after the end.
   * @throws Error for the peer's SUBSCRIBE, which only the peer updates
   */
  update(parameters: Parameters, onResult?: UpdateResult): void {
    if (!this.ours) throw new Error('a SUBSCRIBE is updated by its sender')
    if (this.state === 'over' || !this.stream) return
    this.updates.send(this.stream, parameters, onResult)
  }

  /** PUBLISH_DONE (section 10.11). Open subgroups are reset first, as the draft demands. */
  done(status: number, reason: string): void {
    this.end(status, reason, ResetCode.CANCELLED)
  }

  /** The right that it was served by has ended: what is under way is taken back too. */
  expire(): void {
    this.end(DoneCode.EXPIRED, 'the subscription expired', ResetCode.EXPIRED_AUTH_TOKEN)
  }

  /** Asks the subscriber to go elsewhere (section 10.4); after `timeoutMs`, unless 0, it is reset. */
  goaway(uri: string, timeoutMs: number): void {
    this.stream?.goaway(uri, timeoutMs, this.host.clock)
  }

  /** The session ended under it. */
  sessionEnded(reason: string): void {
    this.cancelled(reason)
  }

  // ---- for its writers

  writerOpened(writer: SubgroupWriter): void {
    this.writers.add(writer)
  }

  writerClosed(writer: SubgroupWriter): void {
    this.writers.delete(writer)
  }

  /** @param subgroup null when the writer wrote nothing that would name it */
  writerStopped(group: number, subgroup: number | null, code: number): void {
    if (subgroup !== null) this.stopped.add(group, subgroup)
    this.handler.onSubgroupStopped?.(code)
  }

  // ---- its request stream

  private attach(stream: RequestStream): void {
    this.stream = stream
    stream.handler = {
      onMessage: (message) => this.onMessage(message),
      // Only says that no update follows.
      onEnd: () => {
        if (this.state === 'pending') this.cancelled('the subscriber closed the request')
      },
      onCancelled: (code) => this.cancelled(`the subscriber reset it (${code})`),
      onGoaway: (goaway) => this.handler.onGoaway?.(goaway),
    }
  }

  private onMessage(message: ControlMessage): void {
    // What was under way when it ended.
    if (this.state === 'over') return
    if (message.type === 'REQUEST_OK') {
      if (this.state === 'established') {
        this.updates.granted(message)
        return
      }
      checkOk(message, 'PUBLISH_OK')
      const refusal = rangeFilterRefusal(message.parameters)
      if (refusal) {
        this.done(DoneCode.UPDATE_FAILED, refusal.reason)
        this.handler.onRejected?.(requestError(refusal))
        return
      }
      this.state = 'established'
      // Absent from a PUBLISH_OK they have their defaults (section 10.2).
      this.apply({ forward: true, ...message.parameters }, this.largest)
      this.handler.onAccepted?.(message.parameters)
    } else if (message.type === 'REQUEST_ERROR') {
      if (this.state === 'pending') this.rejected(message)
      else this.updateRefused(message)
    } else if (message.type === 'REQUEST_UPDATE' && this.state === 'established') {
      this.onUpdate(message)
    } else {
      throw new ProtocolError(`${message.type} on the stream of a subscription`)
    }
  }

  private onUpdate(update: RequestUpdate): void {
    const stream = this.stream!
    this.host.admitUpdate(update, 'subscription', stream, (refusal) => {
      if (this.state !== 'over') this.decideUpdate(update.parameters, refusal)
    })
  }

  private decideUpdate(parameters: Parameters, refusal: RequestRefusal | null): void {
    const { largest } = this
    const forwarded = this.forward
    if (!refusal && isPublished(parameters.filter, largest)) {
      refusal = {
        code: RequestCode.INVALID_RANGE,
        reason: 'every group up to the end group is published already',
        retryAfterMs: null,
      }
    }
    if (!refusal) {
      this.apply(parameters, largest)
      if (this.forward && !forwarded) this.stopped.clear()
      refusal = this.handler.onUpdate?.(parameters) ?? null
      if (this.closed) return
    }
    if (refusal) {
      this.stream?.send(requestError(refusal))
      this.done(DoneCode.UPDATE_FAILED, refusal.reason)
      this.handler.onCancelled?.()
      return
    }
    if (this.forward && !forwarded) this.joiningLocation = largest
    const expires = this.handler.expires?.() ?? null
    this.stream?.send({
      type: 'REQUEST_OK',
      parameters: {
        ...(expires !== null && { expires }),
        ...(largest && { largestObject: largest }),
      },
      properties: [],
    })
  }

  protected override apply(parameters: Parameters, largest: Location | null): void {
    super.apply(parameters, largest)
    if (parameters.filter === undefined) return
    // Streams of groups that are no longer wanted are reset (section 11.4.3).
    for (const writer of this.writers.list()) {
      const { group } = writer.header
      if (group < this.start.group || group > this.endGroup) writer.reset(ResetCode.CANCELLED)
    }
  }

  /** The subscriber no longer agrees to our PUBLISH: the subscription fails (section 10.9.1). */
  private updateRefused(error: RequestError): void {
    this.updates.refused(error)
    if (this.closed) return
    this.done(DoneCode.UPDATE_FAILED, 'the subscriber refused an update')
    this.handler.onCancelled?.()
  }

  private rejected(error: RequestError): void {
    this.close(ResetCode.CANCELLED)
    this.stream?.finish()
    this.handler.onRejected?.(error)
  }

  private cancelled(reason: string): void {
    if (this.state === 'over') return
    const answered = this.state === 'established'
    this.close(ResetCode.CANCELLED)
    this.stream?.finish()
    if (answered) this.handler.onCancelled?.()
    else {
      this.handler.onRejected?.(
        requestError({ code: RequestCode.INTERNAL_ERROR, reason, retryAfterMs: null }),
      )
    }
  }

  private end(status: number, reason: string, code: number): void {
    if (this.state === 'over') return
    this.close(code)
    this.stream?.send({ type: 'PUBLISH_DONE', status, streamCount: this.streamsOpened, reason })
    this.stream?.finish()
  }

  private close(code: number): void {
    this.state = 'over'
    this.updates.clear()
    for (const writer of this.writers.list()) writer.reset(code)
    this.host.requestOver(this)
  }
}
