import type { IncomingSubgroup } from '../../moq/session/index.ts'
import { ResetCode } from '../../moq/wire/codes.ts'
import type { MoqObject } from '../../moq/wire/object.ts'
import { encodeSubgroupHeader } from '../../moq/wire/subgroup.ts'
import { type SharedHeader, SubgroupFlow, type SubgroupSource } from '../forward/flow.ts'
import type { ForwardObject } from '../forward/object.ts'
import type { Downstream } from './downstream.ts'

/** One subgroup stream of the publisher's and its share for each subscriber. */
export class RelayedSubgroup implements SubgroupSource {
  private readonly incoming: IncomingSubgroup
  /** The relay's alias, the same towards every subscriber. */
  private readonly trackAlias: number
  private readonly flows = new Map<Downstream, SubgroupFlow>()
  /** By whether the stream begins with the subgroup's first object. */
  private readonly headers: [continued: SharedHeader | null, first: SharedHeader | null] = [
    null,
    null,
  ]
  /** Known with the first object when the header does not name it. */
  private subgroup = 0
  private begun = false

  constructor(incoming: IncomingSubgroup, trackAlias: number) {
    this.incoming = incoming
    this.trackAlias = trackAlias
  }

  get group(): number {
    return this.incoming.header.group
  }

  header(firstObject: boolean): SharedHeader {
    const index = firstObject ? 1 : 0
    const known = this.headers[index]
    if (known) return known
    const header = {
      ...this.incoming.header,
      trackAlias: this.trackAlias,
      subgroup: this.subgroup,
      firstObject,
    }
    const made = { header, encoded: encodeSubgroupHeader(header) }
    this.headers[index] = made
    return made
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
