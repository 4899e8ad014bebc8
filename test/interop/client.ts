/**
 * What a MoQT client does in the interop tests, whoever made it: ours in Node, or an independent
 * library in a browser page. Arguments and results are plain JSON, so that they cross to a page.
 */

export interface RelayAddress {
  readonly url: string
  /** SHA-256 of its certificate, as hexadecimal. */
  readonly certificateHash: string
}

export interface TrackId {
  /** Fields as text. */
  readonly namespace: readonly string[]
  readonly name: string
}

export interface Received extends Place {
  readonly payload: string
  readonly datagram: boolean
}

export interface Place {
  readonly group: number
  readonly object: number
}

/** A standalone FETCH: from the start of one group to the end of another (section 10.12.1). */
export interface GroupRange {
  readonly firstGroup: number
  readonly lastGroup: number
}

/** Rejects with a line that has the code and the reason when the relay refuses a request. */
export interface InteropClient {
  /** @returns the protocol that was negotiated, as it stands in `WT-Protocol` or the ALPN */
  connect(relay: RelayAddress): Promise<string>
  /** PUBLISH_NAMESPACE, until it is accepted. */
  publishNamespace(namespace: readonly string[]): Promise<void>
  /** Cancels the PUBLISH_NAMESPACE. */
  withdrawNamespace(namespace: readonly string[]): Promise<void>
  /** From now on accepts a SUBSCRIBE of the track. */
  serve(track: TrackId): Promise<void>
  /** Settles when a track that is served, or was published, has a subscriber. */
  wanted(track: TrackId): Promise<void>
  /**
   * One group on one stream to each subscriber, objects from 0 on; the stream is ended. Kept for
   * FETCHes of the relay, where the client answers them.
   */
  sendGroup(track: TrackId, group: number, payloads: readonly string[]): Promise<void>
  sendDatagram(track: TrackId, group: number, object: number, payload: string): Promise<void>
  /** SUBSCRIBE from the next object on, until it is accepted. */
  subscribe(track: TrackId): Promise<void>
  /** REQUEST_UPDATE with FORWARD, until it is granted. */
  forward(track: TrackId, forward: boolean): Promise<void>
  /** What came of a subscription so far, in order of group and object. */
  received(track: TrackId): Promise<Received[]>
  /** PUBLISH_DONE with TRACK_ENDED to every subscriber of a track. */
  end(track: TrackId): Promise<void>
  /** Settles when a track that is subscribed is ended with PUBLISH_DONE. */
  ended(track: TrackId): Promise<void>
  /** SUBSCRIBE_NAMESPACE, until it is accepted where the client tells. */
  subscribeNamespace(prefix: readonly string[]): Promise<void>
  /** Namespaces known by SUBSCRIBE_NAMESPACE, fields joined by `/`. */
  namespaces(): Promise<string[]>
  /** PUBLISH, until it is accepted. */
  publish(track: TrackId): Promise<void>
  /** SUBSCRIBE_TRACKS, until it is accepted; each PUBLISH that comes of it is accepted. */
  subscribeTracks(prefix: readonly string[]): Promise<void>
  /** A standalone FETCH to its end. */
  fetch(track: TrackId, range: GroupRange): Promise<Received[]>
  /** A relative joining FETCH of a track that is subscribed, from `groups` before the largest. */
  joiningFetch(track: TrackId, groups: number): Promise<Received[]>
  /** TRACK_STATUS: the largest location, or null when nothing was published yet. */
  trackStatus(track: TrackId): Promise<Place | null>
  /** Settles when the relay says that it goes away. */
  goaway(): Promise<void>
  close(): Promise<void>
}

export const keyOf = (track: TrackId): string => [...track.namespace, track.name].join('/')

export function inOrder(objects: readonly Received[]): Received[] {
  return objects.toSorted((a, b) => a.group - b.group || a.object - b.object)
}

/**
 * What a FETCH asks for of the groups that a client published.
 * @param end one past the last object, or object 0 for the whole group (section 10.12.1)
 */
export function selected(
  groups: ReadonlyMap<number, readonly string[]>,
  start: Place,
  end: Place,
): Received[] {
  const objects = [...groups].flatMap(([group, payloads]) =>
    payloads.map((payload, object) => ({ group, object, payload, datagram: false })),
  )
  return inOrder(objects).filter(({ group, object }) => {
    const isAfterStart = group > start.group || (group === start.group && object >= start.object)
    const last = end.object === 0 ? Number.POSITIVE_INFINITY : end.object - 1
    return isAfterStart && (group < end.group || (group === end.group && object <= last))
  })
}
