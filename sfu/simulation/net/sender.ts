import type { Congestion } from '../../../moq/transport/transport.ts'
import { Bbr } from '../../forward/budget/test-sender.ts'
import { WindowedMax } from '../../forward/budget/windows.ts'
import type { SimulatedClock } from './clock.ts'
import { type Frame, PACKET_BYTES } from './frames.ts'

/** What packets that were sent later have to be ahead, and for how many round trips (RFC 9002 section 6.1). */
const REORDERING = 3
const TIME_THRESHOLD = 9 / 8
/** A probe when nothing is acknowledged for so long: round trips, and ms beside them. */
const PROBE_RTTS = 1.5
const PROBE_MS = 30
const INITIAL_PROBE_MS = 300
const MAX_PROBE_MS = 2000
/** So many probes in vain mean that the path is not what it was. */
const PERSISTENT_PROBES = 3

interface SentPacket {
  readonly number: number
  readonly frames: readonly Frame[]
  readonly size: number
  readonly sentAt: number
  /** Bytes delivered when it was sent, and when the last of them was. */
  readonly delivered: number
  readonly deliveredAt: number
  readonly limited: boolean
}

export interface SenderHandler {
  onLost(frames: readonly Frame[]): void
  /** Nothing came back for long: what is out is to be sent once more. */
  onProbe(frames: readonly Frame[]): void
}

/** Congestion and loss of one direction, as a QUIC sender of ours sees them: BBR, RFC 9002. */
export class SimulatedSender {
  private readonly clock: SimulatedClock
  private readonly handler: SenderHandler
  private readonly control = new Bbr()
  private readonly inFlight = new Map<number, SentPacket>()
  private flying = 0
  private next = 0
  private largest = -1
  private delivered = 0
  private deliveredAt = 0
  private rttMs = 0
  /** Of negated round-trip times: the filter of ten seconds. */
  private readonly fastest = new WindowedMax(10_000)
  private rate = 0
  private lost = 0
  private limitedUntil = 0
  /** Since when nothing was acknowledged, ms, and the probes that were sent since. */
  private quietSince = 0
  private probes = 0
  private stopTimer: (() => void) | null = null

  constructor(clock: SimulatedClock, handler: SenderHandler) {
    this.clock = clock
    this.handler = handler
  }

  /** Bytes that may be sent now. */
  get room(): number {
    return this.control.window - this.flying
  }

  /** @returns its number */
  sent(frames: readonly Frame[], size: number): number {
    const now = this.clock.now()
    if (this.flying === 0) {
      this.deliveredAt = now
      this.quietSince = now
    }
    const packet: SentPacket = {
      number: this.next++,
      frames,
      size,
      sentAt: now,
      delivered: this.delivered,
      deliveredAt: this.deliveredAt,
      limited: this.delivered < this.limitedUntil,
    }
    this.inFlight.set(packet.number, packet)
    this.flying += size
    if (!this.stopTimer) this.watch()
    return packet.number
  }

  /** There is nothing to send, though there would be room. */
  idle(): void {
    if (this.room >= PACKET_BYTES) this.limitedUntil = this.delivered + this.flying
  }

  onAck(numbers: readonly number[]): void {
    const now = this.clock.now()
    let progress = false
    for (const number of numbers) {
      const packet = this.inFlight.get(number)
      if (!packet) continue
      progress = true
      this.largest = Math.max(this.largest, number)
      this.settle(packet)
      this.acknowledged(packet, now)
    }
    if (!progress) return
    this.quietSince = now
    this.probes = 0
    this.findLost(now)
    this.watch()
  }

  congestion(): Congestion {
    return {
      rttMs: this.rttMs,
      congestionWindow: Math.round(this.control.window),
      bytesInFlight: this.flying,
      deliveryRate: this.rate,
      lostPackets: this.lost,
    }
  }

  close(): void {
    this.stopTimer?.()
    this.inFlight.clear()
    this.flying = 0
  }

  private acknowledged(packet: SentPacket, now: number): void {
    const rtt = now - packet.sentAt
    this.rttMs = this.rttMs === 0 ? rtt : this.rttMs + (rtt - this.rttMs) / 8
    this.fastest.add(-rtt, now)
    const fastest = -this.fastest.max(now)
    this.delivered += packet.size
    this.deliveredAt = now
    const interval = now - packet.deliveredAt
    if (interval > 0 && interval >= fastest) {
      this.rate = ((this.delivered - packet.delivered) * 8000) / interval
    }
    this.control.onAck(packet, now, this.rate, fastest, packet.limited)
  }

  private findLost(now: number): void {
    for (const packet of this.inFlight.values()) {
      if (packet.number > this.largest) break
      const late = packet.sentAt + TIME_THRESHOLD * this.rttMs <= now
      if (packet.number <= this.largest - REORDERING || late) this.lose(packet)
    }
  }

  private lose(packet: SentPacket): void {
    this.settle(packet)
    this.lost++
    this.handler.onLost(packet.frames)
  }

  private settle(packet: SentPacket): void {
    this.inFlight.delete(packet.number)
    this.flying -= packet.size
  }

  /** Waits for the time at which something is overdue. */
  private watch(): void {
    this.stopTimer?.()
    this.stopTimer = null
    const [oldest] = this.inFlight.values()
    if (!oldest) return
    const passed = oldest.number < this.largest
    const at = passed ? oldest.sentAt + TIME_THRESHOLD * this.rttMs : this.probeAt
    this.stopTimer = this.clock.at(at, () => {
      this.stopTimer = null
      if (passed) this.findLost(this.clock.now())
      else this.probe(oldest)
      if (!this.stopTimer) this.watch()
    })
  }

  private get probeAt(): number {
    const patience = this.rttMs === 0 ? INITIAL_PROBE_MS : PROBE_RTTS * this.rttMs + PROBE_MS
    return this.quietSince + Math.min(MAX_PROBE_MS, patience * 2 ** this.probes)
  }

  private probe(oldest: SentPacket): void {
    this.probes++
    this.quietSince = this.clock.now()
    if (this.probes === PERSISTENT_PROBES) this.control.onTimeout()
    this.handler.onProbe(oldest.frames)
  }
}
