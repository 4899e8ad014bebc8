import type { TransportSession } from '../transport/transport.ts'
import { ResetCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import type { Location } from '../wire/location.ts'
import type { ControlMessage, Subscribe } from '../wire/messages.ts'
import type { FullTrackName } from '../wire/names.ts'
import type { Parameters, SubscriptionFilter } from '../wire/parameters.ts'
import type { Property } from '../wire/properties.ts'
import { encodeSubgroupHeader, type SubgroupHeader } from '../wire/subgroup.ts'
import type { OpenRequest, RequestStream } from './request-stream.ts'
import { SubgroupWriter } from './subgroup-writer.ts'

/** What an accepted subscription of the peer's tells its owner. */
export interface PublicationHandler {
  /** REQUEST_UPDATE; the publication's own fields are already changed. */
  onUpdate?(parameters: Parameters): void
  /** The subscriber cancelled, or the session ended. Every stream is reset already. */
  onCancelled?(): void
}

export interface AcceptOptions {
  /** Not used for another track in this session at the same time (section 11.1). */
  readonly trackAlias: number
  /** Largest location published, or null when nothing was. */
  readonly largest: Location | null
  readonly properties?: readonly Property[]
  readonly expires?: number
}

/** A SUBSCRIBE of the peer's, to be answered once with `accept` or `reject`. */
export class IncomingSubscribe {
  readonly track: FullTrackName
  readonly parameters: Parameters
  readonly requestId: number
  private readonly stream: RequestStream
  private readonly host: PublicationHost
  private answered = false

  /** The peer cancelled before an answer; set by an owner that answers later. */
  onCancelled: (() => void) | null = null

  constructor(message: Subscribe, stream: RequestStream, host: PublicationHost) {
    this.track = message.track
    this.parameters = message.parameters
    this.requestId = message.requestId
    this.stream = stream
    this.host = host
    stream.handler = {
      onMessage: (update) => {
        throw new ProtocolError(`${update.type} before the answer to a SUBSCRIBE`)
      },
      onEnd: () => {},
      onCancelled: () => this.cancelled(),
    }
  }

  /** Whether it was answered or cancelled. */
  get over(): boolean {
    return this.answered
  }

  /** Sends SUBSCRIBE_OK; objects may follow at once. */
  accept(options: AcceptOptions, handler: PublicationHandler): Publication {
    if (this.answered) throw new Error('this SUBSCRIBE is already answered')
    this.answered = true
    this.stream.send({
      type: 'SUBSCRIBE_OK',
      trackAlias: options.trackAlias,
      parameters: {
        ...(options.largest && { largestObject: options.largest }),
        ...(options.expires !== undefined && { expires: options.expires }),
      },
      properties: options.properties ?? [],
    })
    const publication = new Publication(this.host, this.stream, this.parameters, options, handler)
    this.host.requestOpened(publication)
    this.host.requestOver(this)
    return publication
  }

  reject(code: number, reason: string, retryAfterMs: number | null = null): void {
    if (this.answered) return
    this.answered = true
    this.host.requestOver(this)
    this.stream.send({ type: 'REQUEST_ERROR', code, retryAfterMs, reason })
    this.stream.finish()
  }

  /** The session ended under it. */
  sessionEnded(): void {
    this.cancelled()
  }

  private cancelled(): void {
    if (this.answered) return
    this.answered = true
    this.host.requestOver(this)
    this.onCancelled?.()
  }
}

/** What a publication needs of its session. */
export interface PublicationHost {
  readonly transport: TransportSession
  requestOpened(request: OpenRequest): void
  requestOver(request: OpenRequest): void
}

/**
 * A subscription of the peer's that we serve (draft-18 section 5.1). The owner asks `passes`, then
 * writes subgroups and datagrams.
 */
export class Publication {
  readonly trackAlias: number
  readonly handler: PublicationHandler
  /** 0..255, lower is sent first (section 7.1). */
  subscriberPriority: number
  /** Null: the publisher's preference. */
  readonly groupOrder: 'ascending' | 'descending' | null
  /** Objects are sent only while this is true (section 5.1, Forward State). */
  forward: boolean
  /** First location that passes the filter, and last group. */
  start: Location
  endGroup: number
  private readonly host: PublicationHost
  private readonly stream: RequestStream
  private readonly writers = new Set<SubgroupWriter>()
  private streamsOpened = 0
  private over = false

  constructor(
    host: PublicationHost,
    stream: RequestStream,
    parameters: Parameters,
    options: AcceptOptions,
    handler: PublicationHandler,
  ) {
    this.host = host
    this.stream = stream
    this.handler = handler
    this.trackAlias = options.trackAlias
    this.subscriberPriority = parameters.subscriberPriority ?? 128
    this.groupOrder = parameters.groupOrder ?? null
    this.forward = parameters.forward ?? true
    this.start = filterStart(parameters.filter, options.largest)
    this.endGroup = filterEnd(parameters.filter)
    stream.handler = {
      onMessage: (message) => this.onMessage(message),
      onEnd: () => {},
      onCancelled: () => this.cancelled(),
    }
  }

  get closed(): boolean {
    return this.over
  }

  /** Whether an object passes the filter and the Forward State (sections 5.1 and 5.1.2). */
  passes(group: number, object: number): boolean {
    if (!this.forward || group > this.endGroup || group < this.start.group) return false
    return group > this.start.group || object >= this.start.object
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
    if (this.over) return null
    const stream = this.host.transport.openUni(order)
    if (!stream) return null
    this.streamsOpened++
    return new SubgroupWriter(stream, header, encoded, this.writers)
  }

  /** @param datagram with this publication's alias; returns whether the transport took it */
  sendDatagram(datagram: Uint8Array): boolean {
    return !this.over && this.host.transport.sendDatagram(datagram)
  }

  /** PUBLISH_DONE (section 10.11). Open subgroups are reset first, as the draft demands. */
  done(status: number, reason: string): void {
    if (this.over) return
    this.close(ResetCode.CANCELLED)
    this.stream.send({ type: 'PUBLISH_DONE', status, streamCount: this.streamsOpened, reason })
    this.stream.finish()
  }

  /** The session ended under it. */
  sessionEnded(): void {
    this.cancelled()
  }

  private onMessage(message: ControlMessage): void {
    if (message.type !== 'REQUEST_UPDATE') {
      throw new ProtocolError(`${message.type} on the stream of a SUBSCRIBE`)
    }
    const { subscriberPriority, forward, filter } = message.parameters
    if (subscriberPriority !== undefined) this.subscriberPriority = subscriberPriority
    if (forward !== undefined) this.forward = forward
    if (filter !== undefined) this.applyFilter(filter)
    this.stream.send({ type: 'REQUEST_OK', parameters: {}, properties: [] })
    this.handler.onUpdate?.(message.parameters)
  }

  private applyFilter(filter: SubscriptionFilter): void {
    // A filter relative to the largest object keeps the start: nothing before it was promised.
    if (filter.kind === 'absolute-start' || filter.kind === 'absolute-range') {
      this.start = filter.start
    }
    this.endGroup = filterEnd(filter)
  }

  private cancelled(): void {
    if (this.over) return
    this.close(ResetCode.CANCELLED)
    this.handler.onCancelled?.()
  }

  private close(code: number): void {
    this.over = true
    for (const writer of [...this.writers]) writer.reset(code)
    this.host.requestOver(this)
  }
}

function filterStart(filter: SubscriptionFilter | undefined, largest: Location | null): Location {
  if (!filter) return { group: 0, object: 0 }
  switch (filter.kind) {
    case 'largest-object':
      return largest ? { group: largest.group, object: largest.object + 1 } : ORIGIN
    case 'next-group-start':
      return largest ? { group: largest.group + 1, object: 0 } : ORIGIN
    case 'absolute-start':
    case 'absolute-range':
      return filter.start
  }
}

function filterEnd(filter: SubscriptionFilter | undefined): number {
  return filter?.kind === 'absolute-range' ? filter.endGroup : Number.POSITIVE_INFINITY
}

const ORIGIN: Location = { group: 0, object: 0 }
