/**
 * One QUIC connection: moves bytes between quiche and the streams, in the endpoint's flush. A flush
 * first lets every connection that received something `ingest` (callbacks run, the relay forwards),
 * then lets every connection that has something to send `emit`. Nothing else calls back.
 */

import type { HostPort, NativeConnection } from './binding.ts'
import type { ReadSlab } from './buffers.ts'
import { Inflow, type InflowHandler } from './inflow.ts'
import { Outflow, type OutflowHandler } from './outflow.ts'
import type { QuicLimits } from './settings.ts'
import { RAW_CODES, type StreamCodes } from './stream-codes.ts'
import type { QuicBidiStream, QuicReceiveStream } from './streams.ts'

/** Order of the peer's bidirectional streams, until their owner says otherwise. */
const DEFAULT_ORDER = 127

/** How the connection ended. */
export interface ConnectionEnd {
  readonly by: 'local' | 'peer' | 'timeout'
  /** Whether `code` is the application's (HTTP/3 or MoQT) and not QUIC's own. */
  readonly isApplication: boolean
  readonly code: number
  readonly reason: string
}

/** What speaks over the connection: raw MoQT or HTTP/3. Called from the flush only. */
export interface Application extends OutflowHandler {
  /** Codes with which a connection is closed when all is well, and when it is not. */
  readonly codes: { readonly done: number; readonly internalError: number }
  /** While false, streams and datagrams wait in QUIC: nobody is there yet to take them. */
  readonly ready: boolean
  /** Before anything is sent: the moment for what must not happen inside the owner's calls. */
  onFlush(): void
  onUni(stream: QuicReceiveStream): void
  onBidi(stream: QuicBidiStream): void
  onDatagram(bytes: Uint8Array): void
  onEnd(end: ConnectionEnd): void
}

/** What a connection needs of its endpoint. */
export interface ConnectionHost {
  readonly local: HostPort
  readonly limits: QuicLimits
  readonly slab: ReadSlab
  now(): number
  /** Asks for `ingest` and `emit` in the next flush. */
  schedule(connection: Connection): void
  /** The handshake is done: sets `application`. */
  established(connection: Connection): void
  /** Sends what quiche has to send. @returns false when it must go on in the next flush */
  transmit(native: NativeConnection): boolean
  /** The connection has ended; the application was told. */
  ended(connection: Connection): void
}

export class Connection implements InflowHandler {
  readonly native: NativeConnection
  readonly isServer: boolean
  readonly outflow: Outflow
  readonly inflow: Inflow
  /** Set by the endpoint once the handshake is done. */
  application: Application | null = null
  /** Used by the endpoint: whether the connection is on the list for the next flush. */
  scheduled = false
  /** When the connection is closed whatever happens, ms; Infinity for never. */
  expiresAt: number
  /** When `onTimeout` is due, ms. */
  timeoutAt = Number.POSITIVE_INFINITY
  /** When a silent peer is asked whether it is still there, ms. */
  keepAliveAt = Number.POSITIVE_INFINITY
  isEstablished = false
  failed = false
  /** Whether it was closed for its time being up, see `expire`. */
  expired = false
  /** How it ended, once it has. */
  end: ConnectionEnd | null = null
  #host: ConnectionHost
  #peer: HostPort
  /** The addresses of the last packet received. */
  #receiveInfo: { from: HostPort; to: HostPort }
  /** Whether something came that was not passed up yet. */
  #received = false
  /** Whether something was written since the last `emit`. */
  #wrote = false
  #emitting = false
  /** Whether something happened by which the connection may have ended. */
  #unsure = true

  constructor(
    host: ConnectionHost,
    native: NativeConnection,
    isServer: boolean,
    peer: HostPort,
    expiresAt: number,
  ) {
    this.#host = host
    this.native = native
    this.isServer = isServer
    this.#peer = peer
    this.#receiveInfo = { from: peer, to: host.local }
    this.expiresAt = expiresAt
    const { limits, slab } = host
    const schedule = () => {
      this.#wrote = true
      // What comes of a flush itself goes out at its end.
      if (!this.#emitting) host.schedule(this)
    }
    this.outflow = new Outflow(native, isServer, limits, () => host.now(), schedule)
    const maxStops = Math.floor(limits.uniStreams / 2)
    this.inflow = new Inflow(native, isServer, slab, maxStops, schedule)
  }

  /** `host:port` of the peer. */
  get peerName(): string {
    const { host, port } = this.#peer
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  }

  // --- packets in -------------------------------------------------------------------------------

  /** Takes a packet. @returns whether it came from an address other than the last one */
  receive(packet: Uint8Array, from: { address: string; port: number }): boolean {
    const last = this.#receiveInfo.from
    const moved = from.port !== last.port || from.address !== last.host
    if (moved) {
      const sender = { host: from.address, port: from.port }
      this.#receiveInfo = { from: sender, to: this.#host.local }
    }
    this.#received = true
    this.#unsure = true
    this.#expectWithin()
    try {
      this.native.recv(packet, this.#receiveInfo)
    } catch {
      // The peer broke QUIC: quiche has closed the connection and `emit` will find it closed.
    }
    this.#host.schedule(this)
    return moved
  }

  /** Follows a peer whose new address quiche has checked (RFC 9000, Section 9). */
  readPathEvents(): void {
    for (let event = this.native.pathEventNext(); event; event = this.native.pathEventNext()) {
      if (event.type === 'PeerMigrated' && event.new !== undefined) {
        this.#peer = { host: event.new.host, port: Number(event.new.port) }
      }
    }
  }

  /** First half of a flush: everything that arrived goes up. */
  ingest(): void {
    if (this.end !== null) return
    if (!this.isEstablished) {
      if (!this.native.isEstablished()) return
      this.isEstablished = true
      this.outflow.begin()
      this.#host.established(this)
    }
    const { application } = this
    if (application === null) return
    const { inflow } = this
    if (application.ready && (this.#received || inflow.hasResumed)) inflow.deliver(this)
    if (!this.#received) return
    this.#received = !application.ready
    this.outflow.onReceived(application)
  }

  // --- InflowHandler ----------------------------------------------------------------------------

  get ready(): boolean {
    return this.end === null && this.application?.ready === true
  }

  onDatagram(bytes: Uint8Array): void {
    this.application?.onDatagram(bytes)
  }

  onStream(receive: QuicReceiveStream): void {
    if ((receive.id & 2) !== 0) {
      this.application?.onUni(receive)
      return
    }
    const send = this.outflow.adopt(receive.id, DEFAULT_ORDER, RAW_CODES)
    this.application?.onBidi({ send, receive })
  }

  // --- packets out ------------------------------------------------------------------------------

  /** Second half of a flush: everything written goes out. @returns false once all is over */
  emit(): boolean {
    this.application?.onFlush()
    if (this.isEstablished) this.#fill()
    // What still waits may be taken once this has been sent.
    if (this.#wrote && !this.outflow.isIdle) this.#host.schedule(this)
    this.#wrote = false
    this.transmit()
    if (this.#unsure && !this.#goesOn()) return false
    // Callbacks of other connections may have changed what this flush has already passed.
    if (this.inflow.hasResumed || (this.#received && this.ready)) this.#host.schedule(this)
    const timeout = this.native.timeout()
    // quiche rounds down; a millisecond more saves a useless call.
    this.timeoutAt =
      timeout === null ? Number.POSITIVE_INFINITY : this.#host.now() + Math.max(timeout, 0) + 1
    return true
  }

  #fill(): void {
    this.#emitting = true
    try {
      this.outflow.flush(this.application)
    } finally {
      this.#emitting = false
    }
  }

  /** Finds out whether the connection has ended. @returns false once nothing is to be sent either */
  #goesOn(): boolean {
    const isClosed = this.native.isClosed()
    const isEnding = isClosed || this.native.isDraining()
    if (this.end === null && isEnding) this.#end()
    // Until it drains, the next flush may be the one that sends its last packet.
    this.#unsure = isEnding || this.#wrote
    return !isClosed
  }

  transmit(): void {
    if (!this.#host.transmit(this.native)) this.#write()
  }

  /** Asks for a flush in which packets are sent. */
  #write(): void {
    this.#wrote = true
    this.#host.schedule(this)
  }

  /** When the earliest of its timers is due, ms. */
  get wakeAt(): number {
    return Math.min(this.timeoutAt, this.expiresAt, this.keepAliveAt)
  }

  /** Does what is due. */
  onTime(now: number): void {
    if (this.timeoutAt <= now) this.#onTimeout()
    if (this.expiresAt <= now) this.expire()
    if (this.keepAliveAt <= now) this.#keepAlive()
  }

  #onTimeout(): void {
    this.timeoutAt = Number.POSITIVE_INFINITY
    this.native.onTimeout()
    this.#unsure = true
    this.#write()
  }

  /**
   * An endpoint that has nothing to say is kept, one that is gone is found out after an idle timeout
   * (RFC 9000, Section 10.1.2).
   */
  #keepAlive(): void {
    this.#expectWithin()
    if (this.end !== null || !this.isEstablished) return
    try {
      this.native.sendAckEliciting()
    } catch {
      // already closed
    }
    this.#write()
  }

  #expectWithin(): void {
    this.keepAliveAt = this.#host.now() + this.#host.limits.idleTimeoutMs / 3
  }

  // --- the owner's calls: none of them calls back -----------------------------------------------

  openBidi(order: number, preface: Uint8Array | null, codes: StreamCodes): QuicBidiStream | null {
    const send = this.outflow.openBidi(order, preface, codes)
    return send === null ? null : { send, receive: this.inflow.adopt(send.id, codes) }
  }

  /** Asks for a flush: e.g. what was received and held back may be taken now. */
  wake(): void {
    this.#write()
  }

  /** Closes at once; `onEnd` follows in the flush. */
  close(isApplication: boolean, code: number, reason: string): void {
    try {
      this.native.close(isApplication, code, new TextEncoder().encode(reason))
    } catch {
      // already closed
    }
    this.#unsure = true
    this.#write()
  }

  /** Sets the time at which the connection is closed whatever happens, ms. */
  expireAt(time: number): void {
    this.expiresAt = time
    this.#host.schedule(this)
  }

  /** It has not become a session in time, or has lingered long enough after one. */
  expire(): void {
    this.expired = true
    this.leave()
  }

  /** Closes in good order. */
  leave(): void {
    this.expiresAt = Number.POSITIVE_INFINITY
    const code = this.application?.codes.done ?? 0
    this.close(this.application !== null, code, this.isEstablished ? '' : 'handshake timed out')
  }

  /** An error of ours; told to the peer as such. */
  fail(): void {
    this.failed = true
    const code = this.application?.codes.internalError ?? 1
    this.close(this.application !== null, code, 'internal error')
  }

  // --- the end ----------------------------------------------------------------------------------

  /**
   * Ends the application's streams, without a word to the peer.
   * @param code MoQT stream reset code that receivers are told
   * @param codes what marks the streams as the application's
   */
  endStreams(code: number, codes: StreamCodes): void {
    this.inflow.endStreams(code, codes)
    this.outflow.endStreams(codes)
  }

  #end(): void {
    this.end = describeEnd(this.native)
    this.outflow.end()
    try {
      this.application?.onEnd(this.end)
    } finally {
      this.inflow.end()
      this.#host.ended(this)
    }
  }
}

function describeEnd(native: NativeConnection): ConnectionEnd {
  const peer = native.peerError()
  const error = peer ?? native.localError()
  if (error === null) {
    const reason = native.isTimedOut() ? 'the connection timed out' : 'the connection was lost'
    return { by: 'timeout', isApplication: false, code: 0, reason }
  }
  return {
    by: peer === null ? 'local' : 'peer',
    isApplication: error.isApp,
    code: error.errorCode,
    reason: new TextDecoder().decode(error.reason),
  }
}
