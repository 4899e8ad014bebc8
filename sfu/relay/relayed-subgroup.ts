import type { IncomingSubgroup } from '../../moq/session/index.ts'
import { ResetCode } from '../../moq/wire/codes.ts'
import type { MoqObject } from '../../moq/wire/object.ts'
import { SubgroupFlow, type SubgroupSource } from '../forward/flow.ts'
import type { ForwardObject } from '../forward/object.ts'
import type { Downstream } from './downstream.ts'

/** One subgroup stream of the publisher's and its share for each subscriber. */
export class RelayedSubgroup implements SubgroupSource {
  readonly incoming: IncomingSubgroup
  /** Known with the first object when the header does not name it. */
  subgroup: number
  private readonly flows = new Map<Downstream, SubgroupFlow>()
  private begun = false

  constructor(incoming: IncomingSubgroup) {
    this.incoming = incoming
    this.subgroup = incoming.header.subgroup ?? 0
  }

  get group(): number {
    return this.incoming.header.group
  }

  get priority(): number | null {
    return this.incoming.header.priority
  }

  get hasProperties(): boolean {
    return this.incoming.header.hasProperties
  }

  get endOfGroup(): boolean {
    return this.incoming.header.endOfGroup
  }

  /** Queues an object for every subscriber whose filter it passes. */
  forward(object: MoqObject, shared: ForwardObject, subscribers: Iterable<Downstream>): void {
    const first = !this.begun && this.incoming.header.firstObject
    if (!this.begun) this.subgroup = object.subgroup ?? 0
    this.begun = true
    for (const downstream of subscribers) {
      let flow = this.flows.get(downstream)
      if (!downstream.publication.passes(object.group, object.object)) {
        // An object left out in the middle: the stream may not go on (section 11.4.3).
        flow?.abandon(ResetCode.CANCELLED)
        continue
      }
      if (!flow) {
        flow = new SubgroupFlow(downstream, this, first)
        this.flows.set(downstream, flow)
      }
      if (!flow.over) downstream.peer.egress.queueObject(flow, shared)
    }
  }

  /** The publisher finished the stream. */
  end(): void {
    for (const [downstream, flow] of this.flows) {
      if (!flow.over) downstream.peer.egress.queueEnd(flow)
    }
    this.flows.clear()
  }

  /** The publisher reset the stream; its code goes on to the subscribers. */
  reset(code: number): void {
    for (const flow of this.flows.values()) flow.abandon(code)
    this.flows.clear()
  }

  removeSubscriber(downstream: Downstream): void {
    this.flows.delete(downstream)
  }
}
