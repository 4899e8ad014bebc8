/**
 * A bad network in user space: UDP between clients and one server, each way through a `Link`. All
 * clients share the two links, as a household shares its access line; for receivers of different
 * rates, start one shaper for each. It listens on and sends to loopback or any other IPv4 address.
 */

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import {
  Link,
  type LinkConditions,
  type LinkStats,
  NO_SHAPING,
} from '../../sfu/simulation/net/link.ts'
import { seededRandom } from '../../sfu/simulation/net/random.ts'

export interface ShaperOptions {
  /** Where the server listens. */
  readonly to: { readonly host: string; readonly port: number }
  /** Default: loopback, any free port. */
  readonly listen?: { readonly host?: string; readonly port?: number }
  /** From the server to the clients; default no shaping. */
  readonly down?: Partial<LinkConditions>
  /** From the clients to the server. */
  readonly up?: Partial<LinkConditions>
  /** Default 1. */
  readonly seed?: number
}

export interface ShaperStats {
  readonly clients: number
  readonly up: Readonly<LinkStats> & { readonly backlog: number }
  readonly down: Readonly<LinkStats> & { readonly backlog: number }
}

/** IPv4 and UDP headers count at the bottleneck. */
const HEADER_BYTES = 28
const KERNEL_BUFFER = 4 * 1024 * 1024
/** Clients at once; packets of one more are ignored. */
const MAX_CLIENTS = 1024
/** A client that is silent for so long is forgotten, ms. */
const CLIENT_IDLE_MS = 60_000

/** A client's address, and the socket that stands for it towards the server. */
interface Client {
  readonly address: string
  readonly port: number
  readonly back: Socket
  heardAt: number
}

interface Parcel {
  readonly client: Client
  readonly bytes: Uint8Array
}

export class Shaper {
  private readonly options: ShaperOptions
  private readonly front = createSocket({
    type: 'udp4',
    recvBufferSize: KERNEL_BUFFER,
    sendBufferSize: KERNEL_BUFFER,
  })
  private readonly clients = new Map<string, Client>()
  private readonly up: Link<Parcel>
  private readonly down: Link<Parcel>
  private timer: NodeJS.Timeout | null = null
  private sweeper: NodeJS.Timeout | null = null
  private dueAt = Number.POSITIVE_INFINITY
  private closed = false

  private constructor(options: ShaperOptions) {
    this.options = options
    const seed = options.seed ?? 1
    this.up = new Link({ ...NO_SHAPING, ...options.up }, seededRandom(seed))
    this.down = new Link({ ...NO_SHAPING, ...options.down }, seededRandom(seed + 1))
  }

  /** @returns a shaper that listens. Rejects with the system's error when it cannot. */
  static async start(options: ShaperOptions): Promise<Shaper> {
    const shaper = new Shaper(options)
    const { front } = shaper
    await new Promise<void>((resolve, reject) => {
      front.once('error', reject)
      front.bind(options.listen?.port ?? 0, options.listen?.host ?? '127.0.0.1', () => {
        front.off('error', reject)
        resolve()
      })
    })
    front.on('error', ignore)
    front.on('message', (bytes, from) => shaper.fromClient(bytes, from))
    shaper.sweeper = setInterval(() => shaper.sweep(), CLIENT_IDLE_MS / 4)
    shaper.sweeper.unref()
    return shaper
  }

  /** UDP port on which clients find the server. */
  get port(): number {
    return this.front.address().port
  }

  /** Changes the network; what waits in a queue goes on under the new conditions. */
  change(changes: { up?: Partial<LinkConditions>; down?: Partial<LinkConditions> }): void {
    const now = performance.now()
    if (changes.up) this.up.change(changes.up, now)
    if (changes.down) this.down.change(changes.down, now)
    this.move()
  }

  /** Since the start; backlog is bytes that wait now. */
  stats(): ShaperStats {
    return {
      clients: this.clients.size,
      up: { ...this.up.stats, backlog: this.up.backlog },
      down: { ...this.down.stats, backlog: this.down.backlog },
    }
  }

  /** Frees the ports; what was under way is lost. */
  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    if (this.timer) clearTimeout(this.timer)
    if (this.sweeper) clearInterval(this.sweeper)
    for (const { back } of this.clients.values()) back.close()
    this.clients.clear()
    await new Promise<void>((resolve) => this.front.close(() => resolve()))
  }

  private fromClient(bytes: Uint8Array, from: RemoteInfo): void {
    const client = this.clientOf(from)
    if (!client) return
    const now = performance.now()
    client.heardAt = now
    this.up.offer({ client, bytes }, bytes.length + HEADER_BYTES, now)
    this.move()
  }

  private clientOf(from: RemoteInfo): Client | null {
    const { address, port } = from
    const key = keyOf(from)
    const known = this.clients.get(key)
    if (known) return known
    if (this.clients.size >= MAX_CLIENTS) return null
    const back = createSocket({
      type: 'udp4',
      recvBufferSize: KERNEL_BUFFER,
      sendBufferSize: KERNEL_BUFFER,
    })
    const client: Client = { address, port, back, heardAt: 0 }
    back.on('error', ignore)
    back.on('message', (bytes) => {
      this.down.offer({ client, bytes }, bytes.length + HEADER_BYTES, performance.now())
      this.move()
    })
    this.clients.set(key, client)
    return client
  }

  /** Hands over what has arrived, and comes back when more does. */
  private move(): void {
    if (this.closed) return
    const now = performance.now()
    const { host, port } = this.options.to
    for (let parcel = this.up.take(now); parcel; parcel = this.up.take(now)) {
      if (this.isOpen(parcel.client)) parcel.client.back.send(parcel.bytes, port, host, ignore)
    }
    for (let parcel = this.down.take(now); parcel; parcel = this.down.take(now)) {
      const { client, bytes } = parcel
      if (this.isOpen(client)) this.front.send(bytes, client.port, client.address, ignore)
    }
    this.comeBack(now)
  }

  private comeBack(now: number): void {
    const next = Math.min(this.up.nextAt(), this.down.nextAt())
    if (this.timer && this.dueAt <= next) return
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
    this.dueAt = next
    if (next === Number.POSITIVE_INFINITY) return
    this.timer = setTimeout(
      () => {
        this.timer = null
        this.move()
      },
      Math.max(0, next - now),
    )
  }

  private isOpen(client: Client): boolean {
    return this.clients.get(keyOf(client)) === client
  }

  private sweep(): void {
    const oldest = performance.now() - CLIENT_IDLE_MS
    for (const [key, { heardAt, back }] of this.clients) {
      if (heardAt >= oldest) continue
      this.clients.delete(key)
      back.close()
    }
  }
}

function keyOf({ address, port }: { readonly address: string; readonly port: number }): string {
  return `${address}:${port}`
}

/** A packet that cannot be sent is a packet lost. */
function ignore(): void {}
