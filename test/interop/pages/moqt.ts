/** Runs in a browser page: @moqt/webtransport as a client of the interop tests. */

import { type ControlMessage, ForwardState, type MoqtObject } from '@moqt/transport'
import { type IncomingPublish, MoqtConnection, type WebTransportLike } from '@moqt/webtransport'
import {
  type GroupRange,
  type InteropClient,
  inOrder,
  keyOf,
  type Place,
  type Received,
  type RelayAddress,
  type TrackId,
} from '../client.ts'
import { Answers, LARGEST_OBJECT, MoqtPublisher, place } from './moqt-publisher.ts'
import { bytesOf, expose, pinned, textOf } from './page.ts'

/** A track that this client subscribes to, or was told of by PUBLISH. */
interface Watched {
  readonly objects: Received[]
  readonly ended: PromiseWithResolvers<void>
  requestId: bigint | null
}

interface Fetching {
  readonly objects: Received[]
  readonly ended: PromiseWithResolvers<void>
}

class MoqtClient implements InteropClient {
  private readonly connection = new MoqtConnection()
  private readonly errors: string[] = []
  private readonly goingAway = Promise.withResolvers<void>()
  private readonly answers = new Answers()
  private readonly publisher = new MoqtPublisher(this.connection, this.answers)
  private readonly watched = new Map<string, Watched>()
  /** What came under an alias, which may be before the message that says whose it is. */
  private readonly byAlias = new Map<bigint, Received[]>()
  private readonly announcements = new Map<string, bigint>()
  private readonly known = new Set<string>()
  private readonly fetches = new Map<bigint, Fetching>()
  private readonly fetchStreams = new Map<bigint, bigint>()
  private prefix: readonly string[] = []
  private readonly protocols: readonly string[]

  constructor(protocols: readonly string[]) {
    this.protocols = protocols
  }

  async connect({ url, certificateHash }: RelayAddress): Promise<string> {
    const options: WebTransportOptions & { protocols: string[] } = {
      ...pinned(certificateHash),
      protocols: [...this.protocols],
    }
    const transport = new WebTransport(url, options)
    await transport.ready
    this.listen()
    // The library's interface is the platform's with other type parameters.
    await this.connection.connect(transport as unknown as WebTransportLike)
    this.publisher.connected()
    const { protocol } = transport as WebTransport & { protocol?: string }
    return protocol ?? ''
  }

  async publishNamespace(namespace: readonly string[]): Promise<void> {
    const id = await this.connection.publishNamespace(namespace.map(bytesOf))
    this.announcements.set(namespace.join('/'), id)
    await this.answers.to(id)
  }

  async withdrawNamespace(namespace: readonly string[]): Promise<void> {
    await this.connection.publishNamespaceDone(this.announcements.get(namespace.join('/'))!)
  }

  serve(track: TrackId): Promise<void> {
    return this.publisher.serve(track)
  }

  wanted(track: TrackId): Promise<void> {
    return this.publisher.wanted(track)
  }

  sendGroup(track: TrackId, group: number, payloads: readonly string[]): Promise<void> {
    return this.publisher.sendGroup(track, group, payloads)
  }

  sendDatagram(track: TrackId, group: number, object: number, payload: string): Promise<void> {
    return this.publisher.sendDatagram(track, group, object, payload)
  }

  end(track: TrackId): Promise<void> {
    return this.publisher.end(track)
  }

  publish(track: TrackId): Promise<void> {
    return this.publisher.publish(track)
  }

  async subscribe(track: TrackId): Promise<void> {
    const watched = this.watch(keyOf(track))
    const subscription = await this.connection.subscribeTrack(
      track.namespace.map(bytesOf),
      bytesOf(track.name),
      { filter: { type: 'LargestObject' }, onObject: (object) => note(watched.objects, object) },
    )
    watched.requestId = subscription.requestId
    this.adopt(subscription.trackAlias, watched)
  }

  async forward(track: TrackId, forward: boolean): Promise<void> {
    const { requestId } = this.watched.get(keyOf(track))!
    const state = forward ? ForwardState.ACTIVE : ForwardState.PAUSED
    await this.answers.to(await this.connection.requestUpdate(requestId!, { forward: state }))
  }

  async received(track: TrackId): Promise<Received[]> {
    if (this.errors.length > 0) throw new Error(this.errors.join('; '))
    return inOrder(this.watched.get(keyOf(track))?.objects ?? [])
  }

  async ended(track: TrackId): Promise<void> {
    await this.watched.get(keyOf(track))?.ended.promise
  }

  async subscribeNamespace(prefix: readonly string[]): Promise<void> {
    this.prefix = prefix
    await this.answers.to(await this.connection.subscribeNamespace(prefix.map(bytesOf)))
  }

  async namespaces(): Promise<string[]> {
    return [...this.known].sort()
  }

  async subscribeTracks(prefix: readonly string[]): Promise<void> {
    await this.answers.to(await this.connection.subscribeTracks(prefix.map(bytesOf)))
  }

  async fetch(track: TrackId, range: GroupRange): Promise<Received[]> {
    return this.fetched((onRequestId) =>
      this.connection.fetch(track.namespace.map(bytesOf), bytesOf(track.name), {
        startGroup: BigInt(range.firstGroup),
        startObject: 0n,
        endGroup: BigInt(range.lastGroup),
        endObject: 0n,
        onRequestId,
      }),
    )
  }

  async joiningFetch(track: TrackId, groups: number): Promise<Received[]> {
    return this.fetched((onRequestId) =>
      this.connection.joiningFetch({
        joiningFetchType: 'relative',
        joiningRequestId: this.watched.get(keyOf(track))!.requestId!,
        joiningStart: BigInt(groups),
        onRequestId,
      }),
    )
  }

  async trackStatus(track: TrackId): Promise<Place | null> {
    const id = await this.connection.trackStatus(track.namespace.map(bytesOf), bytesOf(track.name))
    const [largest] = (await this.answers.to(id)).get(LARGEST_OBJECT) ?? []
    if (typeof largest !== 'object' || !('group' in largest)) return null
    return place(largest)
  }

  async goaway(): Promise<void> {
    await this.goingAway.promise
  }

  async close(): Promise<void> {
    await this.connection.close()
  }

  private listen(): void {
    const { connection } = this
    connection.onError = (error) => this.errors.push(error.message)
    connection.onMessage = (message) => this.onMessage(message)
    connection.onNamespaceMessage = (_id, message) => {
      if (message.type === 'NAMESPACE') this.known.add(this.whole(message.trackNamespaceSuffix))
      if (message.type === 'NAMESPACE_DONE') {
        this.known.delete(this.whole(message.trackNamespaceSuffix))
      }
    }
    connection.onPublish = (publish) => void this.onPublish(publish)
    connection.onDatagram = ({ trackAlias, groupId, objectId, payload }) => {
      this.objectsOf(trackAlias).push({
        group: Number(groupId),
        object: Number(objectId),
        payload: textOf(payload),
        datagram: true,
      })
    }
    connection.onDataStream = (stream, { type, header }) => {
      if (type === 'fetch') this.fetchStreams.set(stream, header.requestId)
    }
    // Objects of a stream that overtook its PUBLISH come here too.
    connection.onObject = (stream, object) => {
      const fetching = this.fetches.get(this.fetchStreams.get(stream) ?? -1n)
      note(fetching?.objects ?? this.objectsOf(object.trackAlias), object)
    }
    connection.onStreamClosed = (stream, error) => {
      const fetching = this.fetches.get(this.fetchStreams.get(stream) ?? -1n)
      if (error === undefined) fetching?.ended.resolve()
      else fetching?.ended.reject(new Error(`the stream was reset: ${error}`))
    }
  }

  private onMessage(message: ControlMessage): void {
    switch (message.type) {
      case 'REQUEST_OK':
      case 'FETCH_OK':
        this.answers.at(message.requestId).resolve(message.parameters)
        break
      case 'REQUEST_UPDATE':
        this.publisher.updated(message.existingRequestId, message.parameters)
        break
      case 'PUBLISH_DONE':
        for (const { requestId, ended } of this.watched.values()) {
          if (requestId === message.requestId) ended.resolve()
        }
        break
      case 'GOAWAY':
        this.goingAway.resolve()
        break
      case 'REQUEST_ERROR': {
        const error = new Error(
          `refused: 0x${message.errorCode.toString(16)} ${message.errorReason}`,
        )
        this.answers.at(message.requestId).reject(error)
      }
    }
  }

  private async onPublish(publish: IncomingPublish): Promise<void> {
    const key = [...publish.trackNamespace, publish.trackName].map(textOf).join('/')
    const watched = this.watch(key)
    watched.requestId = publish.requestId
    this.adopt(publish.trackAlias, watched)
    publish.onObject = (object) => note(watched.objects, object)
    await this.connection.acceptSubscribe(publish.requestId, publish.trackAlias)
  }

  private objectsOf(alias: bigint): Received[] {
    let objects = this.byAlias.get(alias)
    if (!objects) {
      objects = []
      this.byAlias.set(alias, objects)
    }
    return objects
  }

  private adopt(alias: bigint, { objects }: Watched): void {
    objects.push(...this.objectsOf(alias))
    this.byAlias.set(alias, objects)
  }

  private watch(key: string): Watched {
    const watched = { objects: [], ended: Promise.withResolvers<void>(), requestId: null }
    this.watched.set(key, watched)
    return watched
  }

  private async fetched(
    ask: (onRequestId: (id: bigint) => void) => Promise<bigint>,
  ): Promise<Received[]> {
    const fetching: Fetching = { objects: [], ended: Promise.withResolvers() }
    const id = await ask((requestId) => this.fetches.set(requestId, fetching))
    await this.answers.to(id)
    await fetching.ended.promise
    return inOrder(fetching.objects)
  }

  private whole(suffix: readonly Uint8Array[]): string {
    return [...this.prefix, ...suffix.map(textOf)].join('/')
  }
}

function note(objects: Received[], object: MoqtObject): void {
  if (object.kind !== 'data') return
  objects.push({
    group: Number(object.groupId),
    object: Number(object.objectId),
    payload: textOf(object.payload),
    datagram: false,
  })
}

expose((protocols) => new MoqtClient(protocols))
