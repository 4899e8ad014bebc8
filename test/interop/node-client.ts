/** Our own client in Node, by WebTransport or raw QUIC. */

import { connect } from '../../moq/node/index.ts'
import type {
  AcceptedSubscription,
  IncomingFetch,
  IncomingPublish,
  IncomingSubscribe,
  Publication,
  Session,
  Subscription,
  SubscriptionHandler,
} from '../../moq/session/index.ts'
import { DoneCode, RequestCode } from '../../moq/wire/codes.ts'
import { encodeDatagram } from '../../moq/wire/datagram.ts'
import { isAfter, type Location } from '../../moq/wire/location.ts'
import type { FetchRange, RequestError } from '../../moq/wire/messages.ts'
import { type FullTrackName, namespaceOf, textOf, trackOf } from '../../moq/wire/names.ts'
import type { MoqObject } from '../../moq/wire/object.ts'
import { encodeSubgroupBody } from '../../moq/wire/subgroup.ts'
import {
  type GroupRange,
  type InteropClient,
  inOrder,
  keyOf,
  type Place,
  type Received,
  type RelayAddress,
  selected,
  type TrackId,
} from './client.ts'

export type Wire = 'webtransport' | 'quic'

const NO_PROPERTIES = new Uint8Array(0)

/** A track that this client is the publisher of. */
interface Served {
  readonly alias: number
  readonly publications: Set<Publication>
  readonly wanted: PromiseWithResolvers<void>
  readonly groups: Map<number, readonly string[]>
  largest: Location | null
}

/** A track that this client subscribes to, or was told of by PUBLISH. */
interface Watched {
  readonly objects: Received[]
  readonly subscription: Subscription
  /** SUBSCRIBE_OK. */
  accepted: AcceptedSubscription | null
  /** Settles with the status of PUBLISH_DONE. */
  readonly done: PromiseWithResolvers<number>
}

export class NodeClient implements InteropClient {
  session!: Session
  private readonly wire: Wire
  private readonly goingAway = Promise.withResolvers<void>()
  private readonly served = new Map<string, Served>()
  private readonly watched = new Map<string, Watched>()
  private readonly known = new Set<string>()
  private readonly withdrawals = new Map<string, () => void>()

  constructor(wire: Wire) {
    this.wire = wire
  }

  async connect({ url, certificateHash }: RelayAddress): Promise<string> {
    this.session = await connect(this.wire === 'quic' ? url.replace(/^https/, 'moqt') : url, {
      trust: { kind: 'hash', sha256: certificateHash },
      handler: {
        onSubscribe: (request) => this.onSubscribe(request),
        onPublish: (request) => this.onPublish(request),
        onFetch: (request) => this.onFetch(request),
        onGoaway: () => this.goingAway.resolve(),
      },
    })
    return this.session.transport.protocol
  }

  async publishNamespace(namespace: readonly string[]): Promise<void> {
    await answer((resolve, reject) => {
      const publication = this.session.publishNamespace(namespaceOf(...namespace), {
        onAccepted: resolve,
        onRejected: reject,
        onDone: () => this.withdrawals.delete(namespace.join('/')),
      })
      this.withdrawals.set(namespace.join('/'), () => publication.withdraw())
    })
  }

  async withdrawNamespace(namespace: readonly string[]): Promise<void> {
    this.withdrawals.get(namespace.join('/'))?.()
  }

  async serve(track: TrackId): Promise<void> {
    this.servedOf(track)
  }

  async wanted(track: TrackId): Promise<void> {
    await this.servedOf(track).wanted.promise
  }

  async sendGroup(track: TrackId, group: number, payloads: readonly string[]): Promise<void> {
    const served = this.servedOf(track)
    for (const publication of served.publications) {
      if (!publication.passes(group, 0)) continue
      const writer = publication.openSubgroup(
        {
          trackAlias: served.alias,
          group,
          subgroup: 0,
          priority: 0,
          hasProperties: false,
          endOfGroup: true,
          firstObject: true,
        },
        0,
      )
      if (!writer) throw new Error('no stream credit')
      for (const [object, payload] of payloads.entries()) {
        writer.write(object, encodeSubgroupBody(null, new TextEncoder().encode(payload)))
      }
      writer.finish()
    }
    served.groups.set(group, payloads)
    served.largest = { group, object: payloads.length - 1 }
  }

  async sendDatagram(track: TrackId, group: number, object: number, payload: string) {
    const served = this.servedOf(track)
    const header = { trackAlias: served.alias, group, object, priority: 0, endOfGroup: false }
    const bytes = encodeDatagram(header, NO_PROPERTIES, new TextEncoder().encode(payload))
    for (const publication of served.publications) publication.sendDatagram(bytes)
    served.largest = { group, object }
  }

  async subscribe(track: TrackId): Promise<void> {
    await answer((resolve, reject) => {
      const objects: Received[] = []
      const done = Promise.withResolvers<number>()
      const handler: SubscriptionHandler = {
        onAccepted: (accepted) => {
          watched.accepted = accepted
          resolve()
        },
        onRejected: reject,
        onObject: (object) => objects.push(received(object)),
        onDone: ({ status }) => done.resolve(status),
      }
      const parameters = { filter: { kind: 'largest-object' } } as const
      const subscription = this.session.subscribe(full(track), parameters, handler)
      const watched: Watched = { objects, subscription, accepted: null, done }
      this.watched.set(keyOf(track), watched)
    })
  }

  async forward(track: TrackId, forward: boolean): Promise<void> {
    await answer((resolve, reject) => {
      const { subscription } = this.watched.get(keyOf(track))!
      subscription.update({ forward }, (error) => (error ? reject(error) : resolve()))
    })
  }

  /** The SUBSCRIBE_OK of a track that is subscribed. */
  accepted(track: TrackId): AcceptedSubscription | null {
    return this.watched.get(keyOf(track))?.accepted ?? null
  }

  async received(track: TrackId): Promise<Received[]> {
    return inOrder(this.watched.get(keyOf(track))?.objects ?? [])
  }

  async end(track: TrackId): Promise<void> {
    const { publications } = this.servedOf(track)
    for (const publication of publications) publication.done(DoneCode.TRACK_ENDED, 'it is over')
    publications.clear()
  }

  async ended(track: TrackId): Promise<void> {
    const status = await this.watched.get(keyOf(track))?.done.promise
    if (status !== DoneCode.TRACK_ENDED) throw new Error(`ended with status ${status}`)
  }

  async subscribeNamespace(prefix: readonly string[]): Promise<void> {
    await answer((resolve, reject) => {
      this.session.subscribeNamespace(namespaceOf(...prefix), {
        onAccepted: resolve,
        onRejected: reject,
        onNamespace: (namespace) => this.known.add(namespace.map(textOf).join('/')),
        onNamespaceDone: (namespace) => this.known.delete(namespace.map(textOf).join('/')),
      })
    })
  }

  async namespaces(): Promise<string[]> {
    return [...this.known].sort()
  }

  async publish(track: TrackId): Promise<void> {
    const served = this.servedOf(track)
    await answer((resolve, reject) => {
      const publication = this.session.publish(
        full(track),
        { trackAlias: served.alias, largest: served.largest },
        {
          onAccepted: () => resolve(),
          onRejected: reject,
          onCancelled: () => served.publications.delete(publication),
          onUpdate: () => {
            if (publication.forward) served.wanted.resolve()
          },
        },
      )
      served.publications.add(publication)
    })
    for (const publication of served.publications) {
      if (publication.forward) served.wanted.resolve()
    }
  }

  async subscribeTracks(prefix: readonly string[]): Promise<void> {
    await answer((resolve, reject) => {
      this.session.subscribeTracks(namespaceOf(...prefix), {
        onAccepted: () => resolve(),
        onRejected: reject,
      })
    })
  }

  async fetch(track: TrackId, range: GroupRange): Promise<Received[]> {
    return this.fetchRange({
      kind: 'standalone',
      track: full(track),
      start: { group: range.firstGroup, object: 0 },
      end: { group: range.lastGroup, object: 0 },
    })
  }

  async joiningFetch(track: TrackId, groups: number): Promise<Received[]> {
    return this.fetchRange({
      kind: 'relative-joining',
      joiningRequestId: this.watched.get(keyOf(track))!.subscription.requestId,
      joiningStart: groups,
    })
  }

  async trackStatus(track: TrackId): Promise<Place | null> {
    let place: Place | null = null
    await answer((resolve, reject) => {
      this.session.trackStatus(full(track), {
        onStatus: ({ largest }) => {
          place = largest
          resolve()
        },
        onRejected: reject,
      })
    })
    return place
  }

  async goaway(): Promise<void> {
    await this.goingAway.promise
  }

  async close(): Promise<void> {
    this.session.close(0, 'done')
  }

  private async fetchRange(range: FetchRange): Promise<Received[]> {
    const objects: Received[] = []
    await answer((resolve, reject) => {
      this.session.fetch(range, {
        onObject: (object) => objects.push(received(object)),
        onEnd: () => resolve(),
        onRejected: reject,
        onReset: (code) => reject({ code, reason: 'the stream was reset' }),
      })
    })
    return inOrder(objects)
  }

  private onSubscribe(request: IncomingSubscribe): void {
    const served = this.served.get(key(request.track))
    if (!served) {
      request.reject(RequestCode.DOES_NOT_EXIST, 'no such track')
      return
    }
    const { alias: trackAlias, largest, publications } = served
    const publication = request.accept(
      { trackAlias, largest },
      { onCancelled: () => publications.delete(publication) },
    )
    publications.add(publication)
    served.wanted.resolve()
  }

  private onPublish(request: IncomingPublish): void {
    const objects: Received[] = []
    const done = Promise.withResolvers<number>()
    const subscription = request.accept(
      { forward: true },
      {
        onObject: (object) => objects.push(received(object)),
        onDone: ({ status }) => done.resolve(status),
      },
    )
    this.watched.set(key(request.track), { objects, subscription, accepted: null, done })
  }

  private onFetch(request: IncomingFetch): void {
    const { range } = request
    const served = range.kind === 'standalone' ? this.served.get(key(range.track)) : undefined
    if (range.kind !== 'standalone' || !served?.largest) {
      request.reject(RequestCode.INVALID_RANGE, 'nothing was published there')
      return
    }
    const { group, object } = served.largest
    const end = isAfter(range.end, served.largest) ? { group, object: object + 1 } : range.end
    request.accept({ endOfTrack: false, end, properties: [] })
    const writer = request.openStream(0, 128, request.groupOrder)
    if (!writer) throw new Error('no stream credit')
    for (const { payload, ...location } of selected(served.groups, range.start, end)) {
      writer.object({
        ...location,
        subgroup: 0,
        priority: 0,
        properties: NO_PROPERTIES,
        payload: new TextEncoder().encode(payload),
      })
    }
    writer.finish()
  }

  private servedOf(track: TrackId): Served {
    let served = this.served.get(keyOf(track))
    if (!served) {
      served = {
        alias: this.served.size + 1,
        publications: new Set(),
        wanted: Promise.withResolvers(),
        groups: new Map(),
        largest: null,
      }
      this.served.set(keyOf(track), served)
    }
    return served
  }
}

/** Awaits the answer to a request; a REQUEST_ERROR becomes an error with its code and reason. */
function answer(
  ask: (
    resolve: () => void,
    reject: (error: Pick<RequestError, 'code' | 'reason'> | null) => void,
  ) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    ask(resolve, (error) => {
      const what = error ? `0x${error.code.toString(16)} ${error.reason}` : 'there was no answer'
      reject(new Error(`refused: ${what}`))
    })
  })
}

function full(track: TrackId): FullTrackName {
  return trackOf(namespaceOf(...track.namespace), track.name)
}

function key(track: FullTrackName): string {
  return [...track.namespace, track.name].map(textOf).join('/')
}

function received(object: MoqObject): Received {
  return {
    group: object.group,
    object: object.object,
    payload: textOf(object.payload) ?? '',
    datagram: object.subgroup === null,
  }
}
