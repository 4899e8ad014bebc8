/**
 * A `TransportSession` over `@fails-components/webtransport`, below its W3C objects (see
 * `fails-types.ts`). Used by the relay for the package's HTTP/3 and WebSocket servers and by the
 * browser for its WebSocket client.
 *
 * Why not over the W3C objects, as in a browser: those of the package never hold back a peer whose
 * stream is not read, cut reset codes to 8 bits, answer for stream credit only by promise and cost
 * several times as much per stream. The WebSocket side is kept in order here as well: it forgets
 * streams that are over, returns their credit exactly once and treats what no peer may send as the
 * end of the session, where the package would throw in the event loop.
 */

import { SESSION_INTERNAL_ERROR } from './codes.ts'
import { FailsStream, type FailsStreamOwner } from './fails-stream.ts'
import { tameParser } from './fails-tame.ts'
import type { FailsNativeSession, FailsNewStream, FailsStats } from './fails-types.ts'
import type {
  BidiStream,
  CloseInfo,
  Congestion,
  SendStream,
  TransportHandler,
  TransportKind,
  TransportSession,
} from './transport.ts'

/** Bytes that may be outstanding; room is what is left of it. */
const WINDOW = 131_072
/** Smallest room worth a call, bytes. */
const LEAST_ROOM = 4_096
/** How long statistics are held to be fresh, ms. */
const STATS_AGE_MS = 100
/** MoQT session termination code (draft-18, Termination). */
const PROTOCOL_VIOLATION = 0x3
/**
 * The largest datagram over WebSocket, bytes. TCP sets no limit, but what is published this way is
 * forwarded over QUIC as well.
 */
const WEBSOCKET_DATAGRAM = 1_200

export interface FailsSessionOptions {
  kind: TransportKind
  /** The agreed version; a client learns it with `onReady`. */
  protocol: string
  path: string
  /** Of the request, at a server. */
  authority?: string
  peer: string
  /** Monotonic time, ms. */
  now(): number
  /** What waits below the package, for example in a socket. */
  pressure?: Pressure
  /** Told once, when the session can be used. */
  onReady?(session: FailsSession): void
  /** Told once, after `TransportHandler.onClosed`. */
  onEnded?(info: CloseInfo): void
  /** Told when a handler throws, or the package does; the session then ends. */
  onFault?(error: unknown): void
}

export interface Pressure {
  /** Bytes written and not yet with the operating system. */
  bytes(): number
  /** Calls back once, later, when there may be less. */
  whenLess(callback: () => void): void
}

interface Opening {
  readonly order: (native: FailsNativeSession, sendOrder: number) => void
  /** Ordered and not come yet. */
  pending: boolean
  /** Come, and not asked for yet. */
  spare: FailsStream | null
}

export class FailsSession implements TransportSession, FailsStreamOwner {
  readonly kind: TransportKind
  readonly path: string
  readonly authority: string | undefined
  readonly peer: string
  /** Read by the package. */
  state: 'connecting' | 'connected' | 'closed' = 'connecting'
  /** Read by the package. */
  readonly objint: FailsNativeSession
  /** Set by the package's client, to be called when the session is over. */
  closeHook: (() => void) | null = null
  readonly #options: FailsSessionOptions
  readonly #streams = new Set<FailsStream>()
  readonly #uni: Opening = newOpening((native, sendOrder) =>
    native.orderUnidiStream({ sendGroup: null, sendOrder, waitUntilAvailable: true }),
  )
  readonly #bidi: Opening = newOpening((native, sendOrder) =>
    native.orderBidiStream({ sendGroup: null, sendOrder, waitUntilAvailable: true }),
  )
  #protocol: string
  #handler: TransportHandler | null = null
  #heldData: Uint8Array[] = []
  #closing: CloseInfo | null = null
  #peerClosed = false
  #ended = false
  #calls = 0
  #later: (() => void)[] = []
  #creditWanted = false
  #outstanding = 0
  #roomWanted = false
  #roomPlanned = false
  #pressurePlanned = false
  #stats: Congestion | null = null
  #statsAt = Number.NEGATIVE_INFINITY

  constructor(native: FailsNativeSession, options: FailsSessionOptions) {
    this.objint = native
    this.#options = options
    this.kind = options.kind
    this.path = options.path
    this.authority = options.authority
    this.peer = options.peer
    this.#protocol = options.protocol
    native.jsobj = this
    if (native.capsParser !== undefined) {
      tameParser(native.capsParser, {
        mayRead: () => !this.#ended,
        mayParse: () => this.#handler !== null,
        hold: (data) => this.#heldData.push(data),
        isOpening: (uni) => (uni ? this.#uni : this.#bidi).pending,
        violated: (reason) => this.violated(reason),
        closedByPeer: () => {
          this.#peerClosed = true
        },
      })
    }
    native.sendInitialParameters?.()
  }

  get protocol(): string {
    return this.#protocol
  }

  get handler(): TransportHandler | null {
    return this.#handler
  }

  set handler(handler: TransportHandler | null) {
    this.#handler = handler
    if (handler !== null && this.#heldData.length > 0) queueMicrotask(this.#parseHeld)
  }

  get over(): boolean {
    return this.#closing !== null || this.#ended
  }

  get maxDatagramSize(): number {
    if (this.over) return 0
    const largest = this.objint.getMaxDatagramSize()
    return this.kind === 'websocket' ? Math.min(largest, WEBSOCKET_DATAGRAM) : largest
  }

  openUni(order: number): SendStream | null {
    return this.#open(this.#uni, order)?.send ?? null
  }

  openBidi(order: number): BidiStream | null {
    return this.#open(this.#bidi, order)
  }

  sendDatagram(bytes: Uint8Array): boolean {
    if (bytes.length > this.maxDatagramSize || this.over) return false
    if ((this.#options.pressure?.bytes() ?? 0) > WINDOW) return false
    let taken = false
    this.call(() => {
      const { code } = this.objint.writeDatagram(bytes)
      taken = code === 'success' || code === 'blocked'
    })
    return taken
  }

  wantRoom(): void {
    if (this.over) return
    this.#roomWanted = true
    this.#planRoom()
  }

  congestion(): Congestion | null {
    if (this.over || this.kind === 'websocket') return null
    const now = this.#options.now()
    if (now - this.#statsAt >= STATS_AGE_MS) {
      this.#statsAt = now
      this.call(() => this.objint.orderSessionStats())
    }
    return this.#stats
  }

  close(code: number, reason: string): void {
    if (this.over) return
    this.#closing = { by: 'local', code, reason }
    this.call(() => this.objint.close({ code, reason }))
    // Its bytes are on their way; the peer's part in the farewell is not waited for.
    queueMicrotask(() => this.#end({ by: 'local', code, reason }))
  }

  /** Called by the package. */
  onReady({ protocol }: { protocol?: string }): void {
    if (protocol) this.#protocol = protocol
    if (this.state !== 'connecting') return
    this.state = 'connected'
    this.#options.onReady?.(this)
  }

  /** Called by the package, also when the connection is lost. */
  onClose({ errorcode, error }: { errorcode?: number; error?: string }): void {
    const told = this.#peerClosed || this.kind !== 'websocket'
    const reason = error ?? ''
    this.#end(
      told
        ? { by: 'peer', code: errorcode ?? 0, reason }
        : {
            by: 'transport',
            code: SESSION_INTERNAL_ERROR,
            reason: reason || 'the connection was lost',
          },
    )
  }

  /** Called by the package for streams of either side's. */
  onStream({ stream: native, bidirectional, incoming }: FailsNewStream): void {
    if (this.over) {
      native.resetStream(0)
      return
    }
    const stream = new FailsStream(this, native, { bidirectional, incoming })
    this.#streams.add(stream)
    if (incoming) return
    const opening = bidirectional ? this.#bidi : this.#uni
    opening.pending = false
    opening.spare = stream
    if (this.#calls > 0 || !this.#creditWanted) return
    this.#creditWanted = false
    this.tell(() => this.#handler?.onStreamCredit())
  }

  /** Called by the package. */
  onDatagramReceived({ datagram }: { datagram: Uint8Array }): void {
    if (this.over) return
    // A copy, so that a kept datagram does not keep the whole buffer that it came in.
    const bytes = new Uint8Array(datagram)
    this.tell(() => this.#handler?.onDatagram(bytes))
  }

  /** Called by the package. */
  onSessionStats({ smoothedRtt = 0, estimatedSendRateBps = 0 }: FailsStats): void {
    const deliveryRate = Number(estimatedSendRateBps)
    if (smoothedRtt <= 0 || deliveryRate <= 0) return
    this.#stats = {
      rttMs: smoothedRtt,
      congestionWindow: Math.round((deliveryRate * smoothedRtt) / 8_000),
      bytesInFlight: null,
      deliveryRate,
      lostPackets: 0,
    }
  }

  /** Called by the package; MoQT has a GOAWAY of its own. */
  onGoAwayReceived(): void {}
  /** Called by the package. */
  onDatagramStats(): void {}
  /** Called by the package. */
  onDatagramSend(): void {}

  call(action: () => void): void {
    this.#calls++
    try {
      action()
    } catch (error) {
      this.#fault(error)
    } finally {
      this.#calls--
    }
  }

  tell(callback: () => void): void {
    // After close() only the end is still told.
    if (this.#closing !== null && !this.#ended) return
    if (this.#calls === 0 && this.#later.length === 0) {
      this.#guard(callback)
      return
    }
    this.#later.push(callback)
    if (this.#later.length === 1) queueMicrotask(this.#tellLater)
  }

  announce(stream: FailsStream): void {
    this.tell(() => {
      if (stream.bidirectional) this.#handler?.onBidi(stream)
      else this.#handler?.onUni(stream.receive)
    })
  }

  outstandingChanged(bytes: number): void {
    this.#outstanding += bytes
    if (bytes < 0) this.#planRoom()
  }

  forget(stream: FailsStream): void {
    this.#streams.delete(stream)
    const { streamid } = stream.native
    if (streamid !== undefined) this.objint.capsParser?.wtstreams.delete(streamid)
  }

  /** Ends a session whose peer did what none may do. */
  violated(reason: string): void {
    if (this.#ended) return
    this.call(() => this.objint.close({ code: PROTOCOL_VIOLATION, reason }))
    this.#end({ by: 'local', code: PROTOCOL_VIOLATION, reason })
  }

  #open(opening: Opening, order: number): FailsStream | null {
    if (this.over) return null
    if (opening.spare === null && !opening.pending) {
      opening.pending = true
      this.call(() => opening.order(this.objint, 255 - order))
    }
    const stream = opening.spare
    opening.spare = null
    if (stream === null) this.#creditWanted = true
    else stream.send.setOrder(order)
    return stream
  }

  readonly #parseHeld = () => {
    const held = this.#heldData
    this.#heldData = []
    for (const data of held) this.objint.capsParser?.parseData(data)
  }

  readonly #tellLater = () => {
    // Taken one by one: a callback may make calls that add more.
    while (this.#later.length > 0) {
      this.#guard(this.#later[0]!)
      this.#later.shift()
    }
  }

  #guard(callback: () => void): void {
    try {
      callback()
    } catch (error) {
      this.#fault(error)
    }
  }

  #fault(error: unknown): void {
    this.close(SESSION_INTERNAL_ERROR, 'internal error')
    const { onFault } = this.#options
    if (onFault !== undefined) onFault(error)
    else
      queueMicrotask(() => {
        throw error
      })
  }

  #planRoom(): void {
    if (!this.#roomWanted || this.#roomPlanned) return
    this.#roomPlanned = true
    queueMicrotask(this.#giveRoom)
  }

  readonly #giveRoom = () => {
    this.#roomPlanned = false
    if (!this.#roomWanted || this.over) return
    const { pressure } = this.#options
    const room = WINDOW - this.#outstanding - (pressure?.bytes() ?? 0)
    if (room >= LEAST_ROOM) {
      this.#roomWanted = false
      this.tell(() => this.#handler?.onRoom(room))
      return
    }
    if (pressure === undefined || this.#pressurePlanned) return
    this.#pressurePlanned = true
    pressure.whenLess(() => {
      this.#pressurePlanned = false
      this.#planRoom()
    })
  }

  #end(info: CloseInfo): void {
    if (this.#ended) return
    this.#ended = true
    this.state = 'closed'
    this.#later = []
    for (const stream of this.#streams) stream.endWithSession()
    this.#streams.clear()
    const told = this.#closing ?? info
    this.tell(() => this.#handler?.onClosed(told))
    this.tell(() => {
      this.closeHook?.()
      this.#options.onEnded?.(told)
    })
  }
}

function newOpening(order: Opening['order']): Opening {
  return { order, pending: false, spare: null }
}
