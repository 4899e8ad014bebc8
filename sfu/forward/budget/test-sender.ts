/**
 * For tests (vitest): an idealised QUIC sender, as much of it as a budget can see: packets,
 * acknowledgements, losses, a congestion window by CUBIC or BBR, the delivery rate as quiche takes it.
 */

import type { Congestion } from '../../../moq/transport/transport.ts'
import { WindowedMax } from './windows.ts'

export const PACKET = 1200

export interface Packet {
  readonly sender: Sender
  readonly number: number
  readonly size: number
  readonly sentAt: number
  /** Bytes delivered when it was sent, and when the last of them was. */
  readonly delivered: number
  readonly deliveredAt: number
  readonly applicationLimited: boolean
}

/** What congestion control knows of a packet. */
export type Acked = Pick<Packet, 'size' | 'sentAt'>

export interface Control {
  /** Bytes. */
  readonly window: number
  onAck(packet: Acked, now: number, rate: number, rttMs: number, limited: boolean): void
  onLoss(packet: Acked, now: number): void
  onTimeout(): void
}

export class Sender {
  sentBytes = 0
  lostPackets = 0
  readonly control: Control
  private readonly inFlight = new Map<number, Packet>()
  private flying = 0
  private next = 0
  private delivered = 0
  private deliveredAt = 0
  private rttMs = 0
  /** Of negated round-trip times: BBR's filter of ten seconds. */
  private readonly fastest = new WindowedMax(10_000)
  private rate = 0
  private lastAck = 0
  private limitedUntil = 0

  constructor(control: Control) {
    this.control = control
  }

  get room(): number {
    return this.control.window - this.flying
  }

  /** @param more whether there is more to send than this */
  send(size: number, now: number, more: boolean): Packet {
    if (this.flying === 0) this.deliveredAt = now
    if (!more && this.room > PACKET) this.limitedUntil = this.delivered + this.flying + size
    const packet: Packet = {
      sender: this,
      number: this.next++,
      size,
      sentAt: now,
      delivered: this.delivered,
      deliveredAt: this.deliveredAt,
      applicationLimited: this.delivered < this.limitedUntil,
    }
    this.inFlight.set(packet.number, packet)
    this.flying += size
    this.sentBytes += size
    return packet
  }

  /** The acknowledgement of a packet is here. */
  onAck(packet: Packet, now: number): void {
    this.lastAck = now
    if (!this.settle(packet)) return
    const rtt = now - packet.sentAt
    this.rttMs = this.rttMs === 0 ? rtt : this.rttMs + (rtt - this.rttMs) / 8
    this.fastest.add(-rtt, now)
    const minRttMs = -this.fastest.max(now)
    this.delivered += packet.size
    this.deliveredAt = now
    const interval = now - packet.deliveredAt
    if (interval >= minRttMs) {
      this.rate = ((this.delivered - packet.delivered) * 8000) / interval
    }
    this.control.onAck(packet, now, this.rate, minRttMs, packet.applicationLimited)
    for (const other of this.inFlight.values()) {
      if (other.number > packet.number - 3) break
      this.lose(other, now)
    }
  }

  /** Nothing came back for a long time: what is out is lost. */
  tick(now: number): void {
    const [oldest] = this.inFlight.values()
    if (!oldest || now - Math.max(this.lastAck, oldest.sentAt) < 3 * this.rttMs + 200) return
    for (const packet of [...this.inFlight.values()]) this.settle(packet) && this.lostPackets++
    this.control.onTimeout()
  }

  congestion(): Congestion {
    return {
      rttMs: this.rttMs,
      congestionWindow: this.control.window,
      bytesInFlight: this.flying,
      deliveryRate: this.rate,
      lostPackets: this.lostPackets,
    }
  }

  private lose(packet: Packet, now: number): void {
    this.settle(packet)
    this.lostPackets++
    this.control.onLoss(packet, now)
  }

  private settle(packet: Packet): boolean {
    if (!this.inFlight.delete(packet.number)) return false
    this.flying -= packet.size
    return true
  }
}

/** RFC 9438 without its refinements. */
export class Cubic implements Control {
  window = 10 * PACKET
  private threshold = Number.POSITIVE_INFINITY
  private most = 0
  private epoch = Number.NEGATIVE_INFINITY
  private recoverUntil = -1
  private sentAt = 0

  onAck({ size, sentAt }: Acked, now: number, _rate: number, _rtt: number, limited: boolean): void {
    this.sentAt = now
    if (limited || sentAt < this.recoverUntil) return
    if (this.window < this.threshold) {
      this.window += size
      return
    }
    const seconds = (now - this.epoch) / 1000
    const k = Math.cbrt((this.most * 0.3) / PACKET / 0.4)
    const goal = 0.4 * (seconds - k) ** 3 * PACKET + this.most
    const step = Math.max(goal - this.window, 0.5 * PACKET)
    this.window += (Math.min(step, this.window / 2) * size) / this.window
  }

  onLoss({ sentAt }: Acked, now: number): void {
    if (sentAt < this.recoverUntil) return
    this.recoverUntil = now
    this.epoch = now
    this.most = this.window
    this.window = Math.max(2 * PACKET, this.window * 0.7)
    this.threshold = this.window
  }

  onTimeout(): void {
    this.threshold = Math.max(2 * PACKET, this.window / 2)
    this.window = 2 * PACKET
    this.epoch = this.sentAt
  }
}

/** BBR's model of the path, without pacing, as our engine runs it. */
export class Bbr implements Control {
  window = 10 * PACKET
  private readonly rates: { at: number; rate: number }[] = []
  private startup = true
  private plateau = { rate: 0, rounds: 0, until: 0 }

  onAck({ size }: Acked, now: number, rate: number, rttMs: number, limited: boolean): void {
    const best = this.best()
    if (rate > best || !limited) this.rates.push({ at: now, rate })
    const oldest = now - Math.max(10 * rttMs, 1000)
    while (this.rates.length > 1 && this.rates[0]!.at < oldest) this.rates.shift()
    if (this.startup) {
      if (!limited) this.window += size
      this.look(now, rttMs, limited)
      return
    }
    this.window = Math.max(4 * PACKET, (2 * this.best() * rttMs) / 8000 + 3 * PACKET)
  }

  onLoss(): void {}

  onTimeout(): void {
    this.window = 4 * PACKET
  }

  private best(): number {
    return this.rates.reduce((most, { rate }) => Math.max(most, rate), 0)
  }

  private look(now: number, rttMs: number, limited: boolean): void {
    const plateau = this.plateau
    if (now < plateau.until || limited) return
    plateau.until = now + rttMs
    const best = this.best()
    if (best > plateau.rate * 1.25) {
      plateau.rate = best
      plateau.rounds = 0
    } else if (++plateau.rounds === 3) {
      this.startup = false
    }
  }
}
