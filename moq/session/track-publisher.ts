import { encodeDatagram } from '../wire/datagram.ts'
import { isAfter, type Location } from '../wire/location.ts'
import type { Parameters } from '../wire/parameters.ts'
import { type Property, PropertyType } from '../wire/properties.ts'
import { encodeSubgroupBody } from '../wire/subgroup.ts'
import type { IncomingSubscribe, Publication } from './publication.ts'
import type { SubgroupWriter } from './subgroup-writer.ts'
import type { TrackState } from './track-status.ts'

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

  accept(request: IncomingSubscribe): void {
    const publication = request.accept(
      {
        trackAlias: this.options.trackAlias,
        largest: this.largest,
        properties: this.trackProperties(),
      },
      {
        onUpdate: (parameters) => this.onUpdate(parameters),
        onCancelled: () => this.remove(publication),
      },
    )
    this.publications.set(publication, new Map())
    this.options.onDemand?.(this.wanted)
    this.onUpdate(request.parameters)
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
      if (!publication.passes(object.group, object.object)) continue
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

  /** Ends the streams of every group before `group`. */
  endGroupsBefore(group: number): void {
    for (const open of this.publications.values()) {
      for (const [subgroup, { group: of, writer }] of open) {
        if (of >= group) continue
        writer.finish()
        open.delete(subgroup)
      }
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
