/** Runs in a browser page: @moq/net as a client of the interop tests. */

import { Broadcast, Connection, Group, Path, type Track } from '@moq/net'
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
import { expose, textOf } from './page.ts'

interface Watched {
  readonly objects: Received[]
  readonly ended: Promise<void>
}

class MoqNetClient implements InteropClient {
  private connection!: Connection.Established
  private readonly broadcasts = new Map<string, Broadcast.Producer>()
  private readonly served = new Map<string, Track.Producer>()
  private readonly watched = new Map<string, Watched>()
  private readonly known = new Set<string>()

  /** The library offers every protocol that it knows, and takes what the relay chooses. */
  async connect({ url, certificateHash }: RelayAddress): Promise<string> {
    this.connection = await Connection.connect(new URL(url), {
      webtransport: { serverCertificateHashes: [{ value: certificateHash }] },
      websocket: { enabled: false },
    })
    return this.connection.version
  }

  /** The library does not tell of the answer. */
  async publishNamespace(namespace: readonly string[]): Promise<void> {
    this.connection.publish(Path.from(...namespace), this.broadcast(namespace))
  }

  async withdrawNamespace(namespace: readonly string[]): Promise<void> {
    this.broadcast(namespace).close()
  }

  async serve(track: TrackId): Promise<void> {
    this.served.set(keyOf(track), this.broadcast(track.namespace).createTrack(track.name))
  }

  async wanted(track: TrackId): Promise<void> {
    await told(`publish ok: broadcast=${Path.from(...track.namespace)} track=${track.name}`)
  }

  async sendGroup(track: TrackId, group: number, payloads: readonly string[]): Promise<void> {
    const producer = new Group.Producer(group)
    this.served.get(keyOf(track))!.writeGroup(producer)
    for (const payload of payloads) producer.writeString(payload)
    producer.close()
  }

  async sendDatagram(): Promise<void> {
    throw new Error('@moq/net sends no datagrams to an IETF relay')
  }

  async subscribe(track: TrackId): Promise<void> {
    const path = Path.from(...track.namespace)
    const objects: Received[] = []
    const subscriber = this.connection.consume(path).track(track.name).subscribe()
    this.watched.set(keyOf(track), { objects, ended: collect(subscriber, objects) })
    await told(`broadcast=${path} track=${track.name}`, ['subscribe ok:', 'subscribe error:'])
  }

  async forward(): Promise<void> {
    throw new Error('@moq/net sends no REQUEST_UPDATE to an IETF relay')
  }

  async received(track: TrackId): Promise<Received[]> {
    return inOrder(this.watched.get(keyOf(track))?.objects ?? [])
  }

  async end(track: TrackId): Promise<void> {
    this.served.get(keyOf(track))!.close()
  }

  async ended(track: TrackId): Promise<void> {
    await this.watched.get(keyOf(track))?.ended
  }

  /** Nor here: what comes of it is in `namespaces`. */
  async subscribeNamespace(prefix: readonly string[]): Promise<void> {
    const announced = this.connection.announced(Path.from(...prefix))
    void (async () => {
      for (;;) {
        const event = await announced.next()
        if (!event) return
        const namespace = Path.from(...prefix, event.path)
        if (event.active) this.known.add(namespace)
        else this.known.delete(namespace)
      }
    })()
  }

  async namespaces(): Promise<string[]> {
    return [...this.known].sort()
  }

  async publish(): Promise<void> {
    throw new Error('@moq/net sends no PUBLISH')
  }

  async subscribeTracks(): Promise<void> {
    throw new Error('@moq/net sends no SUBSCRIBE_TRACKS')
  }

  async fetch(track: TrackId, { firstGroup }: GroupRange): Promise<Received[]> {
    const { namespace, name } = track
    await this.connection
      .consume(Path.from(...namespace))
      .track(name)
      .fetchGroup(firstGroup)
    throw new Error('@moq/net has learnt to fetch: take the objects')
  }

  async joiningFetch(): Promise<Received[]> {
    throw new Error('@moq/net has no joining FETCH')
  }

  async trackStatus(): Promise<Place | null> {
    throw new Error('@moq/net sends no TRACK_STATUS')
  }

  async goaway(): Promise<void> {
    await told('', ['received GOAWAY', 'error reading setup stream'])
  }

  async close(): Promise<void> {
    this.connection.close()
  }

  private broadcast(namespace: readonly string[]): Broadcast.Producer {
    const path = Path.from(...namespace)
    let broadcast = this.broadcasts.get(path)
    if (!broadcast) {
      broadcast = new Broadcast.Producer()
      this.broadcasts.set(path, broadcast)
    }
    return broadcast
  }
}

/** Settles when the track ends, well or not. */
async function collect(subscriber: Track.Subscriber, objects: Received[]): Promise<void> {
  for (;;) {
    const group = await subscriber.recvGroup().catch(() => undefined)
    if (!group) return
    for (;;) {
      const frame = await group.readFrameSequence().catch(() => undefined)
      if (!frame) break
      objects.push({
        group: group.sequence,
        object: frame.sequence,
        payload: textOf(frame.payload),
        datagram: false,
      })
    }
  }
}

// ---- The library tells of answers on the console alone.

const lines: string[] = []
const waiting = new Set<() => void>()
for (const level of ['debug', 'warn', 'error'] as const) {
  const print = console[level]
  console[level] = (...words: unknown[]) => {
    lines.push(words.join(' '))
    for (const look of waiting) look()
    print.apply(console, words)
  }
}

/** Waits for a line that starts and ends so; one that tells of an error rejects. */
async function told(end: string, starts: readonly string[] = ['']): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const look = () => {
    const found = lines.find((line) => {
      return line.includes(end) && starts.some((start) => line.startsWith(start))
    })
    if (found !== undefined) resolve(found)
  }
  waiting.add(look)
  look()
  const line = await promise
  waiting.delete(look)
  if (line.includes('error')) throw new Error(line)
}

expose(() => new MoqNetClient())
