/** The incoming half of a connection: reads streams and datagrams and passes them up. */

import { type NativeConnection, SHUTDOWN_READ, streamErrorCode } from './binding.ts'
import type { ReadSlab } from './buffers.ts'
import { RAW_CODES, type StreamCodes } from './stream-codes.ts'
import { QuicReceiveStream, type ReceiveOwner } from './streams.ts'

/** Kinds of streams, as the second bit of their ids has them (RFC 9000, Section 2.1). */
const BIDI = 0
const UNI = 2

/** Streams that are looked at before quiche is asked for a list: a voice and a picture, and some. */
const MAX_RECENT = 4

export interface InflowHandler {
  /** While false, streams and datagrams wait in QUIC: nobody is there yet to take them. */
  readonly ready: boolean
  onDatagram(bytes: Uint8Array): void
  /** A stream of the peer's. */
  onStream(receive: QuicReceiveStream): void
}

export class Inflow implements ReceiveOwner {
  #native: NativeConnection
  #isServer: boolean
  #slab: ReadSlab
  #schedule: () => void
  #open = new Map<number, QuicReceiveStream>()
  #resumed: QuicReceiveStream[] = []
  #stopsLeft: number
  /** Streams that went on of late and may go on. */
  #recent: QuicReceiveStream[] = []
  #place = 0
  /** By kind: the id of the peer's stream that comes next. */
  #next: Record<number, number>

  /**
   * @param maxStops streams that may be stopped on the wire, see `stopReceiving`
   * @param schedule asks for a flush
   */
  constructor(
    native: NativeConnection,
    isServer: boolean,
    slab: ReadSlab,
    maxStops: number,
    schedule: () => void,
  ) {
    this.#native = native
    this.#isServer = isServer
    this.#slab = slab
    this.#stopsLeft = maxStops
    this.#schedule = schedule
    const first = isServer ? 0 : 1
    this.#next = { [UNI]: first + UNI, [BIDI]: first + BIDI }
  }

  /** Whether resumed streams wait for the next flush. */
  get hasResumed(): boolean {
    return this.#resumed.length > 0
  }

  /** Takes the receiving half of a stream of ours. */
  adopt(id: number, codes: StreamCodes): QuicReceiveStream {
    const stream = new QuicReceiveStream(this, id, codes)
    this.#open.set(id, stream)
    return stream
  }

  // --- called from the flush ----------------------------------------------------------------------

  /** Passes up everything that has arrived. */
  deliver(handler: InflowHandler): void {
    if (this.#resumed.length > 0) {
      const resumed = this.#resumed
      this.#resumed = []
      for (const stream of resumed) stream.deliverHeld()
    }
    if (!this.#native.isReadable()) return
    this.#readDatagrams(handler)
    this.#readLikely(handler)
    if (handler.ready && this.#native.isReadable()) this.#readAll(handler)
  }

  /**
   * Reads the streams that went on last and those that come next. To have quiche list what is readable
   * costs more than all of these looks.
   */
  #readLikely(handler: InflowHandler): void {
    for (const stream of this.#recent) {
      if (!handler.ready) return
      if (!stream.ended && this.#native.streamReadable(stream.id)) this.#read(stream)
    }
    for (const kind of [UNI, BIDI]) {
      while (handler.ready && this.#native.streamReadable(this.#next[kind]!)) {
        this.#arrived(this.#next[kind]!, handler)
      }
    }
  }

  #readAll(handler: InflowHandler): void {
    for (const id of this.#native.readable()) {
      if (!handler.ready) return
      const stream = this.#open.get(id)
      if (stream !== undefined) {
        this.#read(stream)
        this.#remember(stream)
      } else if (((id & 1) !== 0) === this.#isServer) {
        this.#readAway(id)
      } else {
        this.#arrived(id, handler)
      }
    }
  }

  /** A stream of the peer's that is new. */
  #arrived(id: number, handler: InflowHandler): void {
    const kind = id & 2
    this.#next[kind] = Math.max(this.#next[kind]!, id + 4)
    const arrived = this.adopt(id, RAW_CODES)
    handler.onStream(arrived)
    this.#read(arrived)
    this.#remember(arrived)
  }

  #remember(stream: QuicReceiveStream): void {
    const recent = this.#recent
    if (stream.ended || recent.includes(stream)) return
    // The place of one that has ended, else of one of them in turn.
    let place = recent.findIndex(({ ended }) => ended)
    if (place < 0 && recent.length < MAX_RECENT) place = recent.length
    if (place < 0) place = this.#place = (this.#place + 1) % MAX_RECENT
    recent[place] = stream
  }

  #readDatagrams(handler: InflowHandler): void {
    for (let left = this.#native.dgramRecvQueueLen(); left > 0 && handler.ready; left--) {
      let length: number | null
      try {
        length = this.#native.dgramRecv(this.#slab.room)
      } catch {
        continue // larger than any packet we said we take
      }
      if (length === null) return
      handler.onDatagram(this.#slab.take(length))
    }
  }

  #read(stream: QuicReceiveStream): void {
    stream.deliverHeld()
    while (!stream.paused) {
      const { room } = this.#slab
      let read: [number, boolean] | null
      try {
        read = this.#native.streamRecv(stream.id, room)
      } catch (error) {
        this.#open.delete(stream.id)
        stream.wasReset(streamErrorCode(error) ?? 0)
        return
      }
      if (read === null) return
      const [length, fin] = read
      // A stopped stream that may not be stopped on the wire is read and dropped.
      if (!stream.ended) stream.deliver(this.#slab.take(length), fin)
      if (fin) {
        if (stream.ended) this.#open.delete(stream.id)
        return
      }
      if (length < room.length) return
    }
  }

  /** Ends the streams that bear these codes, without a word to the peer. */
  endStreams(code: number, codes: StreamCodes): void {
    for (const stream of [...this.#open.values()]) {
      if (stream.codes !== codes) continue
      this.#open.delete(stream.id)
      stream.endWith(code)
    }
  }

  end(): void {
    this.#open.clear()
    this.#resumed = []
    this.#recent = []
  }

  // --- ReceiveOwner -------------------------------------------------------------------------------

  /**
   * quiche 0.18 never frees a stream that was stopped before its end, nor gives the peer its credit
   * back. So what is there is read first, for the stream may be at its end; only part of the credit
   * goes into real stops; after that, what the peer still sends is read and dropped.
   */
  stopReceiving(stream: QuicReceiveStream, wireCode: number): void {
    this.#schedule()
    if (this.#readAway(stream.id)) {
      this.#open.delete(stream.id)
      return
    }
    if (this.#stopsLeft === 0) {
      stream.paused = false
      return
    }
    this.#stopsLeft--
    this.#open.delete(stream.id)
    try {
      this.#native.streamShutdown(stream.id, SHUTDOWN_READ, wireCode)
    } catch {
      // the stream is gone
    }
  }

  /** Drops what was received. @returns whether the stream is at its end */
  #readAway(id: number): boolean {
    const { room } = this.#slab
    try {
      for (;;) {
        const read = this.#native.streamRecv(id, room)
        if (read === null) return false
        if (read[1]) return true
      }
    } catch {
      return true // it was reset, or is gone
    }
  }

  resumed(stream: QuicReceiveStream): void {
    this.#resumed.push(stream)
    this.#schedule()
  }

  finishedReceiving(stream: QuicReceiveStream): void {
    this.#open.delete(stream.id)
  }
}
