/** The outgoing half of a connection: send streams, datagrams, stream credit and room. */

import type { Congestion } from '../transport.ts'
import { type NativeConnection, SHUTDOWN_WRITE, streamErrorCode } from './binding.ts'
import { PathView } from './path-view.ts'
import { SendQueue, type SendQueueHandler } from './send-queue.ts'
import { SendWindow } from './send-window.ts'
import type { QuicLimits } from './settings.ts'
import type { StreamCodes } from './stream-codes.ts'
import { QuicSendStream, type SendOwner } from './streams.ts'
import { Unacknowledged } from './unacknowledged.ts'

/** Bytes given to `onRoom` are at least one packet's. */
const MIN_ROOM = 1200

/**
 * Streams that one flush asks whether the peer has stopped them, at 0.1 µs each. A stream that is not
 * asked within a round trip loses the code; browsers and our own limits allow fewer streams than this.
 */
const MAX_STOP_LOOKS = 256

export interface OutflowHandler {
  onStreamCredit(): void
  onRoom(bytes: number): void
  /** A stream or the connection buffers more than it may. */
  onOverflow(reason: string): void
}

export class Outflow implements SendOwner, SendQueueHandler {
  #native: NativeConnection
  #limits: QuicLimits
  #schedule: () => void
  #window: SendWindow
  #queue = new SendQueue()
  #unacknowledged: Unacknowledged
  #open = new Map<number, QuicSendStream>()
  #stopScan: Iterator<QuicSendStream> | null = null
  #wantsRoom = false
  #wantsCredit = false
  #nextUni: number
  #nextBidi: number
  #maxDatagram = 0
  #ended = false
  /** Why the buffers are too full, once they are. */
  #overflow: string | null = null

  /** @param schedule asks for a flush */
  constructor(
    native: NativeConnection,
    isServer: boolean,
    limits: QuicLimits,
    now: () => number,
    schedule: () => void,
  ) {
    this.#native = native
    this.#limits = limits
    this.#schedule = schedule
    this.#window = new SendWindow(native, new PathView(native, now))
    this.#unacknowledged = new Unacknowledged(native)
    this.#nextUni = isServer ? 3 : 2
    this.#nextBidi = isServer ? 1 : 0
  }

  // --- the owner's calls: none of them calls back ----------------------------------------------

  /** Largest datagram, bytes; 0 before the handshake and after the end. */
  get maxDatagram(): number {
    return this.#maxDatagram
  }

  /** Bytes that wait to be sent, or are kept until the peer acknowledges them. */
  get held(): number {
    return this.#queue.bytes + this.#unacknowledged.bytes
  }

  /** Whether more is held than may be; the owner was told, or will be in the next flush. */
  get isOverfull(): boolean {
    return this.#overflow !== null
  }

  /** @param preface bytes that begin the stream */
  openUni(order: number, preface: Uint8Array | null, codes: StreamCodes): QuicSendStream | null {
    if (this.#ended || this.#native.peerStreamsLeftUni() === 0) return this.#noCredit()
    const id = this.#nextUni
    this.#nextUni += 4
    return this.#create(id, order, preface, codes)
  }

  /** The sending half of a new bidirectional stream. */
  openBidi(order: number, preface: Uint8Array | null, codes: StreamCodes): QuicSendStream | null {
    if (this.#ended || this.#native.peerStreamsLeftBidi() === 0) return this.#noCredit()
    const id = this.#nextBidi
    this.#nextBidi += 4
    return this.#create(id, order, preface, codes)
  }

  #noCredit(): null {
    this.#wantsCredit = true
    return null
  }

  #create(
    id: number,
    order: number,
    preface: Uint8Array | null,
    codes: StreamCodes,
  ): QuicSendStream {
    const stream = this.adopt(id, order, codes)
    // Creates the stream in quiche, so that it counts against the credit from now on.
    this.#native.streamPriority(id, order, false)
    if (preface !== null) stream.write(preface)
    return stream
  }

  /** Takes the sending half of a stream that exists already. */
  adopt(id: number, order: number, codes: StreamCodes): QuicSendStream {
    const stream = new QuicSendStream(this, id, order, codes)
    this.#open.set(id, stream)
    return stream
  }

  sendDatagram(bytes: Uint8Array): boolean {
    if (bytes.length > this.#maxDatagram) return false
    let taken: boolean
    try {
      taken = this.#native.dgramSend(bytes) !== null
    } catch {
      taken = false // the path became narrower
      this.#maxDatagram = this.#native.dgramMaxWritableLen() ?? 0
    }
    this.#schedule()
    return taken
  }

  /** Whether nothing waits to be sent, nor to be asked for. */
  get isIdle(): boolean {
    return this.#queue.isEmpty && !this.#wantsRoom
  }

  wantRoom(): void {
    if (this.#ended || this.#wantsRoom) return
    this.#wantsRoom = true
    this.#schedule()
  }

  congestion(): Congestion | null {
    if (this.#ended) return null
    const { rtt, cwnd, deliveryRate, lost } = this.#window.path.stats
    return {
      rttMs: rtt,
      congestionWindow: cwnd,
      bytesInFlight: Math.max(0, cwnd - this.#window.left(this.#open)),
      deliveryRate: deliveryRate * 8,
      lostPackets: lost,
    }
  }

  // --- SendOwner --------------------------------------------------------------------------------

  sendLater(stream: QuicSendStream, added: number): void {
    this.#queue.add(stream, added)
    this.#schedule()
    const { streamBuffer, sessionBuffer } = this.#limits
    if (stream.buffered > streamBuffer) {
      this.#overflow ??= `a stream buffers more than ${streamBuffer} bytes`
    } else if (this.held > sessionBuffer) {
      this.#overflow ??= `the session buffers more than ${sessionBuffer} bytes`
    }
  }

  resetSending(stream: QuicSendStream, wireCode: number, dropped: number): void {
    this.#open.delete(stream.id)
    this.#queue.bytes -= dropped
    try {
      this.#native.streamShutdown(stream.id, SHUTDOWN_WRITE, wireCode)
    } catch {
      // the stream is gone
    }
    this.#schedule()
  }

  setOrder(stream: QuicSendStream, order: number): void {
    this.#queue.reordered()
    this.#native.streamPriority(stream.id, order, false)
  }

  // --- called from the flush ----------------------------------------------------------------------

  /** The handshake is done. */
  begin(): void {
    this.#maxDatagram = this.#native.dgramMaxWritableLen() ?? 0
  }

  /** Packets came: looks for what they changed. */
  onReceived(handler: OutflowHandler): void {
    this.#findStops()
    this.#unacknowledged.look()
    if (!this.#wantsCredit) return
    if (this.#native.peerStreamsLeftUni() + this.#native.peerStreamsLeftBidi() === 0) return
    this.#wantsCredit = false
    handler.onStreamCredit()
  }

  /** Gives quiche what it will send now, and asks the owner for more where there is room. */
  flush(handler: OutflowHandler | null): void {
    if (this.#overflow !== null) handler?.onOverflow(this.#overflow)
    if (this.#ended || (this.#queue.isEmpty && !this.#wantsRoom)) return
    const before = this.#queue.bytes
    const grant = this.#window.grant(this.#open)
    this.#queue.flush(this.#native, grant, this)
    if (!this.#wantsRoom) return
    const taken = Math.max(0, before - this.#queue.bytes)
    const room = grant - taken - this.#queue.bytes
    if (room < MIN_ROOM) return
    this.#wantsRoom = false
    handler?.onRoom(room)
    this.#queue.flush(this.#native, grant - taken, this)
  }

  /** quiche tells of a STOP_SENDING only when a stream is touched, and forgets the code soon. */
  #findStops(): void {
    const looks = Math.min(this.#open.size, MAX_STOP_LOOKS)
    for (let i = 0; i < looks; i++) {
      let next = this.#stopScan?.next()
      if (next === undefined || next.done === true) {
        this.#stopScan = this.#open.values()
        next = this.#stopScan.next()
        if (next.done === true) return
      }
      try {
        this.#native.streamCapacity(next.value.id)
      } catch (error) {
        this.onSendError(next.value, error)
      }
    }
  }

  onOver(stream: QuicSendStream): void {
    this.#open.delete(stream.id)
    // Of one that goes both ways quiche does not tell; those carry little.
    if (stream.taken > 0 && (stream.id & 2) !== 0) {
      this.#unacknowledged.add(stream.id, stream.taken)
    }
  }

  onSendError(stream: QuicSendStream, error: unknown): void {
    this.#open.delete(stream.id)
    this.#queue.bytes -= stream.abandon()
    stream.stopped(streamErrorCode(error) ?? 0)
  }

  /** Resets the streams that bear these codes, also those whose end is not sent yet. */
  resetStreams(code: number, codes: StreamCodes): void {
    for (const stream of [...this.#open.values()]) {
      if (stream.codes === codes) stream.resetRaw(codes.toWire(code))
    }
  }

  /** Ends the streams that bear these codes, without a word to the peer. */
  endStreams(codes: StreamCodes): void {
    for (const stream of [...this.#open.values()]) {
      if (stream.codes !== codes) continue
      this.#open.delete(stream.id)
      this.#queue.bytes -= stream.abandon()
    }
  }

  end(): void {
    this.#ended = true
    this.#maxDatagram = 0
    this.#open.clear()
    this.#unacknowledged.clear()
  }
}
