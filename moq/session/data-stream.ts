import type { ReceiveStream, ReceiveStreamHandler } from '../transport/transport.ts'
import { ResetCode, SessionCode } from '../wire/codes.ts'
import { ProtocolError } from '../wire/errors.ts'
import { FETCH_HEADER, readFetchHeader } from '../wire/fetch.ts'
import { FetchParser } from '../wire/fetch-parser.ts'
import type { MoqObject } from '../wire/object.ts'
import { ObjectTooLargeError } from '../wire/object-gatherer.ts'
import { Reader } from '../wire/reader.ts'
import {
  isSubgroupHeaderWhole,
  isSubgroupType,
  readSubgroupHeader,
  type SubgroupHeader,
} from '../wire/subgroup.ts'
import { SubgroupParser } from '../wire/subgroup-parser.ts'
import { readVi64, safeVi64, vi64Length } from '../wire/vi64.ts'
import type { AliasSink } from './alias-sink.ts'
import type { Throttled } from './control-budget.ts'
import type { DataStreamHost, WaitingStream } from './data-stream-host.ts'
import type { FetchRequest } from './fetch-request.ts'
import type { IncomingSubgroup } from './handler.ts'
import type { MessageParser } from './message-parser.ts'
import { PADDING_STREAM } from './padding.ts'
import type { Watched } from './stream-watch.ts'

/** Section 3.4. */
const SETUP_STREAM = 0x2f00

/**
 * One unidirectional stream of the peer's: reads its type, then becomes the control stream, a
 * subgroup of one of our subscriptions, the response to a fetch, or padding. A stream that comes
 * before its subscription is known waits without taking more of the peer's flow control (draft-18
 * section 11.4.2).
 */
export class DataStream
  implements IncomingSubgroup, ReceiveStreamHandler, Throttled, WaitingStream, Watched
{
  context: unknown = null
  objectBeganAt = -1
  idleTicks = 0
  private readonly stream: ReceiveStream
  private readonly host: DataStreamHost
  private state: 'type' | 'waiting' | 'control' | 'subgroup' | 'fetch' | 'discard' | 'over' = 'type'
  /** Bytes that wait for the type, the header or the alias. */
  private pending: Uint8Array | null = null
  private pendingFin = false
  /** The session's watch looks whether it moves. */
  private watched = false
  private control: MessageParser | null = null
  private subgroup: SubgroupParser | null = null
  private subscription: AliasSink | null = null
  private fetchParser: FetchParser | null = null
  private fetch: FetchRequest | null = null
  /** The owner of the fetch takes no more for now. */
  private paused = false

  constructor(stream: ReceiveStream, host: DataStreamHost) {
    this.stream = stream
    this.host = host
    stream.handler = this
    this.startWatch()
  }

  get header(): SubgroupHeader {
    return this.subgroup!.header
  }

  get waitingAlias(): number | null {
    return this.subgroup ? this.subgroup.header.trackAlias : null
  }

  stop(code: number): void {
    if (this.state === 'over') return
    const { subscription, state } = this
    this.end()
    this.stream.stop(code)
    if (state === 'subgroup') subscription!.subgroupStopped(this)
  }

  setPaused(paused: boolean): void {
    if (this.state === 'over' || this.paused === paused) return
    this.paused = paused
    if (paused) {
      this.stopWatch()
      this.stream.pause()
      return
    }
    this.stream.resume()
    if (this.fetchParser?.incomplete) this.startWatch()
  }

  resume(): void {
    if (this.state !== 'waiting') return
    const bytes = this.pending ?? EMPTY
    const fin = this.pendingFin
    this.pending = null
    this.state = 'type'
    this.stream.resume()
    this.startWatch()
    if (this.subgroup) this.attach(bytes, fin)
    else this.take(bytes, fin)
  }

  throttle(): void {
    this.stream.pause()
  }

  unthrottle(): void {
    this.stream.resume()
  }

  onBytes(bytes: Uint8Array, fin: boolean): void {
    if (this.host.closed) return
    this.host.arrived(bytes.length)
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

  /** Section 3.5: a header that does not come ends the session; an object costs its stream. */
  stalled(): void {
    this.watched = false
    if (this.host.closed) return
    try {
      this.host.limitHit('dataStreamMs')
      if (this.state === 'type') {
        const reason = 'a data stream without its whole header'
        throw new ProtocolError(reason, SessionCode.DATA_STREAM_TIMEOUT)
      }
      this.giveUp(ResetCode.DELIVERY_TIMEOUT)
    } catch (error) {
      this.host.fault(error)
    }
  }

  private take(chunk: Uint8Array, fin: boolean): void {
    switch (this.state) {
      case 'subgroup':
        this.feedSubgroup(chunk, fin)
        return
      case 'fetch':
        this.feedFetch(chunk, fin)
        return
      case 'control':
        this.host.controlBytes(this, chunk.length)
        this.control!.feed(chunk)
        if (fin) this.host.controlStreamEnded(null)
        return
      case 'discard':
        if (fin) this.end()
        return
      case 'over':
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
      if (fin) this.end()
      return
    }
    const type = safeVi64(readVi64(bytes, 0), 'stream type')
    if (type === SETUP_STREAM) {
      this.become('control')
      this.control = this.host.controlStream()
      this.take(bytes, fin)
    } else if (type === PADDING_STREAM) {
      // Nothing of it is kept, and its end is all that is waited for (section 11.5.1).
      this.become('discard')
      this.take(EMPTY, fin)
    } else if (isSubgroupType(type)) {
      if (this.host.ready) this.beginSubgroup(type, bytes, fin)
      else this.wait()
    } else if (type === FETCH_HEADER) {
      if (this.host.ready) this.beginFetch(bytes, fin)
      else this.wait()
    } else {
      throw new ProtocolError(`unknown stream type 0x${type.toString(16)}`)
    }
  }

  private become(state: 'control' | 'subgroup' | 'fetch' | 'discard'): void {
    this.state = state
    this.pending = null
    this.stopWatch()
  }

  // ---- a subgroup

  private beginSubgroup(type: number, bytes: Uint8Array, fin: boolean): void {
    const reader = new Reader(bytes, vi64Length(bytes[0]!))
    if (!isSubgroupHeaderWhole(type, bytes, reader.offset)) {
      if (fin) throw new ProtocolError('stream ends within its subgroup header')
      return
    }
    const header = readSubgroupHeader(type, reader)
    this.pending = null
    const { maxObjectBytes, maxPropertiesBytes } = this.host.limits
    this.subgroup = new SubgroupParser(
      header,
      maxObjectBytes,
      (object) => this.deliver(object),
      maxPropertiesBytes,
    )
    this.attach(bytes.subarray(reader.offset), fin)
  }

  /** Not what follows in a chunk after the owner stopped the stream. */
  private deliver(object: MoqObject): void {
    if (this.state !== 'subgroup') return
    this.subscription!.deliver(object, this)
    this.objectBeganAt = -1
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
      this.become('subgroup')
      this.subscription = subscription
      subscription.subgroupOpened(this)
      this.feedSubgroup(bytes, fin)
    }
  }

  private wait(): void {
    this.state = 'waiting'
    this.stopWatch()
    this.stream.pause()
    if (this.host.park(this)) return
    this.host.limitHit('earlyStreams')
    this.stop(ResetCode.EXCESSIVE_LOAD)
  }

  private feedSubgroup(bytes: Uint8Array, fin: boolean): void {
    // The owner may have stopped it when it was told of the subgroup or of an object.
    if (this.state !== 'subgroup') return
    const parser = this.subgroup!
    try {
      parser.feed(bytes)
    } catch (error) {
      this.tooLarge(error)
      return
    }
    if (this.state !== 'subgroup') return
    if (!fin) {
      const { incomplete } = parser
      if (incomplete && this.objectBeganAt < 0) this.objectBeganAt = this.host.clock.now()
      this.mind(incomplete)
      return
    }
    parser.finish()
    this.end()
    this.subscription!.subgroupEnded(this)
  }

  // ---- the response to a fetch

  private beginFetch(bytes: Uint8Array, fin: boolean): void {
    const reader = new Reader(bytes, vi64Length(bytes[0]!))
    const at = reader.offset
    if (at >= bytes.length || at + vi64Length(bytes[at]!) > bytes.length) {
      if (fin) throw new ProtocolError('stream ends within its fetch header')
      return
    }
    const { requestId } = readFetchHeader(reader)
    const fetch = this.host.fetchFor(requestId)
    if (!fetch) {
      this.stop(ResetCode.CANCELLED)
      return
    }
    fetch.streamOpened(this)
    this.become('fetch')
    this.fetch = fetch
    const { maxObjectBytes, maxPropertiesBytes } = this.host.limits
    this.fetchParser = new FetchParser(fetch.groupOrder, maxObjectBytes, fetch, maxPropertiesBytes)
    this.feedFetch(bytes.subarray(reader.offset), fin)
  }

  private feedFetch(bytes: Uint8Array, fin: boolean): void {
    // The owner may have cancelled the fetch when it was told of an object.
    if (this.state !== 'fetch') return
    const parser = this.fetchParser!
    try {
      parser.feed(bytes)
    } catch (error) {
      this.tooLarge(error)
      return
    }
    if (this.state !== 'fetch') return
    if (!fin) {
      this.mind(parser.incomplete)
      return
    }
    parser.finish()
    this.end()
    this.fetch!.streamEnded()
  }

  // ---- its end

  /** One object that is too large costs the stream, not the session. */
  private tooLarge(error: unknown): void {
    if (!(error instanceof ObjectTooLargeError)) throw error
    this.host.limitHit(error.what === 'object' ? 'maxObjectBytes' : 'maxPropertiesBytes')
    this.giveUp(ResetCode.EXCESSIVE_LOAD)
  }

  /** Stops the stream and tells its owner, as if the peer had reset it. */
  private giveUp(code: number): void {
    const { subscription, fetch, state } = this
    this.end()
    this.stream.stop(code)
    if (state === 'subgroup') subscription!.subgroupReset(this, code)
    else if (state === 'fetch') fetch!.streamReset(code)
  }

  private abandoned(code: number): void {
    const { subscription, fetch, state } = this
    if (state === 'control') this.host.controlStreamEnded(code)
    this.end()
    if (state === 'subgroup') subscription!.subgroupReset(this, code)
    else if (state === 'fetch') fetch!.streamReset(code)
  }

  private end(): void {
    if (this.state === 'over') return
    this.state = 'over'
    this.pending = null
    this.stopWatch()
    this.host.streamOver()
  }

  // ---- whether it moves

  /** Bytes came; `incomplete` when an object has begun and is not whole. */
  private mind(incomplete: boolean): void {
    this.idleTicks = 0
    if (incomplete === this.watched) return
    if (incomplete && !this.paused) this.startWatch()
    else this.stopWatch()
  }

  private startWatch(): void {
    this.watched = true
    this.host.watch.add(this)
  }

  private stopWatch(): void {
    if (!this.watched) return
    this.watched = false
    this.host.watch.remove(this)
  }
}

const EMPTY = new Uint8Array(0)
