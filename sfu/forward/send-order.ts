/**
 * What waits for one session, and what of it goes next: the places of flows, datagrams and fetches
 * among each other. It sends nothing itself.
 */

import { DEFAULT_PRIORITY } from '../../moq/wire/priority.ts'
import { FlowLane, type FlowOwner, type SubgroupFlow } from './flow.ts'
import type { ForwardObject } from './object.ts'
import { type PullSource, SourceTurn } from './pull-source.ts'
import type { TrafficClass } from './traffic.ts'
import { rankNumber, TurnQueue, trafficOfRank } from './turns.ts'

/** Lanes of an owner that stay when they are empty. */
const KEPT_LANES = 8

export class SendOrder {
  /** What `pick` picked. */
  flow: SubgroupFlow | null = null
  owner: FlowOwner | null = null
  datagram: ForwardObject | null = null
  source: PullSource | null = null

  private readonly turns = new TurnQueue()
  private readonly sources = new Map<PullSource, SourceTurn>()
  /**
   * What alone waits, most often, needs no place: one flow or one datagram, while nobody stands in
   * `turns`. It gets its place when something else comes.
   */
  private loneFlow: SubgroupFlow | null = null
  private loneOwner: FlowOwner | null = null
  private loneDatagram: ForwardObject | null = null
  /** Those who have nothing that goes without stream credit; empty while there is credit. */
  private readonly blocked = new Set<FlowLane | SourceTurn>()
  private credit = true

  /** Whether nothing waits that could be sent now. */
  get isEmpty(): boolean {
    return !this.loneFlow && !this.loneDatagram && this.turns.isEmpty
  }

  get blockedCount(): number {
    return this.blocked.size
  }

  get sourceCount(): number {
    return this.sources.size
  }

  /** @param flow has an object waiting; it may have a place already */
  addFlow(flow: SubgroupFlow): void {
    if (flow.lane) this.place(flow.lane)
    else if (flow !== this.loneFlow) {
      if (this.isEmpty && this.credit) this.loneFlow = flow
      else {
        this.placeLone()
        this.placeFlow(flow)
      }
    }
  }

  addDatagram(owner: FlowOwner, object: ForwardObject): void {
    if (this.isEmpty && this.credit) {
      this.loneOwner = owner
      this.loneDatagram = object
    } else {
      this.placeLone()
      this.placeDatagram(owner, object)
    }
  }

  /** The source has something, or has another priority now. */
  addSource(source: PullSource): void {
    let turn = this.sources.get(source)
    if (!turn) {
      turn = new SourceTurn(source)
      this.sources.set(source, turn)
    }
    if (this.blocked.has(turn)) return
    this.placeLone()
    this.place(turn)
  }

  /** Nothing of the flow waits any more. No effect when it has no place. */
  removeFlow(flow: SubgroupFlow): void {
    const { lane } = flow
    if (lane) {
      lane.remove(flow)
      flow.lane = null
      if (lane.isEmpty) this.emptied(lane)
    } else if (this.loneFlow === flow) {
      this.loneFlow = null
    }
  }

  /** Removes datagrams from the middle of a lane. */
  removeDatagrams(lane: FlowLane, datagrams: ReadonlySet<ForwardObject>): void {
    lane.datagrams.retain((datagram) => !datagrams.has(datagram))
    if (lane.isEmpty) this.emptied(lane)
  }

  removeSource(source: PullSource): void {
    const turn = this.sources.get(source)
    if (!turn) return
    this.sources.delete(source)
    this.blocked.delete(turn)
    this.turns.leave(turn)
  }

  /** The owner's subscriber priority or stream class changed: what waits moves to its new place. */
  reprioritize(owner: FlowOwner): void {
    if (!owner.lanes) return
    for (const lane of [...owner.lanes.values()]) {
      if (lane.traffic !== owner.streamClass) {
        for (const flow of lane.flows()) {
          this.removeFlow(flow)
          this.placeFlow(flow)
        }
      }
      if (lane.rank) this.place(lane)
    }
  }

  /** A copy: where something of the owner may wait. */
  lanesOf(owner: FlowOwner): FlowLane[] {
    if (this.loneOwner === owner || this.loneFlow?.owner === owner) this.placeLone()
    return owner.lanes ? [...owner.lanes.values()] : []
  }

  /**
   * Picks what goes next, into the field of that name; the others of its rank follow it. A flow keeps
   * its place, a datagram and a source have left theirs.
   * @param below only of the classes before this one; `held` when others wait
   */
  pick(below: TrafficClass): 'flow' | 'datagram' | 'source' | 'held' | 'nothing' {
    if (this.loneFlow) {
      if (this.loneFlow.owner.streamClass >= below) return 'held'
      this.flow = this.loneFlow
      return 'flow'
    }
    if (this.loneDatagram) {
      if (this.loneOwner!.datagramClass >= below) return 'held'
      this.owner = this.loneOwner
      this.datagram = this.loneDatagram
      this.loneOwner = null
      this.loneDatagram = null
      return 'datagram'
    }
    for (;;) {
      const turn = this.turns.first
      if (turn && trafficOfRank(turn.rank!.number) >= below) return 'held'
      if (turn instanceof FlowLane) {
        const picked = this.pickOf(turn)
        if (picked) return picked
      } else if (turn instanceof SourceTurn) {
        this.turns.leave(turn)
        this.source = turn.source
        return 'source'
      } else return 'nothing'
    }
  }

  /** The picked flow opened its stream. */
  opened(flow: SubgroupFlow): void {
    flow.lane?.opened(flow)
  }

  /** The picked flow needs stream credit, and there is none. */
  flowBlocked(): void {
    this.credit = false
    this.placeLone()
  }

  /** The picked source was pulled. @param sent as it said; no effect when it was removed meanwhile */
  pulled(source: PullSource, sent: number): void {
    const turn = this.sources.get(source)
    if (!turn) return
    if (sent > 0) this.place(turn)
    else if (sent < 0) {
      this.credit = false
      this.block(turn)
    }
  }

  creditReturned(): void {
    this.credit = true
    this.unblock()
  }

  /** Everything that waits, each in a lane with a rank. */
  lanes(): FlowLane[] {
    this.placeLone()
    this.unblock()
    return this.turns.list().filter((turn) => turn instanceof FlowLane)
  }

  // ----

  private pickOf(lane: FlowLane): 'flow' | 'datagram' | null {
    if (lane.rank!.number !== numberOf(lane)) {
      this.place(lane)
      return null
    }
    this.turns.rotate(lane)
    const flow = lane.nextFlow(this.credit)
    if (flow) {
      this.flow = flow
      return 'flow'
    }
    const datagram = lane.datagrams.top
    if (!datagram) {
      this.block(lane)
      return null
    }
    lane.datagrams.remove(0)
    if (lane.isEmpty) this.emptied(lane)
    this.owner = lane.owner
    this.datagram = datagram
    return 'datagram'
  }

  private placeLone(): void {
    const flow = this.loneFlow
    const datagram = this.loneDatagram
    if (flow) {
      this.loneFlow = null
      this.placeFlow(flow)
    } else if (datagram) {
      const owner = this.loneOwner!
      this.loneOwner = null
      this.loneDatagram = null
      this.placeDatagram(owner, datagram)
    }
  }

  private placeFlow(flow: SubgroupFlow): void {
    const { owner } = flow
    const lane = laneOf(owner, owner.streamClass, flow.first!.priority)
    lane.add(flow)
    flow.lane = lane
    this.place(lane)
  }

  private placeDatagram(owner: FlowOwner, object: ForwardObject): void {
    const lane = laneOf(owner, owner.datagramClass, object.priority)
    lane.datagrams.add(object)
    this.place(lane)
  }

  /** Puts a turn where it belongs now, behind the others there; one that is there already stays. */
  private place(turn: FlowLane | SourceTurn): void {
    const number = numberOf(turn)
    if (turn.rank) {
      if (turn.rank.number === number) return
      this.turns.leave(turn)
    } else if (!this.credit) {
      this.blocked.delete(turn)
    }
    this.turns.enter(turn, number)
  }

  private emptied(lane: FlowLane): void {
    this.turns.leave(lane)
    if (!this.credit) this.blocked.delete(lane)
    const { lanes } = lane.owner
    if (lanes && lanes.size > KEPT_LANES) {
      lanes.delete(laneKey(lane.traffic, lane.descending, lane.priority))
    }
  }

  private block(turn: FlowLane | SourceTurn): void {
    this.turns.leave(turn)
    this.blocked.add(turn)
  }

  private unblock(): void {
    for (const turn of this.blocked) this.turns.enter(turn, numberOf(turn))
    this.blocked.clear()
  }
}

function laneKey(traffic: TrafficClass, descending: boolean, priority: number): number {
  return (traffic << 9) | (descending ? 0x100 : 0) | priority
}

function laneOf(owner: FlowOwner, traffic: TrafficClass, priority: number): FlowLane {
  owner.lanes ??= new Map()
  const key = laneKey(traffic, owner.descending, priority)
  let lane = owner.lanes.get(key)
  if (!lane) {
    lane = new FlowLane(owner, traffic, priority, owner.descending)
    owner.lanes.set(key, lane)
  }
  return lane
}

function numberOf(turn: FlowLane | SourceTurn): number {
  if (turn instanceof FlowLane) {
    return rankNumber(turn.traffic, turn.owner.publication.subscriberPriority, turn.priority)
  }
  const { traffic, subscriberPriority, publisherPriority } = turn.source
  return rankNumber(traffic, subscriberPriority, publisherPriority ?? DEFAULT_PRIORITY)
}
