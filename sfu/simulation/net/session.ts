import { STREAM_SESSION_CLOSED } from '../../../moq/transport/codes.ts'
import type {
  BidiStream,
  CloseInfo,
  Congestion,
  SendStream,
  TransportHandler,
  TransportSession,
} from '../../../moq/transport/transport.ts'
import type { SimulatedClock } from './clock.ts'
import {
  ACK_BYTES,
  type ControlFrame,
  FRAMES_BYTES,
  type Frame,
  frameBytes,
  MAX_DATAGRAM,
  PACKET_BYTES,
  type StreamFrame,
  type StreamKind,
  WIRE_OVERHEAD,
  type WirePacket,
} from './frames.ts'
import { SimulatedReceiveStream } from './receive-stream.ts'
import { SimulatedSendStream, type StreamHost } from './send-stream.ts'
import { SimulatedSender } from './sender.ts'
import type { Wire } from './wire.ts'

/** Looks at what a session is given to send. */
export interface Tap {
  /** Of a unidirectional stream. */
  onStream(id: number, bytes: Uint8Array): void
  onDatagram(bytes: Uint8Array): void
}

export interface SimulatedSessionOptions {
  readonly clock: SimulatedClock
  readonly side: 'client' | 'server'
  readonly protocol: string
  readonly path: string
  /** Streams of this side's that may be open at once, of each kind. */
  readonly streamCredit: number
  readonly out: Wire<WirePacket>
  readonly tap?: Tap | undefined
}

/** Datagrams that wait for the congestion window; more are not taken. */
const MAX_DATAGRAMS = 64
/** Packets that an acknowledgement names, so that one that is lost does no harm. */
const ACK_MEMORY = 32
/** When a close is sent, ms: it is not acknowledged. */
const CLOSE_TIMES = [0, 100, 400]

/** One side of a simulated path: packets, streams that repeat what is lost, datagrams that do not. */
export class SimulatedSession implements TransportSession, StreamHost {
  readonly kind = 'quic'
  readonly protocol: string
  readonly path: string
  readonly peer: string
  private owner: TransportHandler | null = null
  private readonly options: SimulatedSessionOptions
  private readonly sender: SimulatedSender
  private readonly sending = new Map<number, SimulatedSendStream>()
  private readonly receiving = new Map<number, SimulatedReceiveStream>()
  /** Ids of the peer's streams that were seen. */
  private readonly known = new Set<number>()
  private readonly withFrames = new Set<SimulatedSendStream>()
  private readonly controls: ControlFrame[] = []
  private readonly datagrams: Uint8Array[] = []
  private readonly credit: Record<StreamKind, number>
  private creditWanted = false
  private roomWanted = false
  private flushing = false
  private tasks: (() => void)[] = []
  private early: WirePacket[] = []
  private readonly received: number[] = []
  private readonly seen = new Set<number>()
  private nextId: number
  private state: 'open' | 'closed' = 'open'

  constructor(options: SimulatedSessionOptions) {
    const { clock, side, streamCredit } = options
    this.options = options
    this.protocol = options.protocol
    this.path = options.path
    this.peer = side === 'client' ? 'simulated:server' : 'simulated:client'
    this.nextId = side === 'client' ? 0 : 1
    this.credit = { uni: streamCredit, bidi: streamCredit }
    this.sender = new SimulatedSender(clock, {
      onLost: (frames) => this.repeat(frames),
      onProbe: (frames) => this.transmit(frames.filter(({ type }) => type !== 'datagram')),
    })
  }

  get handler(): TransportHandler | null {
    return this.owner
  }

  set handler(handler: TransportHandler | null) {
    this.owner = handler
    const early = this.early
    this.early = []
    for (const packet of early) this.later(() => this.takePacket(packet))
  }

  get maxDatagramSize(): number {
    return this.state === 'open' ? MAX_DATAGRAM : 0
  }

  openUni(order: number): SendStream | null {
    return this.open('uni') ? this.sendStream(this.takeId(), 'uni', order) : null
  }

  openBidi(order: number): BidiStream | null {
    if (!this.open('bidi')) return null
    const id = this.takeId()
    return { send: this.sendStream(id, 'bidi', order), receive: this.receiveStream(id, 'bidi') }
  }

  sendDatagram(bytes: Uint8Array): boolean {
    if (bytes.length > this.maxDatagramSize || this.datagrams.length >= MAX_DATAGRAMS) return false
    this.options.tap?.onDatagram(bytes)
    this.datagrams.push(bytes)
    this.planFlush()
    return true
  }

  wantRoom(): void {
    this.roomWanted = true
    this.planFlush()
  }

  congestion(): Congestion | null {
    return this.state === 'open' ? this.sender.congestion() : null
  }

  close(code: number, reason: string): void {
    if (this.state !== 'open') return
    const frames: Frame[] = [{ type: 'close', code, reason }]
    const { clock } = this.options
    for (const ms of CLOSE_TIMES) clock.after(ms, () => this.transmit(frames))
    this.state = 'closed'
    clock.after(0, () => this.end({ by: 'local', code, reason }))
  }

  // ---- StreamHost

  ready(stream: SimulatedSendStream): void {
    this.withFrames.add(stream)
    this.planFlush()
  }

  control(frame: ControlFrame): void {
    this.controls.push(frame)
    this.planFlush()
  }

  wrote({ id, kind }: SimulatedSendStream, bytes: Uint8Array): void {
    if (kind === 'uni') this.options.tap?.onStream(id, bytes)
  }

  later(task: () => void): void {
    this.tasks.push(task)
    this.planFlush()
  }

  // ---- sending

  private planFlush(): void {
    if (this.flushing || this.state !== 'open') return
    this.flushing = true
    this.options.clock.after(0, () => this.flush())
  }

  /** The engine's loop. */
  private flush(): void {
    const tasks = this.tasks
    this.tasks = []
    for (const task of tasks) if (this.state === 'open') task()
    this.flushing = false
    if (this.state !== 'open') return
    while (this.sender.room >= PACKET_BYTES) {
      const frames = this.fill()
      if (frames.length > 0) this.transmit(frames)
      else if (!this.offerRoom()) {
        this.sender.idle()
        break
      }
    }
  }

  /** @returns whether the owner has sent something */
  private offerRoom(): boolean {
    if (!this.roomWanted || !this.owner) return false
    this.roomWanted = false
    this.owner.onRoom(Math.floor(this.sender.room))
    return this.withFrames.size > 0 || this.datagrams.length > 0 || this.roomWanted
  }

  /** Frames for a packet, the most urgent first. */
  private fill(): Frame[] {
    const frames: Frame[] = []
    let room = FRAMES_BYTES
    const add = (frame: Frame) => {
      frames.push(frame)
      room -= frameBytes(frame)
    }
    while (this.controls[0] && room >= frameBytes(this.controls[0])) add(this.controls.shift()!)
    while (this.datagrams[0] && room >= this.datagrams[0].length + 8) {
      add({ type: 'datagram', bytes: this.datagrams.shift()! })
    }
    for (let stream = this.urgent(); stream && room > 40; stream = this.urgent()) {
      const frame = stream.take(room - 8)
      if (!frame) break
      add(frame)
    }
    return frames
  }

  /** Streams of one order in turn of their writes. */
  private urgent(): SimulatedSendStream | null {
    let first: SimulatedSendStream | null = null
    for (const stream of this.withFrames) {
      if (!stream.hasFrame) this.withFrames.delete(stream)
      else if (!first || stream.order < first.order) first = stream
    }
    return first
  }

  private transmit(frames: readonly Frame[]): void {
    const size =
      frames.reduce((sum, frame) => sum + frameBytes(frame), 0) + PACKET_BYTES - FRAMES_BYTES
    const number = this.sender.sent(frames, size)
    this.options.out.send({ number, frames }, size + WIRE_OVERHEAD)
  }

  private repeat(frames: readonly Frame[]): void {
    for (const frame of frames) {
      if (frame.type === 'stream') this.sending.get(frame.id)?.lost(frame)
      else if (frame.type !== 'datagram' && frame.type !== 'close') this.controls.push(frame)
    }
    this.planFlush()
  }

  // ---- receiving

  /** A packet arrives. */
  take(packet: WirePacket): void {
    if ('acknowledged' in packet) {
      this.sender.onAck(packet.acknowledged)
      this.planFlush()
      return
    }
    this.acknowledge(packet.number)
    if (this.seen.has(packet.number)) return
    this.seen.add(packet.number)
    if (this.owner) this.takePacket(packet)
    else this.early.push(packet)
  }

  private acknowledge(number: number): void {
    this.received.push(number)
    if (this.received.length > ACK_MEMORY) this.received.shift()
    this.options.out.send({ acknowledged: this.received.slice() }, ACK_BYTES + WIRE_OVERHEAD)
  }

  private takePacket(packet: WirePacket): void {
    if (!('frames' in packet)) return
    for (const frame of packet.frames) {
      if (this.state !== 'open') return
      this.takeFrame(frame, this.owner!)
    }
  }

  private takeFrame(frame: Frame, owner: TransportHandler): void {
    switch (frame.type) {
      case 'datagram':
        owner.onDatagram(frame.bytes)
        return
      case 'stream':
        this.incoming(frame, owner)?.take(frame)
        return
      case 'reset':
        this.incoming(frame, owner)?.takeReset(frame.code)
        return
      case 'stop':
        this.incoming(frame, owner)
        this.sending.get(frame.id)?.stopped(frame.code)
        return
      case 'window':
        this.sending.get(frame.id)?.widen(frame.end)
        return
      case 'credit':
        this.credit[frame.kind]++
        if (!this.creditWanted) return
        this.creditWanted = false
        owner.onStreamCredit()
        return
      case 'close':
        this.state = 'closed'
        this.end({ by: 'peer', code: frame.code, reason: frame.reason })
    }
  }

  /** The stream of a frame, announced when it is the peer's and new; undefined when it is over. */
  private incoming(
    { id, kind }: Pick<StreamFrame, 'id' | 'kind'>,
    owner: TransportHandler,
  ): SimulatedReceiveStream | undefined {
    if (this.isOurs(id) || this.known.has(id)) return this.receiving.get(id)
    this.known.add(id)
    const receive = this.receiveStream(id, kind)
    if (kind === 'uni') owner.onUni(receive)
    else owner.onBidi({ send: this.sendStream(id, kind, 0), receive })
    return receive
  }

  // ---- streams

  private open(kind: StreamKind): boolean {
    if (this.state !== 'open') return false
    if (this.credit[kind] === 0) {
      this.creditWanted = true
      return false
    }
    this.credit[kind]--
    return true
  }

  private takeId(): number {
    const id = this.nextId
    this.nextId += 2
    return id
  }

  private sendStream(id: number, kind: StreamKind, order: number): SimulatedSendStream {
    const stream = new SimulatedSendStream(this, id, kind, order)
    this.sending.set(id, stream)
    return stream
  }

  private receiveStream(id: number, kind: StreamKind): SimulatedReceiveStream {
    const stream = new SimulatedReceiveStream(this, id, kind, () => {
      this.receiving.delete(id)
      if (!this.isOurs(id)) this.control({ type: 'credit', kind })
    })
    this.receiving.set(id, stream)
    return stream
  }

  private isOurs(id: number): boolean {
    return id % 2 === (this.options.side === 'client' ? 0 : 1)
  }

  private end(info: CloseInfo): void {
    this.sender.close()
    for (const stream of this.sending.values()) stream.end()
    for (const stream of [...this.receiving.values()]) stream.abort(STREAM_SESSION_CLOSED)
    this.owner?.onClosed(info)
  }
}
