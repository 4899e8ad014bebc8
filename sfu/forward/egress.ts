/**
 * The egress scheduler: one a subscriber's session. Objects wait here, by traffic class, until the
 * engine has room (pull, not push), so that what is urgent overtakes and what is late is dropped
 * instead of sent. It knows no QUIC and no media beyond the class.
 */

import type { Clock } from '../../moq/session/index.ts'
import { ResetCode } from '../../moq/wire/codes.ts'
import type { ForwardCounters } from './counters.ts'
import { type FlowOwner, SubgroupFlow } from './flow.ts'
import type { ForwardObject } from './object.ts'
import { EgressQueue, END } from './queue.ts'
import { DEFAULT_BUDGETS, type LatencyBudgets, TRAFFIC } from './traffic.ts'

export interface EgressOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly counters: ForwardCounters
  /** Asks the engine for room; see `TransportSession.wantRoom`. */
  readonly wantRoom: () => void
  /** Bytes that may wait for this subscriber; beyond it the least urgent and oldest go. */
  readonly maxBytes: number
  readonly budgets?: LatencyBudgets
}

type Target = SubgroupFlow | FlowOwner

export class EgressScheduler {
  private readonly options: EgressOptions
  private readonly budgets: readonly number[]
  private readonly queues = TRAFFIC.map(() => new EgressQueue<Target>())
  private waiting = 0

  constructor(options: EgressOptions) {
    this.options = options
    const budgets = options.budgets ?? DEFAULT_BUDGETS
    this.budgets = TRAFFIC.map((traffic) => budgets[traffic])
  }

  /** Bytes that wait. */
  get waitingBytes(): number {
    return this.waiting
  }

  /** Queues an object of a subgroup behind what the flow already has. */
  queueObject(flow: SubgroupFlow, object: ForwardObject): void {
    this.push(flow.owner, flow.owner.streamClass, flow, object)
  }

  /** The subgroup ends after what is queued. */
  queueEnd(flow: SubgroupFlow): void {
    this.push(flow.owner, flow.owner.streamClass, flow, END)
  }

  queueDatagram(owner: FlowOwner, object: ForwardObject): void {
    this.push(owner, owner.datagramClass, owner, object)
  }

  /** The engine has room for about this many bytes. */
  pull(bytes: number): void {
    const now = this.options.clock.now()
    let room = bytes
    let blocked = false
    for (let index = 0; index < this.queues.length && room > 0; index++) {
      const queue = this.queues[index]!
      const oldest = now - this.budgets[index]!
      while (queue.length > 0 && room > 0) {
        const size = this.sendOldest(queue, oldest)
        if (size < 0) {
          // No stream credit: datagrams below may still go; the credit's return wants room again.
          blocked = true
          break
        }
        room -= size
      }
    }
    if (!blocked && this.hasEntries()) this.options.wantRoom()
  }

  /** Stream credit returned. */
  resume(): void {
    if (this.hasEntries()) this.options.wantRoom()
  }

  /** Queue lengths by traffic class, for a look inside. */
  dump(): { waitingBytes: number; queues: Record<string, number> } {
    const queues = Object.fromEntries(TRAFFIC.map((name, i) => [name, this.queues[i]!.length]))
    return { waitingBytes: this.waiting, queues }
  }

  private push(
    owner: FlowOwner,
    traffic: number,
    target: Target,
    object: ForwardObject | null,
  ): void {
    this.queues[traffic]!.push(target, object)
    owner.waiting++
    this.waiting += sizeOf(object)
    if (this.waiting > this.options.maxBytes) this.makeSpace()
    this.options.wantRoom()
  }

  /** Sends or drops the queue's oldest entry; returns bytes sent, or -1 without stream credit. */
  private sendOldest(queue: EgressQueue<Target>, oldest: number): number {
    const { target, object } = queue
    let sent = 0
    if (target instanceof SubgroupFlow) {
      if (object === END) {
        if (!target.over) target.finish()
      } else if (!target.over) {
        if (object.arrivedAt < oldest) this.giveUp(target, 'deadline')
        else if (!target.send(object)) return -1
        else sent = object.body.length
      }
    } else if (object !== END) {
      sent = this.sendDatagram(target, object, oldest)
    }
    if (sent > 0) {
      this.options.counters.forwarded[object?.datagram ? 'datagram' : 'stream']++
      this.options.counters.objects.sent++
      this.options.counters.bytes.sent += sent
    }
    this.remove(queue, target, object)
    return sent
  }

  private sendDatagram(owner: FlowOwner, object: ForwardObject, oldest: number): number {
    const { publication } = owner
    if (publication.closed) return 0
    if (object.arrivedAt < oldest) {
      this.options.counters.drops.deadline++
      return 0
    }
    if (publication.sendDatagram(object.datagram!)) return object.datagram!.length
    this.options.counters.drops.congestion++
    return 0
  }

  private giveUp(flow: SubgroupFlow, reason: 'deadline' | 'overflow'): void {
    this.options.counters.drops[reason]++
    const code = reason === 'deadline' ? ResetCode.DELIVERY_TIMEOUT : ResetCode.TOO_FAR_BEHIND
    flow.abandon(code)
  }

  /** Drops the least urgent first, and of those the oldest. */
  private makeSpace(): void {
    for (let index = this.queues.length - 1; index >= 0; index--) {
      const queue = this.queues[index]!
      while (queue.length > 0 && this.waiting > this.options.maxBytes) {
        const { target, object } = queue
        if (target instanceof SubgroupFlow) {
          if (object !== END && !target.over) this.giveUp(target, 'overflow')
        } else {
          this.options.counters.drops.overflow++
        }
        this.remove(queue, target, object)
      }
      if (this.waiting <= this.options.maxBytes) return
    }
  }

  private remove(queue: EgressQueue<Target>, target: Target, object: ForwardObject | null): void {
    queue.drop()
    this.waiting -= sizeOf(object)
    const owner = target instanceof SubgroupFlow ? target.owner : target
    if (--owner.waiting === 0) owner.onIdle()
  }

  private hasEntries(): boolean {
    for (const queue of this.queues) if (queue.length > 0) return true
    return false
  }
}

function sizeOf(object: ForwardObject | null): number {
  return object === END ? 0 : (object.datagram ?? object.body).length
}
