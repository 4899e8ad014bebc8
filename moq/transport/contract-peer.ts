import type {
  BidiStream,
  CloseInfo,
  ReceiveStream,
  ReceiveStreamHandler,
  SendStream,
  SendStreamHandler,
  TransportHandler,
  TransportSession,
} from './transport.ts'

/** A wait that outlasts this is a failed test with a name; nothing waits this long on success. */
const PATIENCE_MS = 15_000

/**
 * Counts what the interface forbids: a callback made from inside an owner's call or from inside
 * another callback. One monitor watches both sides of a pair.
 */
export class Monitor {
  readonly violations: string[] = []
  #inside: string | null = null

  /** Runs one of the owner's calls. */
  call<T>(name: string, action: () => T): T {
    const outer = this.#inside
    this.#inside = outer ?? name
    try {
      return action()
    } finally {
      this.#inside = outer
    }
  }

  /** Runs the body of a callback. */
  callback(name: string, body: () => void): void {
    if (this.#inside !== null) this.violations.push(`${name} was called inside ${this.#inside}`)
    this.call(name, body)
  }
}

/** Waits for facts that callbacks make true. */
export class Watch {
  #waiting = new Set<() => void>()

  changed(): void {
    for (const check of [...this.#waiting]) check()
  }

  until(what: string, isTrue: () => boolean): Promise<void> {
    if (isTrue()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!isTrue()) return
        settle()
        resolve()
      }
      const timer = setTimeout(() => {
        settle()
        reject(new Error(`waited in vain until ${what}`))
      }, PATIENCE_MS)
      const settle = () => {
        clearTimeout(timer)
        this.#waiting.delete(check)
      }
      this.#waiting.add(check)
    })
  }
}

/** Records what a receive stream brought. */
export class Inbound implements ReceiveStreamHandler {
  readonly stream: ReceiveStream
  readonly chunks: Uint8Array[] = []
  readonly resets: number[] = []
  length = 0
  fins = 0
  /** Callbacks after the last one that may come. */
  late = 0
  stopped = false
  paused = false
  /** Called after each callback, from inside it. */
  onEach: (() => void) | null = null
  #peer: ContractPeer

  constructor(peer: ContractPeer, stream: ReceiveStream) {
    this.#peer = peer
    this.stream = stream
    stream.handler = this
  }

  get ended(): boolean {
    return this.fins + this.resets.length > 0
  }

  onBytes(bytes: Uint8Array, fin: boolean): void {
    this.#peer.took('onBytes', () => {
      if (this.ended || this.stopped || this.paused) this.late++
      this.chunks.push(bytes)
      this.length += bytes.length
      if (fin) this.fins++
      this.onEach?.()
    })
  }

  onReset(code: number): void {
    this.#peer.took('onReset', () => {
      if (this.ended || this.stopped) this.late++
      this.resets.push(code)
      this.onEach?.()
    })
  }

  pause(): void {
    this.paused = true
    this.#peer.monitor.call('pause', () => this.stream.pause())
  }

  resume(): void {
    this.paused = false
    this.#peer.monitor.call('resume', () => this.stream.resume())
  }

  stop(code: number): void {
    this.stopped = true
    this.#peer.monitor.call('stop', () => this.stream.stop(code))
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.length)
    let offset = 0
    for (const chunk of this.chunks) {
      all.set(chunk, offset)
      offset += chunk.length
    }
    return all
  }
}

/** Drives a send stream under the monitor and records its stops. */
export class Outbound implements SendStreamHandler {
  readonly stream: SendStream
  readonly stops: number[] = []
  #peer: ContractPeer

  constructor(peer: ContractPeer, stream: SendStream) {
    this.#peer = peer
    this.stream = stream
    stream.handler = this
  }

  onStopped(code: number): void {
    this.#peer.took('onStopped', () => this.stops.push(code))
  }

  write(bytes: Uint8Array): this {
    this.#peer.monitor.call('write', () => this.stream.write(bytes))
    return this
  }

  finish(): this {
    this.#peer.monitor.call('finish', () => this.stream.finish())
    return this
  }

  reset(code: number): this {
    this.#peer.monitor.call('reset', () => this.stream.reset(code))
    return this
  }
}

/** One side's owner in the contract suite: records every callback and makes calls under the monitor. */
export class ContractPeer implements TransportHandler {
  readonly session: TransportSession
  readonly monitor: Monitor
  readonly watch: Watch
  readonly unis: Inbound[] = []
  readonly bidis: { inbound: Inbound; outbound: Outbound }[] = []
  readonly datagrams: Uint8Array[] = []
  readonly rooms: number[] = []
  readonly closed: CloseInfo[] = []
  credits = 0
  /** Callbacks after `onClosed`. */
  afterClosed = 0
  /** Called with each stream of the peer's, from inside `onUni` and `onBidi`. */
  onInbound: ((inbound: Inbound, outbound: Outbound | null) => void) | null = null
  onRoomGiven: ((bytes: number) => void) | null = null
  onCredit: (() => void) | null = null

  constructor(session: TransportSession, monitor: Monitor, watch: Watch) {
    this.session = session
    this.monitor = monitor
    this.watch = watch
    session.handler = this
  }

  took(name: string, body: () => void): void {
    if (this.closed.length > 0) this.afterClosed++
    this.monitor.callback(name, body)
    this.watch.changed()
  }

  onUni(stream: ReceiveStream): void {
    this.took('onUni', () => {
      const inbound = new Inbound(this, stream)
      this.unis.push(inbound)
      this.onInbound?.(inbound, null)
    })
  }

  onBidi(stream: BidiStream): void {
    this.took('onBidi', () => {
      const inbound = new Inbound(this, stream.receive)
      const outbound = new Outbound(this, stream.send)
      this.bidis.push({ inbound, outbound })
      this.onInbound?.(inbound, outbound)
    })
  }

  onDatagram(bytes: Uint8Array): void {
    this.took('onDatagram', () => this.datagrams.push(bytes))
  }

  onStreamCredit(): void {
    this.took('onStreamCredit', () => {
      this.credits++
      this.onCredit?.()
    })
  }

  onRoom(bytes: number): void {
    this.took('onRoom', () => {
      this.rooms.push(bytes)
      this.onRoomGiven?.(bytes)
    })
  }

  onClosed(info: CloseInfo): void {
    this.took('onClosed', () => this.closed.push(info))
  }

  tryUni(order = 0): Outbound | null {
    const stream = this.monitor.call('openUni', () => this.session.openUni(order))
    return stream === null ? null : new Outbound(this, stream)
  }

  tryBidi(order = 0): { inbound: Inbound; outbound: Outbound } | null {
    const stream = this.monitor.call('openBidi', () => this.session.openBidi(order))
    if (stream === null) return null
    return { inbound: new Inbound(this, stream.receive), outbound: new Outbound(this, stream.send) }
  }

  /** Opens a stream, waiting for credit as often as it must. */
  async uni(order = 0): Promise<Outbound> {
    for (;;) {
      const seen = this.credits
      const stream = this.tryUni(order)
      if (stream !== null) return stream
      await this.watch.until('stream credit returns', () => this.credits > seen)
    }
  }

  async bidi(order = 0): Promise<{ inbound: Inbound; outbound: Outbound }> {
    for (;;) {
      const seen = this.credits
      const stream = this.tryBidi(order)
      if (stream !== null) return stream
      await this.watch.until('stream credit returns', () => this.credits > seen)
    }
  }

  sendDatagram(bytes: Uint8Array): boolean {
    return this.monitor.call('sendDatagram', () => this.session.sendDatagram(bytes))
  }

  wantRoom(): void {
    this.monitor.call('wantRoom', () => this.session.wantRoom())
  }

  close(code: number, reason: string): void {
    this.monitor.call('close', () => this.session.close(code, reason))
  }
}
