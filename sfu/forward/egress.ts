/**
 * The egress scheduler: one a subscriber's session. Objects wait here until the engine has room
 * (pull, not push), so that what is urgent overtakes and what is late is dropped instead of sent.
 * Traffic classes are strict; within a class draft-18 section 7.2 orders what is sent. It knows no
 * QUIC and no media beyond the class.
 */

import type { Clock } from '../../moq/session/index.ts'
import { ResetCode } from '../../moq/wire/codes.ts'
import { countReset, type ForwardCounters } from './counters.ts'
import { RESET_MS, SubgroupEndings } from './endings.ts'
import type { FlowHost, FlowLane, FlowOwner, SubgroupFlow } from './flow.ts'
import type { ForwardObject } from './object.ts'
import { ENTRY_BYTES, relieve } from './overflow.ts'
import { Pacer } from './pacer.ts'
import { PacerWait } from './pacer-wait.ts'
import type { PullSource } from './pull-source.ts'
import { SendOrder } from './send-order.ts'
import { oldestIn, waitingIn } from './send-order-view.ts'
import {
  DEFAULT_BUDGETS,
  FIRST_PACED,
  type LatencyBudgets,
  TRAFFIC,
  type TrafficClass,
} from './traffic.ts'

export interface EgressOptions {
  readonly clock: Clock
  readonly counters: ForwardCounters
  /** Asks the engine for room; see `TransportSession.wantRoom`. */
  readonly wantRoom: () => void
  /**
   * Bytes that may wait for this subscriber, with `ENTRY_BYTES` for each object; beyond it the least
   * urgent and oldest go.
   */
  readonly maxBytes: number
  readonly budgets?: LatencyBudgets
}

/** Beyond the last class. */
const ALL_CLASSES = TRAFFIC.length
/** Bytes that a fetch may send before the others of its rank have their turn. */
const SOURCE_SHARE = 4096

export class EgressScheduler implements FlowHost {
  readonly pacer = new Pacer()
  private readonly options: EgressOptions
  private readonly counters: ForwardCounters
  private readonly budgets: readonly number[]
  private readonly order = new SendOrder()
  private readonly endings: SubgroupEndings
  private pulling: PullSource | null = null
  /** Whether room was asked for and not given since. */
  private asked = false
  private bytes = 0
  private objects = 0
  private offered = 0
  private readonly wait: PacerWait
  /** Flows of which only the FIN or the reset is still to be sent. */
  private held = 0

  constructor(options: EgressOptions) {
    this.options = options
    this.counters = options.counters
    const budgets = options.budgets ?? DEFAULT_BUDGETS
    this.budgets = TRAFFIC.map((traffic) => budgets[traffic])
    this.wait = new PacerWait(options.clock, () => {
      if (!this.order.isEmpty) this.ask()
    })
    this.endings = new SubgroupEndings({
      clock: options.clock,
      onExpired: (flow) => {
        if (flow.end === 'held' && flow.endsByReset) this.endTaken(flow)
        else this.giveUp(flow, 'deadline')
      },
      onTaken: (flow) => this.endTaken(flow),
    })
  }

  /** Bytes that wait. */
  get waitingBytes(): number {
    return this.bytes
  }

  /** Of these, what waits for the transport to have room. */
  get waitingForRoom(): number {
    return this.asked ? this.bytes : 0
  }

  /** Bytes that came to be sent since the session began; of fetches and padding what was sent. */
  get offeredBytes(): number {
    return this.offered
  }

  /** @param bitsPerSecond see `Pacer.setRate` */
  setRate(bitsPerSecond: number): void {
    const { pacer, options } = this
    if (pacer.isOff && bitsPerSecond === Number.POSITIVE_INFINITY) return
    pacer.setRate(bitsPerSecond, options.clock.now())
    this.wait.end()
    if (!this.order.isEmpty) this.ask()
  }

  /** The session is over. */
  close(): void {
    this.wait.close()
  }

  /** Queues an object of a subgroup behind what the flow already has. */
  queueObject(flow: SubgroupFlow, object: ForwardObject): void {
    flow.push(object, this)
    this.order.addFlow(flow)
    this.queued(flow.owner, object.body.length)
  }

  /** The subgroup ends after what is queued. */
  queueEnd(flow: SubgroupFlow): void {
    if (flow.over || flow.end !== 'unknown') return
    flow.end = 'ending'
    if (!flow.first) this.endFlow(flow)
    const { subgroupTimeoutMs } = flow
    if (!flow.over && subgroupTimeoutMs !== Number.POSITIVE_INFINITY) {
      this.endings.add(flow, subgroupTimeoutMs)
    }
  }

  queueDatagram(owner: FlowOwner, object: ForwardObject): void {
    this.order.addDatagram(owner, object)
    this.queued(owner, object.datagram!.length)
  }

  /** The source has something now, or another priority. No effect from within its own `pull`. */
  wake(source: PullSource): void {
    if (source === this.pulling) return
    this.order.addSource(source)
    if (!this.order.isEmpty) this.ask()
  }

  /** The source is never pulled again. */
  remove(source: PullSource): void {
    this.order.removeSource(source)
  }

  /**
   * The owner's subscriber priority (REQUEST_UPDATE) or stream class changed: what waits moves to its
   * new place.
   */
  reprioritize(owner: FlowOwner): void {
    this.order.reprioritize(owner)
  }

  /** Nothing that waits of the owner is sent: the subscriber has something else instead. */
  withdraw(owner: FlowOwner): void {
    for (const lane of this.order.lanesOf(owner)) {
      for (const flow of lane.flows()) {
        this.dropped('selection', lane.traffic)
        if (flow.over) this.discard(flow)
        else flow.abandon(ResetCode.CANCELLED)
      }
      const datagrams = new Set(lane.datagrams.list())
      this.order.removeDatagrams(lane, datagrams)
      this.dropped('selection', lane.traffic, datagrams.size)
      for (const object of datagrams) this.gone(owner, object.datagram!.length)
    }
  }

  /** The engine has room for about this many bytes. */
  pull(bytes: number): void {
    this.asked = false
    if (this.held > 0) this.endings.release()
    const { order } = this
    const now = this.options.clock.now()
    const { pacer } = this
    const before = pacer.sentBytes
    let room = bytes
    let picked: ReturnType<SendOrder['pick']> = 'flow'
    while (room > 0 && picked !== 'held' && picked !== 'nothing') {
      picked = order.pick(pacer.mayGo(now) ? ALL_CLASSES : FIRST_PACED)
      let sent = 0
      if (picked === 'flow') sent = this.sendNext(order.flow!, now)
      else if (picked === 'datagram') sent = this.sendDatagram(order.owner!, order.datagram!, now)
      else if (picked === 'source') sent = this.pullFrom(order.source!, room)
      if (sent === 0) continue
      room -= sent
      pacer.sent(sent)
    }
    if (pacer.sentBytes > before) pacer.log.note(now, pacer.sentBytes)
    if (picked === 'held') this.holdBack(now)
    else if (!order.isEmpty) this.ask()
  }

  /** Stream credit returned. */
  resume(): void {
    this.order.creditReturned()
    if (!this.order.isEmpty) this.ask()
  }

  /** What waits: subgroups and datagrams by traffic class, and fetches; for a look inside. */
  dump() {
    return { waitingBytes: this.bytes, objects: this.objects, ...waitingIn(this.order) }
  }

  /**
   * When what has waited longest came, by traffic class; for metrics, as every queue is looked at.
   * @param earliest is lowered where something older waits; ms
   */
  oldest(earliest: Float64Array): void {
    oldestIn(this.order, earliest)
  }

  // ---- FlowHost

  onReset(code: number): void {
    countReset(this.counters.resets.sent, code)
  }

  discard(flow: SubgroupFlow): void {
    this.order.removeFlow(flow)
    let waited = 0
    for (let object = flow.shift(); object; object = flow.shift()) {
      this.bytes -= object.body.length
      this.objects--
      waited++
    }
    if (flow.end === 'held') {
      flow.end = 'ending'
      this.held--
      waited++
    }
    if (waited > 0) settled(flow.owner, waited)
  }

  // ---- sending

  /** Sends or drops what is next of a flow. @returns bytes sent */
  private sendNext(flow: SubgroupFlow, now: number): number {
    if (flow.over) {
      this.discard(flow)
      return 0
    }
    const { owner } = flow
    const object = flow.first!
    const age = now - object.arrivedAt
    if (age > this.budgets[owner.streamClass]! || age > flow.objectTimeoutMs) {
      this.giveUp(flow, 'deadline')
      return 0
    }
    const fresh = !flow.hasStream
    const sent = flow.send(object, this.pacer.piece)
    if (sent < 0) {
      this.order.flowBlocked()
      return 0
    }
    if (fresh) this.order.opened(flow)
    if (!flow.isWritten) return sent
    flow.shift()
    const size = object.body.length
    this.counters.sent.count(owner.streamClass, false, object.payloadLength)
    this.counters.latency[owner.streamClass]!.observe(age)
    if (!flow.first) {
      this.order.removeFlow(flow)
      if (flow.end === 'ending') this.endFlow(flow)
    }
    this.gone(owner, size)
    return sent
  }

  private sendDatagram(owner: FlowOwner, object: ForwardObject, now: number): number {
    const { publication } = owner
    const datagram = object.datagram!
    let sent = 0
    if (!publication.closed) {
      const age = now - object.arrivedAt
      if (this.isLate(owner, age)) {
        this.dropped('deadline', owner.datagramClass)
        owner.onDatagramLost(object, 'deadline')
      } else if (!owner.isUseful(object)) {
        owner.onDatagramLost(object, 'useless')
      } else if (publication.sendDatagram(datagram)) {
        sent = datagram.length
        this.counters.sent.count(owner.datagramClass, true, object.payloadLength)
        this.counters.latency[owner.datagramClass]!.observe(age)
      } else {
        this.dropped('congestion', owner.datagramClass)
        owner.onDatagramLost(object, 'congestion')
      }
    }
    this.gone(owner, datagram.length)
    return sent
  }

  /** Section 8: for a datagram, either of the timeouts. @param age ms */
  private isLate(owner: FlowOwner, age: number): boolean {
    if (age > this.budgets[owner.datagramClass]!) return true
    return age > owner.objectTimeoutMs || age > owner.subgroupTimeoutMs
  }

  private pullFrom(source: PullSource, room: number): number {
    this.pulling = source
    let sent = 0
    try {
      sent = source.pull(Math.min(room, SOURCE_SHARE))
    } finally {
      this.pulling = null
    }
    this.order.pulled(source, sent)
    if (sent <= 0) return 0
    this.offered += sent
    return sent
  }

  /** Everything of a flow was written, and its end is queued. */
  private endFlow(flow: SubgroupFlow): void {
    const { endsByReset, subgroupTimeoutMs, buffered } = flow
    if (buffered === 0 || (!endsByReset && subgroupTimeoutMs === Number.POSITIVE_INFINITY)) {
      flow.finish()
      return
    }
    if (endsByReset) this.endings.add(flow, RESET_MS)
    flow.end = 'held'
    this.held++
    flow.owner.waiting++
    this.endings.hold(flow)
  }

  private endTaken(flow: SubgroupFlow): void {
    if (flow.end !== 'held') return
    flow.end = 'ending'
    this.held--
    flow.finish()
    settled(flow.owner, 1)
  }

  private giveUp(flow: SubgroupFlow, reason: 'deadline' | 'overflow'): void {
    if (flow.over) {
      this.discard(flow)
      return
    }
    this.dropped(reason, flow.owner.streamClass)
    flow.abandon(reason === 'deadline' ? ResetCode.DELIVERY_TIMEOUT : ResetCode.TOO_FAR_BEHIND)
  }

  // ---- bounds

  /** What waits has to wait for the pacer; audio comes through meanwhile. */
  private holdBack(now: number): void {
    this.wait.begin(this.pacer.hold(now))
  }

  private ask(): void {
    if (this.asked) return
    this.asked = true
    this.options.wantRoom()
  }

  private queued(owner: FlowOwner, size: number): void {
    owner.waiting++
    this.objects++
    this.bytes += size
    this.offered += size
    if (this.load > this.options.maxBytes) this.makeSpace()
    this.ask()
  }

  private gone(owner: FlowOwner, size: number): void {
    this.objects--
    this.bytes -= size
    settled(owner, 1)
  }

  private dropped(reason: keyof ForwardCounters['drops'], of: TrafficClass, count = 1): void {
    this.counters.drops[reason] += count
    this.counters.dropsOf[of]! += count
  }

  private get load(): number {
    return this.bytes + this.objects * ENTRY_BYTES
  }

  private makeSpace(): void {
    relieve(this.order.lanes(), this.options.maxBytes, {
      load: () => this.load,
      giveUp: (flow) => this.giveUp(flow, 'overflow'),
      drop: (lane, datagrams) => this.overflowed(lane, datagrams),
    })
  }

  private overflowed(lane: FlowLane, datagrams: ReadonlySet<ForwardObject>): void {
    this.order.removeDatagrams(lane, datagrams)
    this.dropped('overflow', lane.traffic, datagrams.size)
    for (const object of datagrams) {
      this.gone(lane.owner, object.datagram!.length)
      lane.owner.onDatagramLost(object, 'overflow')
    }
  }
}

/** So many of the owner's wait no more. */
function settled(owner: FlowOwner, entries: number): void {
  owner.waiting -= entries
  if (owner.waiting === 0) owner.onIdle()
}
