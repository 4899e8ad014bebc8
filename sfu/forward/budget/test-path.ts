/**
 * For tests (vitest): a subscriber behind a simulated link. Frames of a video come into a queue, an
 * idealised sender pulls from it, a real budget watches and probes with a real `PaddingSource`; the
 * video goes up and down a ladder as the budget says. One step is 2 ms.
 */

import { Link, type LinkConditions, NO_SHAPING } from '../../simulation/net/link.ts'
import { seededRandom } from '../../simulation/net/random.ts'
import { Budget, type BudgetOptions } from './budget.ts'
import { PaddingSource } from './padding-source.ts'
import { Bbr, type Control, Cubic, PACKET, type Packet, Sender } from './test-sender.ts'

export interface PathWorldOptions {
  readonly control?: 'bbr' | 'cubic'
  readonly link: Partial<LinkConditions>
  readonly seed?: number
  /** Bits a second that the video can have, ascending. */
  readonly ladder?: readonly number[]
  /** Without a signal of the engine's: reports of the receiver's are all there is. */
  readonly reports?: boolean
  readonly budget?: BudgetOptions
}

export interface Look {
  readonly at: number
  readonly budget: number
  readonly proven: number
  /** Bits a second of the step that the video is on. */
  readonly media: number
  /** Wait in the link's queue, ms. */
  readonly linkMs: number
  readonly waitingBytes: number
  readonly probing: boolean
}

const STEP_MS = 2
const FRAME_MS = 33
/** Each so many frames comes a key frame of this many frames' size. */
const KEY_INTERVAL = 60
const KEY_SIZE = 4
/** A step up takes at most this of what is proven. */
const UP_SHARE = 0.95
const LADDER = [100_000, 200_000, 400_000, 800_000, 1_500_000, 2_500_000, 3_500_000]

export class PathWorld {
  now = 0
  readonly budget: Budget
  readonly link: Link<Packet>
  readonly looks: Look[] = []
  paddingBytes = 0
  /** Most that the video may have; what a person does with windows. */
  cap = Number.POSITIVE_INFINITY
  private readonly options: PathWorldOptions
  private readonly acks: Link<Packet>
  private readonly sender: Sender
  private readonly rival: Sender
  private rivalry = false
  private readonly padding: PaddingSource
  private waiting = 0
  private frame = 0
  private step = 0
  private arrivedBytes = 0
  private reportedBytes = 0

  constructor(options: PathWorldOptions) {
    this.options = options
    this.budget = new Budget(options.budget)
    const conditions = { ...NO_SHAPING, queueBytes: 60_000, ...options.link }
    this.link = new Link(conditions, seededRandom(options.seed ?? 1))
    const back = { ...NO_SHAPING, delayMs: conditions.delayMs }
    this.acks = new Link(back, seededRandom(0))
    this.sender = new Sender(controlOf(options.control ?? 'bbr'))
    this.rival = new Sender(controlOf('cubic'))
    this.padding = new PaddingSource(this.budget, {
      now: () => this.now,
      sentBytes: () => this.sender.sentBytes,
      maxDatagramSize: () => PACKET,
      sendPadding: (bytes) => {
        this.paddingBytes += bytes
        this.transmit(this.sender, bytes, this.paddingDue > bytes + PACKET)
        return true
      },
    })
  }

  private get ladder(): readonly number[] {
    return this.options.ladder ?? LADDER
  }

  get mediaRate(): number {
    return this.ladder[this.step]!
  }

  /** A download that takes all that it gets begins or ends. */
  compete(on: boolean): void {
    this.rivalry = on
  }

  run(ms: number): void {
    const end = this.now + ms
    while (this.now < end) {
      this.now += STEP_MS
      this.receive()
      this.produce()
      this.pull()
      if (this.rivalry) while (this.rival.room >= PACKET) this.transmit(this.rival, PACKET, true)
      if (this.now % 20 === 0) this.sample()
      if (this.now % 100 === 0) this.look()
    }
  }

  /** What was seen in a stretch, ms. */
  between(from: number, to: number): Look[] {
    return this.looks.filter(({ at }) => at > from && at <= to)
  }

  /** When something held first, at or after `from`, and how long after it; Infinity for never. */
  delayUntil(from: number, holds: (look: Look) => boolean): number {
    const found = this.looks.find((look) => look.at >= from && holds(look))
    return found ? found.at - from : Number.POSITIVE_INFINITY
  }

  private produce(): void {
    if (Math.floor(this.now / FRAME_MS) === Math.floor((this.now - STEP_MS) / FRAME_MS)) return
    const isKey = this.frame++ % KEY_INTERVAL === 0
    const mean = (this.mediaRate * FRAME_MS) / 8000
    const unit = mean / (1 + (KEY_SIZE - 1) / KEY_INTERVAL)
    this.waiting += Math.round(unit * (isKey ? KEY_SIZE : 1))
    // Older than the latency budget: dropped, as the scheduler does.
    this.waiting = Math.min(this.waiting, (this.mediaRate / 8) * 1.5)
  }

  private pull(): void {
    while (this.waiting > 0 && this.sender.room >= PACKET) {
      const size = Math.min(PACKET, this.waiting)
      this.waiting -= size
      this.transmit(this.sender, size, this.waiting > 0 || this.paddingDue > PACKET)
    }
    if (this.waiting === 0 && this.sender.room >= PACKET) {
      while (this.padding.pull(Math.floor(Math.min(4096, this.sender.room))) > 0) {}
    }
  }

  private get paddingDue(): number {
    return this.budget.paddingDue(this.now, this.sender.sentBytes)
  }

  private transmit(sender: Sender, size: number, more: boolean): void {
    this.link.offer(sender.send(size, this.now, more), size + 40, this.now)
  }

  private receive(): void {
    const { now } = this
    for (let packet = this.link.take(now); packet; packet = this.link.take(now)) {
      if (packet.sender === this.sender) this.arrivedBytes += packet.size
      this.acks.offer(packet, 40, now)
    }
    for (let packet = this.acks.take(now); packet; packet = this.acks.take(now)) {
      packet.sender.onAck(packet, now)
    }
    this.sender.tick(now)
    this.rival.tick(now)
  }

  private sample(): void {
    const { budget, sender, now } = this
    const top = this.ladder.findLast((rate) => rate <= this.cap)!
    budget.want(top / UP_SHARE)
    if (this.options.reports && now % 200 === 0) this.report()
    const congestion = this.options.reports ? null : sender.congestion()
    if (budget.isProbing || now % 60 === 0) {
      budget.onSample(now, congestion, sender.sentBytes, this.waiting)
    }
    while (this.step > 0 && this.mediaRate > Math.min(budget.bitsPerSecond, this.cap)) this.step--
    const above = this.ladder[this.step + 1]
    if (above && above <= Math.min(budget.provenBitsPerSecond * UP_SHARE, this.cap)) this.step++
  }

  private report(): void {
    const bytes = this.arrivedBytes - this.reportedBytes
    this.reportedBytes = this.arrivedBytes
    const figures = { intervalMs: 200, bytes, received: 20, lost: 0, queueMs: this.linkMs }
    this.budget.onReport(this.now, figures)
  }

  private get linkMs(): number {
    return this.link.backlog === 0 ? 0 : (this.link.backlog * 8000) / this.link.conditions.rate
  }

  private look(): void {
    this.looks.push({
      at: this.now,
      budget: this.budget.bitsPerSecond,
      proven: this.budget.provenBitsPerSecond,
      media: this.mediaRate,
      linkMs: this.linkMs,
      waitingBytes: this.waiting,
      probing: this.budget.isProbing,
    })
  }
}

function controlOf(name: 'bbr' | 'cubic'): Control {
  return name === 'bbr' ? new Bbr() : new Cubic()
}
