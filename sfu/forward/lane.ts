/**
 * What one subscription has waiting at one publisher priority, in the order in which section 7.2 of
 * draft-18 wants it sent (rules 3 and 4): by group, up or down as the subscription says, then by
 * subgroup id, or object id for datagrams. Of a subgroup and a datagram of the same group, the
 * datagram goes first, as draft-19 demands; draft-18 leaves it open.
 */

import { Heap } from './heap.ts'
import type { ForwardObject } from './object.ts'
import { Turn } from './turns.ts'

/** A subgroup that has objects waiting. */
export interface LaneFlow {
  readonly group: number
  readonly subgroup: number
  /** Whether its stream is open, so that it needs no stream credit. */
  readonly hasStream: boolean
  /** Index in its heap; -1 in none. The lane's own. */
  at: number
}

export class Lane<Owner, Flow extends LaneFlow> extends Turn {
  readonly owner: Owner
  readonly traffic: number
  /** Publisher priority, 0..255. */
  readonly priority: number
  readonly datagrams: DatagramHeap
  readonly descending: boolean
  private readonly open: FlowHeap<Flow>
  /** Flows whose stream is still to be opened. */
  private readonly fresh: FlowHeap<Flow>

  constructor(owner: Owner, traffic: number, priority: number, descending: boolean) {
    super()
    this.owner = owner
    this.traffic = traffic
    this.priority = priority
    this.descending = descending
    this.datagrams = new DatagramHeap(descending)
    this.open = new FlowHeap(descending)
    this.fresh = new FlowHeap(descending)
  }

  get isEmpty(): boolean {
    return this.open.size + this.fresh.size + this.datagrams.size === 0
  }

  /** Entries: subgroups and datagrams. */
  get size(): number {
    return this.open.size + this.fresh.size + this.datagrams.size
  }

  /** @param flow has an object waiting and is in no lane */
  add(flow: Flow): void {
    if (flow.hasStream) this.open.add(flow)
    else this.fresh.add(flow)
  }

  remove(flow: Flow): void {
    const heap = flow.hasStream ? this.open : this.fresh
    heap.remove(flow.at)
    flow.at = -1
  }

  /** The stream of a flow that had none was just opened. */
  opened(flow: Flow): void {
    this.fresh.remove(flow.at)
    this.open.add(flow)
  }

  /**
   * The subgroup that goes next; null when a datagram does, or nothing.
   * @param credit whether streams may be opened
   */
  nextFlow(credit: boolean): Flow | null {
    const open = this.open.top
    const fresh = credit ? this.fresh.top : undefined
    const flow = open && fresh ? (this.open.precedes(fresh, open) ? fresh : open) : (open ?? fresh)
    if (!flow) return null
    const datagram = this.datagrams.top
    if (!datagram) return flow
    if (datagram.group === flow.group) return null
    return datagram.group < flow.group === this.descending ? flow : null
  }

  /** All flows, in no order. */
  flows(): Flow[] {
    return [...this.open.list(), ...this.fresh.list()]
  }
}

class FlowHeap<Flow extends LaneFlow> extends Heap<Flow> {
  private readonly descending: boolean

  constructor(descending: boolean) {
    super()
    this.descending = descending
  }

  precedes(a: Flow, b: Flow): boolean {
    if (a.group !== b.group) return a.group < b.group !== this.descending
    return a.subgroup < b.subgroup
  }

  protected override before(a: Flow, b: Flow): boolean {
    return this.precedes(a, b)
  }

  protected override placed(flow: Flow, at: number): void {
    flow.at = at
  }
}

export class DatagramHeap extends Heap<ForwardObject> {
  private readonly descending: boolean

  constructor(descending: boolean) {
    super()
    this.descending = descending
  }

  protected override before(a: ForwardObject, b: ForwardObject): boolean {
    if (a.group !== b.group) return a.group < b.group !== this.descending
    return a.object < b.object
  }
}
