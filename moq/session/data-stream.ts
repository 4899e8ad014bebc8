import type { ReceiveStream, ReceiveStreamHandler } from '../transport/transport.ts'
import { ResetCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import { Reader } from '../wire/reader.ts'
import { isSubgroupType, readSubgroupHeader, type SubgroupHeader } from '../wire/subgroup.ts'
import { ObjectTooLargeError, SubgroupParser } from '../wire/subgroup-parser.ts'
import { readVi64, safeVi64, vi64Length } from '../wire/vi64.ts'
import type { IncomingSubgroup } from './handler.ts'
import type { MessageParser } from './message-parser.ts'
import type { Subscription } from './subscription.ts'

/** Section 3.4. */
const SETUP_STREAM = 0x2f00
const FETCH_STREAM = 0x05
const PADDING_STREAM = 0x132b3e28

/** What the streams of a session ask of it. */
export interface DataStreamHost {
  readonly maxObjectBytes: number
  readonly ready: boolean
  readonly closed: boolean
  /** What a callback threw: it ends the session. */
  fault(error: unknown): void
  /** The peer's control stream came; its messages go to the parser that is returned. */
  controlStream(): MessageParser
  controlStreamEnded(): void
  /** The stream waits, paused, until `resume` is called: for SETUP or for its alias. */
  park(stream: DataStream): boolean
  subscriptionFor(alias: number): Subscription | 'unknown' | 'retired'
}

/**
 * One unidirectional stream of the peer's: reads its type, then becomes the control stream, a
 * subgroup of one of our subscriptions, or padding. A stream that comes before its subscription is
 * known waits without taking more of the peer's flow control (draft-18 section 11.4.2).
 */
export class DataStream implements IncomingSubgroup, ReceiveStreamHandler {
  context: unknown = null
  private readonly stream: ReceiveStream
  private readonly host: DataStreamHost
  private state: 'type' | 'waiting' | 'control' | 'subgroup' | 'discard' = 'type'
  /** Bytes that wait for the type, the header or the alias. */
  private pending: Uint8Array | null = null
  private pendingFin = false
  private control: MessageParser | null = null
  private parser: SubgroupParser | null = null
  private subscription: Subscription | null = null

  constructor(stream: ReceiveStream, host: DataStreamHost) {
    this.stream = stream
    this.host = host
    stream.handler = this
  }

  get header(): SubgroupHeader {
    return this.parser!.header
  }

  /** The alias that a waiting stream waits for; null while it waits for SETUP. */
  get waitingAlias(): number | null {
    return this.parser ? this.parser.header.trackAlias : null
  }

  stop(code: number): void {
    if (this.state === 'discard') return
    this.state = 'discard'
    this.pending = null
    this.stream.stop(code)
  }

  /** What it waited for may be there now. */
  resume(): void {
    if (this.state !== 'waiting') return
    const bytes = this.pending ?? EMPTY
    const fin = this.pendingFin
    this.pending = null
    this.state = 'type'
    this.stream.resume()
    if (this.parser) this.attach(bytes, fin)
    else this.take(bytes, fin)
  }

  onBytes(bytes: Uint8Array, fin: boolean): void {
    if (this.host.closed) return
    try {
      this.take(bytes, fin)
    } catch (error) {
      this.host.fault(error)
    }
  }

  onReset(code: number): void {
    if (this.host.closed) return
    try {
      this.abandoned(code)
    } catch (error) {
      this.host.fault(error)
    }
  }

  private take(chunk: Uint8Array, fin: boolean): void {
    switch (this.state) {
      case 'control':
        this.control!.feed(chunk)
        if (fin) this.host.controlStreamEnded()
        return
      case 'subgroup':
        this.feed(chunk, fin)
        return
      case 'discard':
        return
      case 'waiting':
        // Bytes that were under way when the stream was paused.
        this.hold(chunk, fin)
        return
      case 'type':
        this.hold(chunk, fin)
        this.begin()
    }
  }

  private hold(chunk: Uint8Array, fin: boolean): void {
    this.pendingFin ||= fin
    if (!this.pending || this.pending.length === 0) {
      this.pending = chunk
      return
    }
    const joined = new Uint8Array(this.pending.length + chunk.length)
    joined.set(this.pending)
    joined.set(chunk, this.pending.length)
    this.pending = joined
  }

  private begin(): void {
    const bytes = this.pending!
    const fin = this.pendingFin
    if (bytes.length === 0 || vi64Length(bytes[0]!) > bytes.length) {
      if (fin && bytes.length > 0) throw new ProtocolError('stream ends within its type')
      return
    }
    const type = safeVi64(readVi64(bytes, 0), 'stream type')
    if (type === SETUP_STREAM) {
      this.pending = null
      this.state = 'control'
      this.control = this.host.controlStream()
      this.take(bytes, fin)
    } else if (type === PADDING_STREAM) {
      this.pending = null
      this.state = 'discard'
    } else if (isSubgroupType(type)) {
      if (this.host.ready) this.beginSubgroup(type, bytes, fin)
      else this.wait()
    } else if (type === FETCH_STREAM) {
      // We send no FETCH, so this answers none of ours.
      throw new ProtocolError('fetch stream for no FETCH of ours')
    } else {
      throw new ProtocolError(`unknown stream type 0x${type.toString(16)}`)
    }
  }

  private beginSubgroup(type: number, bytes: Uint8Array, fin: boolean): void {
    const reader = new Reader(bytes, vi64Length(bytes[0]!))
    const size = subgroupHeaderSize(type, bytes, reader.offset)
    if (size < 0) {
      if (fin) throw new ProtocolError('stream ends within its subgroup header')
      return
    }
    const header = readSubgroupHeader(type, reader)
    this.pending = null
    this.parser = new SubgroupParser(header, this.host.maxObjectBytes, (object) =>
      this.subscription!.deliver(object, this),
    )
    this.attach(bytes.subarray(reader.offset), fin)
  }

  private attach(bytes: Uint8Array, fin: boolean): void {
    const subscription = this.host.subscriptionFor(this.header.trackAlias)
    if (subscription === 'retired') {
      this.stop(ResetCode.CANCELLED)
    } else if (subscription === 'unknown') {
      this.pending = bytes
      this.pendingFin = fin
      this.wait()
    } else {
      this.subscription = subscription
      this.state = 'subgroup'
      subscription.subgroupOpened(this)
      this.feed(bytes, fin)
    }
  }

  private wait(): void {
    this.state = 'waiting'
    this.stream.pause()
    if (!this.host.park(this)) this.stop(ResetCode.EXCESSIVE_LOAD)
  }

  private feed(bytes: Uint8Array, fin: boolean): void {
    // The owner may have stopped it when it was told of the subgroup or of an object.
    if (this.state !== 'subgroup') return
    try {
      this.parser!.feed(bytes)
    } catch (error) {
      if (!(error instanceof ObjectTooLargeError)) throw error
      this.stop(ResetCode.EXCESSIVE_LOAD)
      this.subscription!.subgroupReset(this, ResetCode.EXCESSIVE_LOAD)
      return
    }
    if (!fin || this.state !== 'subgroup') return
    this.parser!.finish()
    this.state = 'discard'
    this.subscription!.subgroupEnded(this)
  }

  private abandoned(code: number): void {
    if (this.state === 'control') this.host.controlStreamEnded()
    const subscription = this.state === 'subgroup' ? this.subscription : null
    this.state = 'discard'
    this.pending = null
    subscription?.subgroupReset(this, code)
  }
}

const EMPTY = new Uint8Array(0)

/** Offset behind the header that begins at `offset` (behind the type), or -1 when it is not whole. */
function subgroupHeaderSize(type: number, bytes: Uint8Array, offset: number): number {
  const integers = (type & 0x06) === 0x04 ? 3 : 2
  let at = offset
  for (let i = 0; i < integers; i++) {
    if (at >= bytes.length) return -1
    at += vi64Length(bytes[at]!)
  }
  if ((type & 0x20) === 0) at++
  return at <= bytes.length ? at : -1
}
