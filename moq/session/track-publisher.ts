import { DoneCode, RequestCode, ResetCode } from '../wire/codes.ts'
import { encodeDatagram } from '../wire/datagram.ts'
import { isAfter, type Location } from '../wire/location.ts'
import type { RequestError } from '../wire/messages.ts'
import type { FullTrackName } from '../wire/names.ts'
import type { AuthorizationToken, Parameters } from '../wire/parameters.ts'
import { type Property, PropertyType } from '../wire/properties.ts'
import { encodeSubgroupBody } from '../wire/subgroup.ts'
import type { IncomingSubscribe } from './incoming-subscribe.ts'
import type { Publication } from './publication.ts'
import type { PublicationHandler, PublishHandler } from './publication-handler.ts'
import type { PublishOptions } from './publish.ts'
import type { SubgroupWriter } from './subgroup-writer.ts'
import type { TrackState } from './track-status.ts'

/** What a `TrackPublisher` is made with. */
export interface TrackPublisherOptions {
  /** Unique among the tracks that this endpoint publishes in a session. */
  readonly trackAlias: number
  /** 0..255, lower is sent first; the track's DEFAULT_PUBLISHER_PRIORITY. */
  readonly priority: number
  /** Further track properties, ascending by type. */
  readonly properties?: readonly Property[]
  /**
   * A subscriber asks for a new group (NEW_GROUP_REQUEST, section 10.2.13). When given, the track
   * states DYNAMIC_GROUPS.
   */
  readonly onGroupRequested?: () => void
  /** Whether anybody wants objects changed. */
  readonly onDemand?: (wanted: boolean) => void
}

/** How a track is offered with PUBLISH. */
export interface TrackOffer {
  /** False: nothing is sent until the subscriber wants it. Default true. */
  readonly forward?: boolean
  readonly authorizationTokens?: readonly AuthorizationToken[]
  readonly onAccepted?: () => void
  readonly onRejected?: (error: RequestError) => void
}

/** What a track is published on: a `Session`. */
export interface PublishingSession {
  publish(track: FullTrackName, options: PublishOptions, handler: PublishHandler): Publication
}

/** One object of an original publisher's, as it goes out. */
export interface OutgoingObject {
  readonly group: number
  readonly object: number
  /** Serialized Key-Value-Pairs; every object of this publisher's has the field. */
  readonly properties: Uint8Array
  readonly payload: Uint8Array
}

/**
 * A track whose original publisher we are: it answers subscriptions and numbers nothing itself, but
 * remembers the largest location and keeps one stream open a subgroup and subscription.
 */
export class TrackPublisher {
  private readonly options: TrackPublisherOptions
  private readonly publications = new Map<Publication, Map<number, OpenSubgroup>>()
  private largest: Location | null = null

  constructor(options: TrackPublisherOptions) {
    this.options = options
  }

  get wanted(): boolean {
    for (const publication of this.publications.keys()) if (publication.forward) return true
    return false
  }

  /** Bytes that wait in the transport for the slowest subscriber. */
  get buffered(): number {
    let most = 0
    for (const open of this.publications.values()) {
      for (const { writer } of open.values()) most = Math.max(most, writer.buffered)
    }
    return most
  }

  /** Answers a SUBSCRIBE. */
  accept(request: IncomingSubscribe): void {
    if (request.outOfRange(this.largest)) {
      request.reject(RequestCode.INVALID_RANGE, 'every group that it asks for is over')
      return
    }
    const publication = request.accept(
      this.terms,
      this.handlerFor(() => publication),
    )
    this.add(publication)
    this.onUpdate(request.parameters)
  }

  /** Offers the track to the peer of a session, without being asked (section 10.10). */
  publish(session: PublishingSession, track: FullTrackName, offer: TrackOffer = {}): Publication {
    const { forward, authorizationTokens } = offer
    const publication = session.publish(
      track,
      {
        ...this.terms,
        ...(forward !== undefined && { forward }),
        ...(authorizationTokens && { authorizationTokens }),
      },
      {
        ...this.handlerFor(() => publication),
        onAccepted: (parameters) => {
          // What it left out has its default: it is wanted (section 10.2.12).
          this.onUpdate({ forward: true, ...parameters })
          offer.onAccepted?.()
        },
        onRejected: (error) => {
          this.remove(publication)
          offer.onRejected?.(error)
        },
      },
    )
    this.add(publication)
    return publication
  }

  /** What a TRACK_STATUS is answered with. */
  get status(): TrackState {
    return { largest: this.largest, properties: this.trackProperties() }
  }

  /**
   * Writes an object on the stream of its subgroup, which is opened when need be.
   * @returns false when a subscriber could not be served for want of stream credit
   */
  writeStream(subgroup: number, object: OutgoingObject): boolean {
    const body = encodeSubgroupBody(object.properties, object.payload)
    this.note(object)
    let served = true
    for (const [publication, open] of this.publications) {
      if (!publication.passes(object.group, object.object)) {
        leaveOut(open, subgroup, object.group)
        continue
      }
      if (publication.isStopped(object.group, subgroup)) continue
      const writer = this.writerFor(publication, open, subgroup, object)
      if (writer) writer.write(object.object, body)
      else served = false
    }
    return served
  }

  /** @returns whether every subscriber's transport took it */
  writeDatagram(object: OutgoingObject): boolean {
    this.note(object)
    const bytes = encodeDatagram(
      {
        trackAlias: this.options.trackAlias,
        group: object.group,
        object: object.object,
        priority: null,
        endOfGroup: false,
      },
      object.properties,
      object.payload,
    )
    let taken = true
    for (const publication of this.publications.keys()) {
      if (!publication.passes(object.group, object.object)) continue
      if (!publication.sendDatagram(bytes)) taken = false
    }
    return taken
  }

  /**
   * Ends the streams of every group before `group`, and the subscriptions whose filter ends there:
   * everything that passes it was sent.
   */
  endGroupsBefore(group: number): void {
    for (const [publication, open] of [...this.publications]) {
      for (const [subgroup, { group: of, writer }] of open) {
        if (of >= group) continue
        writer.finish()
        open.delete(subgroup)
      }
      if (publication.endGroup >= group || open.size > 0) continue
      publication.done(DoneCode.SUBSCRIPTION_ENDED, 'the end of the filter is reached')
      this.remove(publication)
    }
  }

  /** One group of one object: a snapshot of a state track. */
  writeSnapshot(group: number, properties: Uint8Array, payload: Uint8Array): void {
    this.writeStream(0, { group, object: 0, properties, payload })
    this.endGroupsBefore(group + 1)
  }

  /** Resets what waits for a subgroup and sends no more of it; for a publisher that is too slow. */
  abandon(subgroup: number, code: number): void {
    for (const open of this.publications.values()) open.get(subgroup)?.writer.reset(code)
  }

  /** PUBLISH_DONE to every subscriber. */
  done(status: number, reason: string): void {
    for (const publication of [...this.publications.keys()]) publication.done(status, reason)
    this.publications.clear()
  }

  private writerFor(
    publication: Publication,
    open: Map<number, OpenSubgroup>,
    subgroup: number,
    object: OutgoingObject,
  ): SubgroupWriter | null {
    const current = open.get(subgroup)
    if (current?.group === object.group) return current.writer.closed ? null : current.writer
    current?.writer.finish()
    const writer = publication.openSubgroup(
      {
        trackAlias: this.options.trackAlias,
        group: object.group,
        subgroup,
        priority: null,
        hasProperties: true,
        endOfGroup: false,
        firstObject: object.object === 0,
      },
      this.options.priority,
    )
    if (writer) open.set(subgroup, { group: object.group, writer })
    return writer
  }

  private note(object: OutgoingObject): void {
    const location = { group: object.group, object: object.object }
    if (!this.largest || isAfter(location, this.largest)) this.largest = location
  }

  private get terms() {
    return {
      trackAlias: this.options.trackAlias,
      largest: this.largest,
      properties: this.trackProperties(),
    }
  }

  private handlerFor(publication: () => Publication): PublicationHandler {
    return {
      largest: () => this.largest,
      onUpdate: (parameters) => this.onUpdate(parameters),
      onCancelled: () => this.remove(publication()),
    }
  }

  private add(publication: Publication): void {
    this.publications.set(publication, new Map())
    this.options.onDemand?.(this.wanted)
  }

  private onUpdate(parameters: Parameters): void {
    const asked = parameters.newGroupRequest
    if (asked !== undefined && (asked === 0 || asked > (this.largest?.group ?? -1))) {
      this.options.onGroupRequested?.()
    }
    if (parameters.forward !== undefined) this.options.onDemand?.(this.wanted)
  }

  private remove(publication: Publication): void {
    if (this.publications.delete(publication)) this.options.onDemand?.(this.wanted)
  }

  private trackProperties(): Property[] {
    const properties: Property[] = [
      ...(this.options.properties ?? []),
      { type: PropertyType.DEFAULT_PUBLISHER_PRIORITY, value: this.options.priority },
    ]
    if (this.options.onGroupRequested) {
      properties.push({ type: PropertyType.DYNAMIC_GROUPS, value: 1 })
    }
    return properties.sort((a, b) => Number(a.type) - Number(b.type))
  }
}

interface OpenSubgroup {
  readonly group: number
  readonly writer: SubgroupWriter
}

/** An object of a subgroup is not sent: its stream does not go on behind it (section 11.4.3). */
function leaveOut(open: Map<number, OpenSubgroup>, subgroup: number, group: number): void {
  const current = open.get(subgroup)
  if (current?.group !== group) return
  current.writer.reset(ResetCode.CANCELLED)
  open.delete(subgroup)
}
