import { SESSION_INTERNAL_ERROR } from './codes.ts'
import {
  type MemoryEnd,
  type MemoryEvent,
  type MemoryReceiveStream,
  type MemorySendStream,
  openMemoryBidi,
  openMemoryUni,
} from './memory-stream.ts'
import type {
  BidiStream,
  CloseInfo,
  Congestion,
  SendStream,
  TransportHandler,
  TransportSession,
} from './transport.ts'

/** Which of a pair's two ends. */
export type MemorySide = 'client' | 'server'

/** `MemoryOptions` with every default filled in. */
export interface MemorySettings {
  readonly schedule: (task: () => void) => void
  readonly protocol: string
  readonly path: string
  readonly uniCredit: number
  readonly bidiCredit: number
  readonly maxDatagramSize: number
  readonly loseDatagram: (bytes: Uint8Array, from: MemorySide) => boolean
  readonly room: number | ((side: MemorySide) => number)
  readonly congestion: (side: MemorySide) => Congestion | null
  readonly onFault: ((error: unknown, side: MemorySide) => void) | null
}

/** One side of the pair. */
export class MemorySession implements TransportSession, MemoryEnd {
  readonly kind = 'memory'
  readonly protocol: string
  readonly path: string
  readonly peer: string
  /** Streams to reset when the session ends. */
  readonly receiving = new Set<MemoryReceiveStream>()
  /** Streams to end, silently, when the session ends. */
  readonly sending = new Set<MemorySendStream>()
  #handler: TransportHandler | null = null
  #far: MemorySession | null = null
  #inbox: MemoryEvent[] = []
  /** Tasks that ran while there was no handler; they are scheduled again once there is one. */
  #missedTurns = 0
  #state: 'open' | 'closing' | 'closed' = 'open'
  #credit: { uni: number; bidi: number }
  #creditWanted = false
  #room: 'idle' | 'asked' | 'starved' = 'idle'
  readonly #side: MemorySide
  readonly #settings: MemorySettings
  readonly #takeTurn = () => this.#deliverNext()

  constructor(side: MemorySide, settings: MemorySettings) {
    this.#side = side
    this.#settings = settings
    this.#credit = { uni: settings.uniCredit, bidi: settings.bidiCredit }
    this.protocol = settings.protocol
    this.path = settings.path
    this.peer = side === 'client' ? 'memory:server' : 'memory:client'
  }

  get handler(): TransportHandler | null {
    return this.#handler
  }

  set handler(handler: TransportHandler | null) {
    this.#handler = handler
    if (handler === null) return
    for (; this.#missedTurns > 0; this.#missedTurns--) this.#settings.schedule(this.#takeTurn)
  }

  get maxDatagramSize(): number {
    return this.#state === 'open' ? this.#settings.maxDatagramSize : 0
  }

  /** Called once by `createTransportPair`. */
  join(far: MemorySession): void {
    this.#far = far
  }

  openUni(order: number): SendStream | null {
    return this.#takeCredit('uni') ? openMemoryUni(this, this.#far!, order) : null
  }

  openBidi(order: number): BidiStream | null {
    return this.#takeCredit('bidi') ? openMemoryBidi(this, this.#far!, order) : null
  }

  sendDatagram(bytes: Uint8Array): boolean {
    if (bytes.length > this.maxDatagramSize || this.#state !== 'open') return false
    if (!this.#settings.loseDatagram(bytes, this.#side)) this.#far!.post(new DatagramEvent(bytes))
    return true
  }

  wantRoom(): void {
    if (this.#room !== 'idle' || this.#state !== 'open') return
    this.#room = 'asked'
    this.post(ROOM)
  }

  congestion(): Congestion | null {
    return this.#settings.congestion(this.#side)
  }

  close(code: number, reason: string): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    this.#far!.post(new EndEvent({ by: 'peer', code, reason }))
    this.post(new EndEvent({ by: 'local', code, reason }))
  }

  /** Puts an event in line; it is delivered by a task of its own. */
  post(event: MemoryEvent): void {
    if (this.#state === 'closed') return
    this.#inbox.push(event)
    this.#settings.schedule(this.#takeTurn)
  }

  /** The peer has done with one of our streams: another may be opened. */
  returnCredit(kind: 'uni' | 'bidi', handler: TransportHandler): void {
    this.#credit[kind]++
    if (!this.#creditWanted) return
    this.#creditWanted = false
    handler.onStreamCredit()
  }

  giveRoom(handler: TransportHandler): void {
    const { room } = this.#settings
    const bytes = typeof room === 'number' ? room : room(this.#side)
    this.#room = bytes > 0 ? 'idle' : 'starved'
    if (bytes > 0) handler.onRoom(bytes)
  }

  offerRoom(): void {
    if (this.#room !== 'starved') return
    this.#room = 'asked'
    this.post(ROOM)
  }

  end(info: CloseInfo, handler: TransportHandler): void {
    this.#state = 'closed'
    this.#inbox = []
    for (const stream of this.sending) stream.endWithSession()
    for (const stream of this.receiving) stream.endWithSession()
    handler.onClosed(info)
  }

  #takeCredit(kind: 'uni' | 'bidi'): boolean {
    if (this.#state !== 'open') return false
    if (this.#credit[kind] === 0) {
      this.#creditWanted = true
      return false
    }
    this.#credit[kind]--
    return true
  }

  #deliverNext(): void {
    const handler = this.#handler
    if (handler === null) {
      this.#missedTurns++
      return
    }
    const event = this.#inbox.shift()
    if (event === undefined) return
    // After close() only its own end is of interest to the owner.
    if (this.#state === 'closing' && !(event instanceof EndEvent)) return
    const { onFault } = this.#settings
    if (onFault === null) {
      event.deliver(this, handler)
      return
    }
    try {
      event.deliver(this, handler)
    } catch (error) {
      this.close(SESSION_INTERNAL_ERROR, 'internal error')
      onFault(error, this.#side)
    }
  }
}

class DatagramEvent implements MemoryEvent {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  deliver(_session: MemorySession, handler: TransportHandler): void {
    handler.onDatagram(this.#bytes)
  }
}

class EndEvent implements MemoryEvent {
  readonly #info: CloseInfo

  constructor(info: CloseInfo) {
    this.#info = info
  }

  deliver(session: MemorySession, handler: TransportHandler): void {
    session.end(this.#info, handler)
  }
}

const ROOM: MemoryEvent = {
  deliver: (session: MemorySession, handler) => session.giveRoom(handler),
}
