import type { Publication, SubgroupWriter } from '../../moq/session/index.ts'
import { ResetCode } from '../../moq/wire/codes.ts'
import type { SubgroupHeader } from '../../moq/wire/subgroup.ts'
import { Lane, type LaneFlow } from './lane.ts'
import type { ForwardObject } from './object.ts'
import { ObjectQueue } from './queue.ts'
import { sendOrderOf, type TrafficClass } from './traffic.ts'

/** What all subscribers of a subgroup share. */
export interface SubgroupSource {
  readonly group: number
  readonly subgroup: number
  /**
   * The header of a stream to a subscriber, made once for all of them; known with the first object.
   * @param firstObject whether the stream begins with the subgroup's first object ever
   */
  header(firstObject: boolean): SharedHeader
}

export interface SharedHeader {
  readonly header: SubgroupHeader
  readonly encoded: Uint8Array
}

/** What the scheduler needs of a publication. */
export type FlowPublication = Pick<
  Publication,
  'closed' | 'subscriberPriority' | 'openSubgroup' | 'sendDatagram'
>

/** Why a datagram that was queued is not sent; `useless`: see `FlowOwner.isUseful`. */
export type DatagramLoss = 'deadline' | 'congestion' | 'overflow' | 'useless'

/** A subscriber's share of a track: where its objects go. */
export interface FlowOwner {
  readonly publication: FlowPublication
  /** A change is told by `EgressScheduler.reprioritize`. */
  readonly streamClass: TrafficClass
  readonly datagramClass: TrafficClass
  /**
   * Group order (draft-18 section 7.1): groups with higher ids are sent first. A change is for what
   * is queued afterwards.
   */
  readonly descending: boolean
  /**
   * Section 8, ms; Infinity: none. The smaller of the track's property and the subscriber's
   * parameter, zero meaning none.
   */
  readonly objectTimeoutMs: number
  readonly subgroupTimeoutMs: number
  /** What of this owner waits in the scheduler: objects, and ends whose bytes are still under way. */
  waiting: number
  /** The scheduler's own, null at first. */
  lanes: Map<number, FlowLane> | null
  /** Nothing of it waits any more. */
  onIdle(): void
  /**
   * A subgroup was given up for this subscriber, so what depends on it cannot be decoded.
   * @param code with which its stream is reset
   */
  onSubgroupLost(group: number, subgroup: number, code: number): void
  /** A datagram that was queued is not sent. */
  onDatagramLost(object: ForwardObject, reason: DatagramLoss): void
  /** Whether a datagram that waits is worth sending: what it builds on was not given up since. */
  isUseful(object: ForwardObject): boolean
}

/** What an owner has waiting in one class at one publisher priority. */
export class FlowLane extends Lane<FlowOwner, SubgroupFlow> {}

/** The scheduler, as a flow knows it. */
export interface FlowHost {
  /** Nothing more is sent of the flow: what waits of it is forgotten. */
  discard(flow: SubgroupFlow): void
  /** A stream was reset; for metrics. */
  onReset(code: number): void
}

/**
 * One subgroup on its way to one subscriber: a stream that is opened when the first object is sent.
 * States: `queued` (no stream yet) → `open` → `over`. What waits of it waits here, in order.
 */
export class SubgroupFlow implements LaneFlow {
  readonly owner: FlowOwner
  readonly source: SubgroupSource
  /** Whether its first object is the subgroup's first ever (FIRST_OBJECT, section 11.4.2). */
  readonly firstObject: boolean

  /** The scheduler's: the lane that it waits in, its place there, and what it knows of the end. */
  lane: FlowLane | null = null
  at = -1
  /** `ending`: nothing follows what is queued. `held`: only the FIN, or the reset, is still to be sent. */
  end: 'unknown' | 'ending' | 'held' = 'unknown'

  private host: FlowHost | null = null
  /** The object that is sent next; most often the only one. */
  private next: ForwardObject | null = null
  private behind: ObjectQueue | null = null
  private writer: SubgroupWriter | null = null
  /** Bytes of the next object's body that were written already. */
  private written = 0
  private ended = false
  /** The stream's send order, as the transport knows it. */
  private orderedBy = 0

  constructor(owner: FlowOwner, source: SubgroupSource, firstObject: boolean) {
    this.owner = owner
    this.source = source
    this.firstObject = firstObject
  }

  /** Nothing more is sent of it. */
  get over(): boolean {
    return this.ended || this.owner.publication.closed || (this.writer?.closed ?? false)
  }

  get group(): number {
    return this.source.group
  }

  /** Section 8, ms; Infinity: none. The owner's, unless the subgroup has its own. */
  get objectTimeoutMs(): number {
    return this.owner.objectTimeoutMs
  }

  get subgroupTimeoutMs(): number {
    return this.owner.subgroupTimeoutMs
  }

  /** Only while an object waits. */
  get subgroup(): number {
    return this.next!.subgroup
  }

  /** Whether it ends by a reset, which is to leave the objects before it alone. */
  get endsByReset(): boolean {
    return false
  }

  get hasStream(): boolean {
    return this.writer !== null
  }

  /** The object that is sent next, or null. */
  get first(): ForwardObject | null {
    return this.next
  }

  /** Bytes that the transport has not taken yet. */
  get buffered(): number {
    return this.writer?.buffered ?? 0
  }

  push(object: ForwardObject, host: FlowHost): void {
    this.host = host
    if (!this.next) {
      this.next = object
      return
    }
    this.behind ??= new ObjectQueue()
    this.behind.push(object)
  }

  /** Takes the object that is next, or null. */
  shift(): ForwardObject | null {
    const object = this.next
    if (object) this.next = this.behind ? this.behind.shift() : null
    this.written = 0
    return object
  }

  /**
   * Writes the object that is next, or a piece of it.
   * @param most bytes
   * @returns bytes written; -1 while there is no stream credit
   */
  send(object: ForwardObject, most: number): number {
    if (!this.writer) {
      this.writer = this.open()
      if (!this.writer) return -1
    } else if (this.orderedBy !== this.order) {
      this.orderedBy = this.order
      this.writer.setOrder(this.orderedBy)
    }
    const { body } = object
    const { written } = this
    if (written === 0 && body.length <= most) {
      this.writer.write(object.object, body)
      this.written = body.length
      return body.length
    }
    const piece = body.subarray(written, Math.min(written + most, body.length))
    if (written === 0) this.writer.write(object.object, piece)
    else this.writer.append(piece)
    this.written += piece.length
    return piece.length
  }

  /** Whether all of the next object was written. */
  get isWritten(): boolean {
    return this.written >= this.next!.body.length
  }

  finish(): void {
    if (this.over) return
    this.ended = true
    this.writer?.finish()
  }

  /** Gives the subgroup up: what was not delivered is abandoned. */
  abandon(code: number): void {
    if (this.over) return
    this.ended = true
    if (this.writer) {
      this.writer.reset(code)
      this.host?.onReset(code)
    }
    this.host?.discard(this)
    if (code !== ResetCode.CANCELLED) {
      this.owner.onSubgroupLost(this.source.group, this.source.subgroup, code)
    }
  }

  private open(): SubgroupWriter | null {
    const { header, encoded } = this.source.header(this.firstObject)
    this.orderedBy = this.order
    return this.owner.publication.openSubgroup(header, this.orderedBy, encoded)
  }

  private get order(): number {
    const { streamClass, publication } = this.owner
    return sendOrderOf(streamClass, publication.subscriberPriority)
  }
}
