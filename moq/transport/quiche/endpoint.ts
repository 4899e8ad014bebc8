/**
 * One UDP socket and the QUIC connections on it. Packets that arrive are routed by connection id;
 * once a turn of the event loop, a flush serves every connection that has something to do, so that
 * what many packets cause is sent together.
 */

import { writeFileSync } from 'node:fs'
import type { HostPort, NativeConfig, NativeConnection, QuicheBinding } from './binding.ts'
import { PacketRing, ReadSlab } from './buffers.ts'
import { Connection, type ConnectionHost } from './connection.ts'
import { CONNECTION_ID_LENGTH, connectionKey, NO_ROUTE, routeOf } from './packet.ts'
import type { QuicClock, QuicLimits, QuicLog } from './settings.ts'
import { type Datagram, type KernelBuffer, openUdpSocket, type UdpSocket } from './udp-socket.ts'

/** Packets that one connection sends before the others have their turn. */
const BURST = 256

/** Connection ids that a peer gets to move between addresses, beside its first. */
const SPARE_IDS = 2

export interface EndpointOptions {
  readonly host: string
  readonly port: number
  readonly binding: QuicheBinding
  readonly limits: QuicLimits
  readonly log: QuicLog
  readonly clock: QuicClock
  randomBytes(length: number): Uint8Array
  readonly keyLogFile?: string | undefined
  /** Sets the connection's application once its handshake is done. */
  onEstablished(connection: Connection): void
  /** The connection has ended; `end` says how. It is kept until late packets have been answered. */
  onEnded(connection: Connection): void
  /** The connection is gone. */
  onGone?(connection: Connection): void
  /** A packet that belongs to no connection; a client drops it. */
  onUnknown(packet: Uint8Array, from: HostPort): void
}

export interface EndpointStats {
  packetsReceived: number
  packetsSent: number
  bytesReceived: number
  bytesSent: number
  sendErrors: number
  /** Connections that ended by a bug of ours or of the binding's. */
  faults: number
}

export class Endpoint implements ConnectionHost {
  readonly limits: QuicLimits
  readonly slab = new ReadSlab()
  readonly stats: EndpointStats = {
    packetsReceived: 0,
    packetsSent: 0,
    bytesReceived: 0,
    bytesSent: 0,
    sendErrors: 0,
    faults: 0,
  }
  #options: EndpointOptions
  #socket: UdpSocket
  #ring = new PacketRing()
  /** Each connection and the keys that lead to it. */
  #connections = new Map<Connection, Set<number>>()
  #routes = new Map<number, Connection>()
  #scheduled: Connection[] = []
  #flushing: NodeJS.Immediate | null = null
  #timer: NodeJS.Timeout | null = null
  #timerAt = Number.POSITIVE_INFINITY
  #opened = 0
  #closed = false
  readonly #flush = () => this.#runFlush()
  readonly #wake = () => this.#runTimers()

  private constructor(options: EndpointOptions, socket: UdpSocket) {
    this.#options = options
    this.limits = options.limits
    this.#socket = socket
    socket.onDatagram = (packet, from) => this.#receive(packet, from)
    socket.onSendError = () => {
      this.stats.sendErrors++
    }
  }

  /** @throws EngineError if the address cannot be bound */
  static async open(options: EndpointOptions): Promise<Endpoint> {
    return new Endpoint(options, await openUdpSocket(options.host, options.port))
  }

  get local(): HostPort {
    return this.#socket.local
  }

  /** See `UdpSocket.kernelBuffer`. */
  get kernelBuffer(): KernelBuffer {
    return this.#socket.kernelBuffer
  }

  get size(): number {
    return this.#connections.size
  }

  now(): number {
    return this.#options.clock.now()
  }

  // --- connections ----------------------------------------------------------------------------

  /** A connection id of ours that leads nowhere yet. */
  newConnectionId(): Uint8Array {
    for (;;) {
      const id = this.#options.randomBytes(CONNECTION_ID_LENGTH)
      if (!this.#routes.has(connectionKey(id))) return id
    }
  }

  /**
   * Takes the server's part of a connection.
   * @param id our connection id, from `newConnectionId`
   * @param firstId the connection id that the client sends to until it knows ours
   * @param originalId the one that it sent to before a Retry, or null
   */
  accept(
    config: NativeConfig,
    peer: HostPort,
    id: Uint8Array,
    firstId: Uint8Array,
    originalId: Uint8Array | null,
  ): Connection {
    const { binding } = this.#options
    const native = binding.Connection.accept(id, originalId, this.local, peer, config)
    const connection = this.#add(native, true, peer, id)
    this.#route(connection, connectionKey(firstId))
    return connection
  }

  connect(config: NativeConfig, peer: HostPort, serverName: string | null): Connection {
    const { binding } = this.#options
    const id = this.newConnectionId()
    const native = binding.Connection.connect(serverName, id, this.local, peer, config)
    const connection = this.#add(native, false, peer, id)
    this.schedule(connection)
    return connection
  }

  #add(native: NativeConnection, isServer: boolean, peer: HostPort, id: Uint8Array): Connection {
    if (this.#options.keyLogFile !== undefined) {
      const file = `${this.#options.keyLogFile}.${this.#opened++}`
      // Made here first, since quiche would make it readable by everybody.
      writeFileSync(file, '', { mode: 0o600 })
      native.setKeylog(file)
    }
    const expiresAt = this.now() + this.limits.handshakeTimeoutMs
    const connection = new Connection(this, native, isServer, peer, expiresAt)
    this.#connections.set(connection, new Set())
    this.#route(connection, connectionKey(id))
    this.#wakeBy(expiresAt)
    return connection
  }

  #route(connection: Connection, key: number): void {
    this.#connections.get(connection)!.add(key)
    this.#routes.set(key, connection)
  }

  #remove(connection: Connection): void {
    for (const key of this.#connections.get(connection) ?? []) {
      if (this.#routes.get(key) === connection) this.#routes.delete(key)
    }
    this.#connections.delete(connection)
    this.#options.onGone?.(connection)
  }

  /** Keeps the peer supplied with connection ids and forgets those that it gave back. */
  #renewIds(connection: Connection): void {
    const keys = this.#connections.get(connection)
    if (keys === undefined || !connection.isEstablished) return
    const { native } = connection
    for (let id = native.retiredScidNext(); id !== null; id = native.retiredScidNext()) {
      const key = connectionKey(id)
      keys.delete(key)
      this.#routes.delete(key)
    }
    const idsBeforeSpares = 2
    while (keys.size < idsBeforeSpares + SPARE_IDS && native.sourceCidsLeft() > 0) {
      const id = this.newConnectionId()
      const token = Buffer.from(this.#options.randomBytes(16))
      native.newSourceCid(id, BigInt(`0x${token.toString('hex')}`), false)
      this.#route(connection, connectionKey(id))
    }
  }

  // --- packets --------------------------------------------------------------------------------

  #receive(packet: Uint8Array, from: Datagram): void {
    this.stats.packetsReceived++
    this.stats.bytesReceived += packet.length
    const route = routeOf(packet)
    const connection = route === NO_ROUTE ? undefined : this.#routes.get(route)
    if (connection === undefined) {
      this.#options.onUnknown(packet, { host: from.address, port: from.port })
    } else if (connection.receive(packet, from)) {
      this.#moved(connection)
    }
  }

  /** The peer's packets come from another address: quiche checks it, we only keep the ids going. */
  #moved(connection: Connection): void {
    connection.readPathEvents()
    this.#renewIds(connection)
  }

  /** Sends a packet that belongs to no connection. */
  sendOnce(packet: Uint8Array, to: HostPort): void {
    this.#count(packet.length)
    this.#socket.send(packet, packet.length, to)
  }

  transmit(native: NativeConnection): boolean {
    const ring = this.#ring
    for (let i = 0; i < BURST; i++) {
      if ((i & 63) === 0 && ring.isBehind(this.#socket.held)) return false
      const sent = native.send(ring.slot)
      if (sent === null) return true
      this.#count(sent[0])
      this.#socket.send(ring.slot, sent[0], sent[1].to)
      ring.advance()
    }
    return false
  }

  #count(bytes: number): void {
    this.stats.packetsSent++
    this.stats.bytesSent += bytes
  }

  // --- the flush ------------------------------------------------------------------------------

  schedule(connection: Connection): void {
    if (connection.scheduled) return
    connection.scheduled = true
    this.#scheduled.push(connection)
    if (this.#flushing === null && !this.#closed) this.#flushing = setImmediate(this.#flush)
  }

  #runFlush(): void {
    this.#flushing = null
    // Callbacks schedule more connections (the relay forwards): the length is read anew.
    for (let i = 0; i < this.#scheduled.length; i++) this.#guard(this.#scheduled[i]!, 'ingest')
    const emitting = this.#scheduled
    this.#scheduled = []
    for (const connection of emitting) connection.scheduled = false
    let earliest = Number.POSITIVE_INFINITY
    for (const connection of emitting) {
      this.#guard(connection, 'emit')
      earliest = Math.min(earliest, connection.wakeAt)
    }
    this.#wakeBy(earliest)
  }

  #guard(connection: Connection, half: 'ingest' | 'emit'): void {
    if (!this.#connections.has(connection)) return
    try {
      if (half === 'ingest') connection.ingest()
      else if (!connection.emit()) this.#remove(connection)
    } catch (error) {
      this.faulted(connection, error)
    }
  }

  established(connection: Connection): void {
    this.#renewIds(connection)
    this.#options.onEstablished(connection)
  }

  ended(connection: Connection): void {
    this.#options.onEnded(connection)
  }

  /** An error of ours costs its own connection and no other. */
  faulted(connection: Connection, error: unknown): void {
    this.stats.faults++
    const { log } = this.#options
    log.warn('a connection failed on our side', {
      peer: connection.peerName,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
    if (connection.failed) this.#remove(connection)
    else connection.fail()
  }

  // --- timers ---------------------------------------------------------------------------------

  #wakeBy(time: number): void {
    if (time >= this.#timerAt || this.#closed) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timerAt = time
    this.#timer = setTimeout(this.#wake, Math.max(1, Math.ceil(time - this.now())))
  }

  #runTimers(): void {
    this.#timer = null
    this.#timerAt = Number.POSITIVE_INFINITY
    const now = this.now()
    let earliest = Number.POSITIVE_INFINITY
    for (const connection of this.#connections.keys()) {
      if (connection.wakeAt <= now) connection.onTime(now)
      earliest = Math.min(earliest, connection.wakeAt)
    }
    this.#wakeBy(earliest)
  }

  // --- the end --------------------------------------------------------------------------------

  /** Sends what sessions still have to say, closes every connection and stops. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#runFlush()
    for (const connection of this.#connections.keys()) connection.leave()
    this.#runFlush()
    this.#closed = true
    if (this.#flushing !== null) clearImmediate(this.#flushing)
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#socket.close()
  }
}
