import type { SendStream, SendStreamHandler } from '../transport/transport.ts'
import { objectIdDelta, type SubgroupHeader } from '../wire/subgroup.ts'
import { vi64Size, writeVi64 } from '../wire/vi64.ts'

/**
 * One outgoing subgroup stream (draft-18 section 11.4.2). Bodies come encoded, so that a relay writes
 * the same bytes to every subscriber; only the few bytes of the object id are made here.
 */
export class SubgroupWriter implements SendStreamHandler {
  readonly header: SubgroupHeader
  private readonly stream: SendStream
  private readonly open: Set<SubgroupWriter>
  private previous = -1
  private over = false

  /**
   * @param encoded `header` as `encodeSubgroupHeader` gives it, so that many streams share the bytes
   * @param open writers that are not over; this one is among them while it is not
   */
  constructor(
    stream: SendStream,
    header: SubgroupHeader,
    encoded: Uint8Array,
    open: Set<SubgroupWriter>,
  ) {
    this.stream = stream
    this.header = header
    this.open = open
    open.add(this)
    stream.handler = this
    stream.write(encoded)
  }

  /** The peer wants no more of this subgroup (section 11.4.3). */
  onStopped(code: number): void {
    this.reset(code)
  }

  get closed(): boolean {
    return this.over
  }

  /** Object id of the last object written, or -1. */
  get lastObject(): number {
    return this.previous
  }

  /** Bytes not yet taken by the transport. */
  get buffered(): number {
    return this.stream.buffered
  }

  /**
   * @param object larger than the last one written
   * @param body as `encodeSubgroupBody` or `MoqObject.body` give it, with or without a properties
   * field as the header says
   */
  write(object: number, body: Uint8Array): void {
    if (this.over) return
    const delta = objectIdDelta(object, this.previous)
    const prefix = delta === 0 ? ZERO : encodeDelta(delta)
    this.previous = object
    this.stream.write(prefix)
    this.stream.write(body)
  }

  finish(): void {
    if (this.over) return
    this.over = true
    this.stream.finish()
    this.open.delete(this)
  }

  reset(code: number): void {
    if (this.over) return
    this.over = true
    this.stream.reset(code)
    this.open.delete(this)
  }

  setOrder(order: number): void {
    if (!this.over) this.stream.setOrder(order)
  }
}

const ZERO = new Uint8Array(1)

function encodeDelta(delta: number): Uint8Array {
  const bytes = new Uint8Array(vi64Size(delta))
  writeVi64(bytes, 0, delta)
  return bytes
}
