/**
 * A MoQT session over a QUIC connection of its own, raw or through WebTransport. What differs
 * between the two is in the `Carrier`: the bytes that begin a stream or datagram, the mapping of
 * codes, and how the end is told.
 */

import { SESSION_INTERNAL_ERROR, STREAM_SESSION_CLOSED } from '../codes.ts'
import type {
  BidiStream,
  CloseInfo,
  Congestion,
  SendStream,
  TransportHandler,
  TransportSession,
} from '../transport.ts'
import type { Connection } from './connection.ts'
import type { StreamCodes } from './stream-codes.ts'
import type { QuicBidiStream, QuicReceiveStream } from './streams.ts'

export interface Carrier {
  readonly kind: 'quic' | 'webtransport'
  /** Also what marks a stream as the session's. */
  readonly codes: StreamCodes
  readonly uniPreface: Uint8Array | null
  readonly bidiPreface: Uint8Array | null
  readonly datagramPrefix: Uint8Array | null
  /** Whether the streams that we still send on are reset before `sendClose`; else what waits goes out. */
  readonly resetsAtClose: boolean
  /** Tells the peer that the session ends. Called from the flush. */
  sendClose(code: number, reason: string): void
}

export interface SessionFacts {
  readonly protocol: string
  readonly path: string
  /** Of the request, at a server. */
  readonly authority?: string
}

/** Datagrams are copied by quiche, so one buffer serves all that need a prefix. */
const scratch = new Uint8Array(65_536)

export class QuicSession implements TransportSession {
  readonly kind: 'quic' | 'webtransport'
  readonly protocol: string
  readonly path: string
  readonly authority: string | undefined
  readonly peer: string
  #connection: Connection
  #carrier: Carrier
  #handler: TransportHandler | null = null
  #state: 'open' | 'closing' | 'closed' = 'open'
  #closing: CloseInfo | null = null
  #onClosed: () => void

  /** @param onClosed called once, after the handler's */
  constructor(
    connection: Connection,
    carrier: Carrier,
    facts: SessionFacts,
    onClosed: () => void = () => {},
  ) {
    this.kind = carrier.kind
    this.protocol = facts.protocol
    this.path = facts.path
    this.authority = facts.authority
    this.peer = connection.peerName
    this.#connection = connection
    this.#carrier = carrier
    this.#onClosed = onClosed
    connection.expiresAt = Number.POSITIVE_INFINITY
  }

  get handler(): TransportHandler | null {
    return this.#handler
  }

  set handler(handler: TransportHandler | null) {
    this.#handler = handler
    if (handler !== null) this.#connection.wake()
  }

  /** Whether what arrives has somebody to take it. */
  get ready(): boolean {
    return this.#handler !== null || this.#state !== 'open'
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  // --- TransportSession -----------------------------------------------------------------------

  get maxDatagramSize(): number {
    if (this.#state !== 'open') return 0
    const prefix = this.#carrier.datagramPrefix
    return Math.max(0, this.#connection.outflow.maxDatagram - (prefix === null ? 0 : prefix.length))
  }

  openUni(order: number): SendStream | null {
    if (this.#state !== 'open') return null
    return this.#connection.outflow.openUni(order, this.#carrier.uniPreface, this.#carrier.codes)
  }

  openBidi(order: number): BidiStream | null {
    if (this.#state !== 'open') return null
    return this.#connection.openBidi(order, this.#carrier.bidiPreface, this.#carrier.codes)
  }

  sendDatagram(bytes: Uint8Array): boolean {
    if (bytes.length > this.maxDatagramSize) return false
    const prefix = this.#carrier.datagramPrefix
    if (prefix === null) return this.#connection.outflow.sendDatagram(bytes)
    scratch.set(prefix)
    scratch.set(bytes, prefix.length)
    return this.#connection.outflow.sendDatagram(scratch.subarray(0, prefix.length + bytes.length))
  }

  wantRoom(): void {
    if (this.#state === 'open') this.#connection.outflow.wantRoom()
  }

  congestion(): Congestion | null {
    return this.#state === 'open' ? this.#connection.outflow.congestion() : null
  }

  close(code: number, reason: string): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    this.#closing = { by: 'local', code, reason }
    this.#connection.wake()
  }

  // --- called from the flush ------------------------------------------------------------------

  onFlush(): void {
    if (this.#state !== 'closing') return
    const closing = this.#closing!
    const { outflow } = this.#connection
    const { codes, resetsAtClose } = this.#carrier
    if (resetsAtClose) outflow.resetStreams(STREAM_SESSION_CLOSED, codes)
    else outflow.flush(null)
    this.#carrier.sendClose(closing.code, closing.reason)
    this.end(closing)
  }

  deliverUni(stream: QuicReceiveStream): void {
    if (this.#state === 'open') this.#handler?.onUni(stream)
  }

  deliverBidi(stream: QuicBidiStream): void {
    if (this.#state === 'open') this.#handler?.onBidi(stream)
  }

  deliverDatagram(bytes: Uint8Array): void {
    if (this.#state === 'open') this.#handler?.onDatagram(bytes)
  }

  onStreamCredit(): void {
    if (this.#state === 'open') this.#handler?.onStreamCredit()
  }

  onRoom(bytes: number): void {
    if (this.#state === 'open') this.#handler?.onRoom(bytes)
  }

  onOverflow(reason: string): void {
    this.close(SESSION_INTERNAL_ERROR, reason)
  }

  /** Ends the session: its streams are reset, then its owner is told. */
  end(info: CloseInfo): void {
    if (this.#state === 'closed') return
    // What the owner itself began, it is told as such, even if the peer was as fast.
    const told = this.#closing ?? info
    this.#state = 'closed'
    this.#connection.endStreams(STREAM_SESSION_CLOSED, this.#carrier.codes)
    try {
      this.#handler?.onClosed(told)
    } finally {
      this.#onClosed()
    }
  }
}
