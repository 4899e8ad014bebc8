import { ResetCode } from '../../moq/wire/codes.ts'
import { encodeSubgroupBody, type SubgroupHeader } from '../../moq/wire/subgroup.ts'
import type { JoinObject } from '../forward/gate/index.ts'
import type { ForwardObject } from '../forward/object.ts'
import type { Downstream } from './downstream.ts'
import { RelayedFlow } from './relayed-flow.ts'
import { SubgroupForm } from './subgroup-form.ts'
import type { SubgroupTimeouts } from './subgroup-timeouts.ts'
import type { Subscribers } from './subscribers.ts'

/**
 * Says that all objects between two of a subgroup belong to other subgroups or do not exist
 * (draft-18 section 11.4.3). Both ends exclusive.
 */
export type NothingBetween = (
  group: number,
  subgroup: number,
  after: number,
  before: number,
) => boolean

/** A publisher's stream of the subgroup. */
export interface Feed {
  readonly incoming: { readonly header: SubgroupHeader }
  /** Id of the object before the one that is forwarded, or -1. */
  readonly previous: number
}

/** In a slot: the subscriber had an object of the subgroup left out, and has no stream of it. */
const LEFT_OUT = 'left out'
type Slot = RelayedFlow | typeof LEFT_OUT | undefined

/**
 * One subgroup of a track, fed by a stream of each publisher that sends it, and its streams to the
 * subscribers. An object goes on a subscriber's stream only when it is the next one there; otherwise
 * that stream ends by a reset and another begins (draft-18 section 11.4.3).
 */
export class RelayedSubgroup {
  readonly group: number
  readonly subgroup: number
  /** Streams of publishers that are open. */
  openFeeds = 0
  /** How streams that begin now are written. */
  private form: SubgroupForm
  private readonly nothingBetween: NothingBetween
  /** By the subscriber's slot. */
  private readonly flows: Slot[] = []
  /** Streams for objects that came behind a larger one; there are few such, or none. */
  private late: Map<Downstream, RelayedFlow> | null = null
  /** Id of the first object ever published in it, or -1 while that is not known. */
  private first = -1
  /** The last objects of which each is known to follow the one before. */
  private runFrom = -1
  private runLast = -1
  private runCount = 0

  constructor(feed: Feed, subgroup: number, trackAlias: number, nothingBetween: NothingBetween) {
    this.group = feed.incoming.header.group
    this.subgroup = subgroup
    this.form = new SubgroupForm({ ...feed.incoming.header, trackAlias, subgroup })
    this.nothingBetween = nothingBetween
  }

  /** Of its first object, before that is forwarded. */
  setTimeouts(timeouts: SubgroupTimeouts | null): void {
    this.form.timeouts = timeouts
  }

  /** Queues a new object for every subscriber whose filter it passes. */
  forward(object: ForwardObject, feed: Feed, subscribers: Subscribers): void {
    const { header } = feed.incoming
    const id = object.object
    const before = feed.previous
    if (before < 0 && header.firstObject) this.first = id
    const shared =
      header.hasProperties === this.form.hasProperties ? object : this.reframe(object, subscribers)
    this.count(id, before)
    const { slots } = subscribers
    for (let slot = 0; slot < slots.length; slot++) {
      const downstream = slots[slot]
      if (!downstream) continue
      const flow = this.flows[slot]
      if (!downstream.publication.passes(this.group, id)) {
        this.leaveOut(downstream, flow)
      } else if (!downstream.takes(shared)) {
        this.holdBack(downstream, flow)
      } else if (flow === undefined || flow === LEFT_OUT) {
        this.begin(downstream, flow === undefined, shared)
      } else if (flow.last === id - 1 || (flow.last === before && before >= 0)) {
        this.goOn(flow, shared)
      } else {
        this.divert(downstream, flow, shared)
      }
    }
  }

  /** An object of it came that goes to nobody: no stream may be finished as if it had it. */
  leaveGap({ slots }: Subscribers): void {
    for (let slot = 0; slot < slots.length; slot++) {
      const downstream = slots[slot]
      if (downstream) this.holdBack(downstream, this.flows[slot])
    }
  }

  /**
   * Whether these are all of its objects so far, one behind the other, and more may come.
   * @param from the first of them
   */
  isWhole(from: number, count: number): boolean {
    return this.openFeeds > 0 && this.runFrom === from && this.runCount === count
  }

  /**
   * Queues an object that came before a subscriber did, for it; all of those that
   * `isWhole` was asked for, in their order.
   */
  replay(
    downstream: Downstream,
    { facts, object }: JoinObject,
    priority: number,
    now: number,
  ): void {
    const properties = this.form.hasProperties ? object.properties : null
    const body = encodeSubgroupBody(properties, object.payload)
    const payloadLength = object.payload.length
    const shared = { ...facts, priority, body, payloadLength, datagram: null, arrivedAt: now }
    const flow = this.flows[downstream.slot]
    if (!downstream.takes(shared)) this.holdBack(downstream, flow)
    else if (flow instanceof RelayedFlow) this.goOn(flow, shared)
    else this.begin(downstream, facts.object === this.first, shared)
  }

  /**
   * A publisher finished its stream, so that it has sent the whole subgroup. Streams of subscribers
   * that have it all are finished.
   * @param last id of the last object on it, or -1 when it had none
   * @returns whether streams are left that do not have it all: they are to end by a reset
   */
  feedEnded(last: number): boolean {
    this.openFeeds--
    let left = this.late !== null
    for (const flow of this.flows) {
      if (!(flow instanceof RelayedFlow)) continue
      if (flow.whole && flow.last === last) flow.close()
      else if (flow.isOpen) left = true
    }
    return left
  }

  /** A publisher reset its stream. The code goes on to the subscribers with the last of them. */
  feedReset(code: number): void {
    this.openFeeds--
    if (this.openFeeds === 0) this.abandon(code)
  }

  /** Gives up what was not delivered; a publisher may begin the subgroup anew. */
  abandon(code: number): void {
    this.eachFlow((flow) => {
      if (!flow.isOpen) return
      flow.abandon(code)
      this.flows[flow.downstream.slot] = LEFT_OUT
    })
    this.late = null
  }

  /** The subscriber's streams end by a reset behind what is under way, and are not gone on with. */
  leave(downstream: Downstream): void {
    const flow = this.flows[downstream.slot]
    if (flow instanceof RelayedFlow) flow.breakOff(ResetCode.CANCELLED)
    this.late?.get(downstream)?.breakOff(ResetCode.CANCELLED)
  }

  /** The slot may be another's next. */
  removeSubscriber(downstream: Downstream): void {
    this.flows[downstream.slot] = undefined
    this.late?.delete(downstream)
  }

  // ----

  private count(id: number, before: number): void {
    if (before < 0 || before !== this.runLast) {
      this.runFrom = id
      this.runCount = 0
    }
    this.runLast = id
    this.runCount++
  }

  private begin(downstream: Downstream, whole: boolean, object: ForwardObject): void {
    if (downstream.publication.isStopped(this.group, this.subgroup)) return
    const flow = new RelayedFlow(downstream, this.form, object.object === this.first, whole)
    this.flows[downstream.slot] = flow
    this.queue(flow, object)
  }

  private queue(flow: RelayedFlow, object: ForwardObject): void {
    flow.last = object.object
    flow.downstream.peer.egress.queueObject(flow, object)
  }

  private goOn(flow: RelayedFlow, object: ForwardObject): void {
    if (flow.isOpen) this.queue(flow, object)
    else flow.downstream.lost(object)
  }

  /** The object is not known to be the next on the stream. */
  private divert(downstream: Downstream, flow: RelayedFlow, object: ForwardObject): void {
    // A stream that the subscriber stopped, or that was given up, is not opened anew.
    if (flow.over && !flow.complete) {
      downstream.lost(object)
      return
    }
    if (object.object < flow.last) this.queueLate(downstream, object)
    else if (this.nothingBetween(this.group, this.subgroup, flow.last, object.object)) {
      this.goOn(flow, object)
    } else {
      flow.breakOff(ResetCode.CANCELLED)
      this.begin(downstream, false, object)
    }
  }

  private queueLate(downstream: Downstream, object: ForwardObject): void {
    this.late ??= new Map()
    const known = this.late.get(downstream)
    if (known?.over) {
      downstream.lost(object)
      return
    }
    if (known?.last === object.object - 1) {
      this.queue(known, object)
      return
    }
    known?.breakOff(ResetCode.CANCELLED)
    if (downstream.publication.isStopped(this.group, this.subgroup)) return
    const flow = new RelayedFlow(downstream, this.form, object.object === this.first, false)
    this.late.set(downstream, flow)
    this.queue(flow, object)
  }

  private leaveOut(downstream: Downstream, flow: Slot): void {
    if (flow === LEFT_OUT) return
    if (flow) flow.breakOff(ResetCode.CANCELLED)
    // Objects before the subscription's start are not left out: it never was to have them.
    else if (downstream.publication.forward) return
    this.flows[downstream.slot] = LEFT_OUT
  }

  /**
   * The subscriber does not get the object. An open stream stays, and ends by a reset with the
   * subgroup or where another begins: a reset now would overtake what is still on its way.
   */
  private holdBack(downstream: Downstream, flow: Slot): void {
    if (flow === undefined || (flow !== LEFT_OUT && flow.over)) {
      this.flows[downstream.slot] = LEFT_OUT
    }
  }

  /**
   * Publishers differ in whether they write a properties field. An empty one says the same as none;
   * where it is not empty, all streams begin anew with the field.
   */
  private reframe(object: ForwardObject, subscribers: Subscribers): ForwardObject {
    if (this.form.hasProperties) {
      const body = new Uint8Array(object.body.length + 1)
      body.set(object.body, 1)
      return { ...object, body }
    }
    if (object.body[0] === 0) return { ...object, body: object.body.subarray(1) }
    this.form = this.form.withProperties()
    for (const downstream of subscribers.list()) {
      const flow = this.flows[downstream.slot]
      if (!(flow instanceof RelayedFlow) || !flow.isOpen) continue
      flow.breakOff(ResetCode.CANCELLED)
      this.flows[downstream.slot] = LEFT_OUT
    }
    this.late = null
    return object
  }

  private eachFlow(visit: (flow: RelayedFlow) => void): void {
    for (const flow of this.flows) if (flow instanceof RelayedFlow) visit(flow)
    if (this.late) for (const flow of this.late.values()) visit(flow)
  }
}
