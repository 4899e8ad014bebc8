import type { SendStream, SendStreamHandler } from '../transport/transport.ts'
import {
  encodeFetchHeader,
  type FetchObject,
  FetchObjectWriter,
  type FetchRangeEnd,
} from '../wire/fetch.ts'
import type { GroupOrder } from '../wire/parameters.ts'

/** What a writer tells the fetch that it answers. */
export interface FetchWriterOwner {
  readonly requestId: number
  /** The peer wants no more of it; the writer is closed already. */
  writerStopped(code: number): void
  writerFinished(): void
  /** By whoever serves the fetch. */
  writerReset(code: number): void
}

/** The data stream that answers a FETCH (draft-18 section 11.4.4). */
export class FetchWriter implements SendStreamHandler {
  private readonly stream: SendStream
  private readonly owner: FetchWriterOwner
  private readonly encoder: FetchObjectWriter
  private over = false

  /** @param defaultPriority 0..255, what an object without a priority of its own has */
  constructor(
    stream: SendStream,
    groupOrder: GroupOrder,
    defaultPriority: number,
    owner: FetchWriterOwner,
  ) {
    this.stream = stream
    this.owner = owner
    this.encoder = new FetchObjectWriter(groupOrder, defaultPriority)
    stream.handler = this
    stream.write(encodeFetchHeader({ requestId: owner.requestId }))
  }

  get closed(): boolean {
    return this.over
  }

  /** Bytes not yet taken by the transport. */
  get buffered(): number {
    return this.stream.buffered
  }

  /**
   * Writes the next object: groups in the order of the fetch, objects of a group ascending.
   * @returns bytes written; 0 once it is closed
   * @throws RangeError for an object out of order or with a status (our own bug)
   */
  object(object: FetchObject): number {
    return this.over ? 0 : this.write(this.encoder.object(object))
  }

  /**
   * Says that what follows the last object up to `end` does not exist or is not known.
   * @returns bytes written; 0 once it is closed
   * @throws RangeError for a location out of order (our own bug)
   */
  rangeEnd(end: FetchRangeEnd): number {
    return this.over ? 0 : this.write(this.encoder.rangeEnd(end))
  }

  /** Every object of the range was written: the gaps are objects that do not exist. */
  finish(): void {
    if (this.over) return
    this.over = true
    this.stream.finish()
    this.owner.writerFinished()
  }

  reset(code: number): void {
    if (this.over) return
    this.over = true
    this.stream.reset(code)
    this.owner.writerReset(code)
  }

  setOrder(order: number): void {
    if (!this.over) this.stream.setOrder(order)
  }

  onStopped(code: number): void {
    if (this.over) return
    this.over = true
    this.stream.reset(code)
    this.owner.writerStopped(code)
  }

  private write(bytes: Uint8Array): number {
    this.stream.write(bytes)
    return bytes.length
  }
}
