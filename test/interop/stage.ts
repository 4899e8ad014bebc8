/** What the interop tests with libraries stand on: the relay, a browser, and clients that are closed again. */

import { expect } from 'vitest'
import type { InteropClient, Received, RelayAddress, TrackId } from './client.ts'
import { NodeClient } from './node-client.ts'
import { type Library, LibraryPages, type PageClient } from './pages.ts'
import { type InteropRelay, startInteropRelay } from './relay.ts'

export type Maker = 'ours' | Library

export const MAKERS: readonly Maker[] = ['ours', 'moqt', 'moq-net']

export const NAMES: Record<Maker, string> = {
  ours: 'our client',
  moqt: '@moqt/webtransport',
  'moq-net': '@moq/net',
}

/** What each client says of the version that was negotiated. */
const VERSION: Record<Maker, string> = {
  ours: 'moqt-18',
  moqt: 'moqt-18',
  'moq-net': 'moq-transport-18',
}

export const ARRIVAL = { timeout: 5000 }

export class Stage {
  readonly relay: InteropRelay
  readonly pages: LibraryPages
  private clients: InteropClient[] = []
  /** Each test has a namespace of its own. */
  private tracks = 0

  private constructor(relay: InteropRelay, pages: LibraryPages) {
    this.relay = relay
    this.pages = pages
  }

  static async set(): Promise<Stage> {
    const [relay, pages] = await Promise.all([startInteropRelay(), LibraryPages.start()])
    return new Stage(relay, pages)
  }

  async connect(maker: 'ours', relay?: RelayAddress): Promise<NodeClient>
  async connect(maker: Library, relay?: RelayAddress): Promise<PageClient>
  async connect(maker: Maker, relay?: RelayAddress): Promise<InteropClient>
  async connect(maker: Maker, relay: RelayAddress = this.relay): Promise<InteropClient> {
    const client = maker === 'ours' ? new NodeClient('webtransport') : await this.open(maker)
    if (client instanceof NodeClient) this.clients.push(client)
    expect(await client.connect(relay)).toBe(VERSION[maker])
    return client
  }

  /** A library's client that is not connected yet. */
  async open(library: Library, protocols = ['moqt-18']): Promise<PageClient> {
    const client = await this.pages.open(library, protocols)
    this.clients.push(client)
    return client
  }

  freshTrack(): TrackId {
    return { namespace: ['interop', `test-${this.tracks++}`], name: 'track' }
  }

  /** A client that serves a track, and the relay knows its namespace. */
  async publisher(maker: Maker, track: TrackId): Promise<InteropClient> {
    const publisher = await this.connect(maker)
    await publisher.serve(track)
    await publisher.publishNamespace(track.namespace)
    const watcher = await this.connect('ours')
    await watcher.subscribeNamespace(track.namespace)
    await expect.poll(() => watcher.namespaces(), ARRIVAL).toEqual([track.namespace.join('/')])
    return publisher
  }

  /** A publisher whose track is served, and a subscriber that was accepted. */
  async pair(from: Maker, to: Maker) {
    const track = this.freshTrack()
    const [publisher, subscriber] = await Promise.all([
      this.publisher(from, track),
      this.connect(to),
    ])
    await subscriber.subscribe(track)
    await publisher.wanted(track)
    return { track, publisher, subscriber }
  }

  /** After each test. @param failed print what the pages said */
  async clear(failed: boolean): Promise<void> {
    const log = this.pages.takeLog()
    if (failed) console.log(log)
    await Promise.all(this.clients.map((client) => client.close()))
    this.clients = []
  }

  async strike(): Promise<void> {
    await this.pages.close()
    await this.relay.process.stop()
  }
}

/** The objects of a group that came by a stream, from object 0 on. */
export function group(number: number, ...payloads: readonly string[]): Received[] {
  return payloads.map((payload, object) => ({ group: number, object, payload, datagram: false }))
}

export async function arrives(client: InteropClient, track: TrackId, objects: readonly Received[]) {
  await expect.poll(() => client.received(track), ARRIVAL).toEqual(objects)
}
