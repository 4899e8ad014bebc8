/**
 * One direction of a network path, as a model without sockets or timers: a bottleneck that sends at a
 * rate out of a bounded queue, then a delay. The UDP shaper moves packets through it in real time,
 * simulations on a manual clock. The same seed and the same packets give the same fate.
 */

export interface LinkConditions {
  /** Bits a second; 0 is an outage, Infinity no bottleneck. */
  readonly rate: number
  /** From the bottleneck to the other end, ms. */
  readonly delayMs: number
  /** Added to the delay, evenly from 0 to this, ms. Packets keep their order. */
  readonly jitterMs: number
  /** Share of packets that are lost at random before the queue, 0..1. */
  readonly loss: number
  /** What the queue holds, bytes; a packet that does not fit is dropped. */
  readonly queueBytes: number
}

export const NO_SHAPING: LinkConditions = {
  rate: Number.POSITIVE_INFINITY,
  delayMs: 0,
  jitterMs: 0,
  loss: 0,
  queueBytes: 1_000_000,
}

export interface LinkStats {
  /** Packets that were offered, and what became of them. */
  offered: number
  delivered: number
  /** Bytes delivered. */
  deliveredBytes: number
  /** At random. */
  lost: number
  /** By the full queue. */
  dropped: number
}

interface Packet<T> {
  readonly item: T
  readonly size: number
  /** When it reaches the other end, ms; known once it has left the bottleneck. */
  arrivesAt: number
}

export class Link<T> {
  readonly stats: LinkStats = { offered: 0, delivered: 0, deliveredBytes: 0, lost: 0, dropped: 0 }
  private settings: LinkConditions
  private readonly random: () => number
  private readonly queue: Packet<T>[] = []
  private readonly flying: Packet<T>[] = []
  private queuedBytes = 0
  /** Until when the bottleneck's work is done, and how much of the head is still to be sent. */
  private servedUntil = 0
  private headBits = 0
  private lastArrival = Number.NEGATIVE_INFINITY

  /** @param random in [0, 1), for loss and jitter */
  constructor(conditions: LinkConditions, random: () => number) {
    this.settings = conditions
    this.random = random
  }

  get conditions(): LinkConditions {
    return this.settings
  }

  /** Bytes that wait before the bottleneck. */
  get backlog(): number {
    return this.queuedBytes
  }

  /** Holds from now on, also for what waits already. @param now ms */
  change(conditions: Partial<LinkConditions>, now: number): void {
    this.serve(now)
    this.settings = { ...this.settings, ...conditions }
  }

  /** @param size bytes on the wire */
  offer(item: T, size: number, now: number): void {
    this.serve(now)
    this.stats.offered++
    const { loss, queueBytes } = this.settings
    if (loss > 0 && this.random() < loss) {
      this.stats.lost++
      return
    }
    if (this.queuedBytes + size > queueBytes) {
      this.stats.dropped++
      return
    }
    this.queue.push({ item, size, arrivesAt: Number.POSITIVE_INFINITY })
    this.queuedBytes += size
    if (this.queue.length === 1) this.headBits = size * 8
    this.serve(now)
  }

  /** What has arrived by now, one at a time and in order; undefined when there is no more. */
  take(now: number): T | undefined {
    this.serve(now)
    const first = this.flying[0]
    if (!first || first.arrivesAt > now) return undefined
    this.flying.shift()
    this.stats.delivered++
    this.stats.deliveredBytes += first.size
    return first.item
  }

  /** When something arrives next, as things stand, ms; Infinity for nothing, or in an outage. */
  nextAt(): number {
    const [first] = this.flying
    if (first) return first.arrivesAt
    if (this.queue.length === 0) return Number.POSITIVE_INFINITY
    return this.servedUntil + this.headMs() + this.settings.delayMs
  }

  /** Milliseconds that the bottleneck needs for the rest of its head. */
  private headMs(): number {
    const { rate } = this.settings
    return rate === Number.POSITIVE_INFINITY ? 0 : (this.headBits / rate) * 1000
  }

  private serve(now: number): void {
    for (let head = this.queue[0]; head; head = this.queue[0]) {
      const leavesAt = this.servedUntil + this.headMs()
      if (leavesAt > now) {
        this.headBits -= ((now - this.servedUntil) * this.settings.rate) / 1000
        break
      }
      this.servedUntil = leavesAt
      this.queue.shift()
      this.queuedBytes -= head.size
      this.fly(head)
      this.headBits = (this.queue[0]?.size ?? 0) * 8
    }
    this.servedUntil = Math.max(this.servedUntil, now)
  }

  private fly(packet: Packet<T>): void {
    const { delayMs, jitterMs } = this.settings
    const jitter = jitterMs > 0 ? this.random() * jitterMs : 0
    this.lastArrival = Math.max(this.lastArrival, this.servedUntil + delayMs + jitter)
    packet.arrivesAt = this.lastArrival
    this.flying.push(packet)
  }
}
