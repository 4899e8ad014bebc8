import type { Publication, SubgroupWriter } from '../../moq/session/index.ts'
import { ResetCode } from '../../moq/wire/codes.ts'
import type { SubgroupHeader } from '../../moq/wire/subgroup.ts'
import type { ForwardObject } from './object.ts'
import type { TrafficClass } from './traffic.ts'

/** What all subscribers of a subgroup share. */
export interface SubgroupSource {
  readonly group: number
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

/** A subscriber's share of a track: where its objects go. */
export interface FlowOwner {
  readonly publication: Publication
  readonly streamClass: TrafficClass
  readonly datagramClass: TrafficClass
  /** Entries of this owner that wait in the scheduler. */
  waiting: number
  /** Nothing of it waits any more. */
  onIdle(): void
  /** A subgroup was given up for this subscriber, so what depends on it cannot be decoded. */
  onSubgroupLost(group: number): void
}

/**
 * One subgroup on its way to one subscriber: a stream that is opened when the first object is sent.
 * States: `queued` (no stream yet) → `open` → `over`.
 */
export class SubgroupFlow {
  readonly owner: FlowOwner
  readonly source: SubgroupSource
  /** Whether its first object is the subgroup's first ever (FIRST_OBJECT, section 11.4.2). */
  readonly firstObject: boolean
  private writer: SubgroupWriter | null = null
  private ended = false

  constructor(owner: FlowOwner, source: SubgroupSource, firstObject: boolean) {
    this.owner = owner
    this.source = source
    this.firstObject = firstObject
  }

  /** Nothing more is sent of it. */
  get over(): boolean {
    return this.ended || this.owner.publication.closed || (this.writer?.closed ?? false)
  }

  /** @returns false while there is no stream credit */
  send(object: ForwardObject): boolean {
    this.writer ??= this.open()
    if (!this.writer) return false
    this.writer.write(object.object, object.body)
    return true
  }

  finish(): void {
    this.ended = true
    this.writer?.finish()
  }

  /** Gives the subgroup up: what was not delivered is abandoned. */
  abandon(code: number): void {
    if (this.over) return
    this.ended = true
    this.writer?.reset(code)
    if (code !== ResetCode.CANCELLED) this.owner.onSubgroupLost(this.source.group)
  }

  private open(): SubgroupWriter | null {
    const { header, encoded } = this.source.header(this.firstObject)
    const order = FIRST_MEDIA_ORDER + this.owner.streamClass
    return this.owner.publication.openSubgroup(header, order, encoded)
  }
}

/** Send orders below this belong to control and requests. */
const FIRST_MEDIA_ORDER = 16
