import type { SendStream, SendStreamHandler } from '../transport/transport.ts'
import { objectIdDelta, type SubgroupHeader } from '../wire/subgroup.ts'
import { vi64Size, writeVi64 } from '../wire/vi64.ts'

/** What a writer tells the publication that it belongs to. */
export interface SubgroupOwner {
  writerOpened(writer: SubgroupWriter): void
  /** Finished or reset, by either side. */
  writerClosed(writer: SubgroupWriter): void
  /** @param subgroup null when the writer wrote nothing that would name it */
  writerStopped(group: number, subgroup: number | null, code: number): void
}

/**
 * One outgoing subgroup stream (draft-18 section 11.4.2). Bodies come encoded, so that a relay writes
 * the same bytes to every subscriber; only the few bytes of the object id are made here.
 */
export class SubgroupWriter implements SendStreamHandler {
  readonly header: SubgroupHeader
  /** Its place among the publication's; see `OpenWriters`. */
  nextOpen: SubgroupWriter | null = null
  previousOpen: SubgroupWriter | null = null
  private readonly stream: SendStream
  private readonly owner: SubgroupOwner
  private first = -1
  private previous = -1
  private over = false

  /**
   * @param encoded `header` as `encodeSubgroupHeader` gives it, so that many streams share the bytes
   */
  constructor(
    stream: SendStream,
    header: SubgroupHeader,
    encoded: Uint8Array,
    owner: SubgroupOwner,
  ) {
    this.stream = stream
    this.header = header
    this.owner = owner
    owner.writerOpened(this)
    stream.handler = this
    stream.write(encoded)
  }

  /** The peer wants no more of this subgroup (section 11.4.3). */
  onStopped(code: number): void {
    if (this.over) return
    this.reset(code)
    const named = this.header.subgroup ?? this.first
    this.owner.writerStopped(this.header.group, named < 0 ? null : named, code)
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
   * field as the header says; or its beginning, when `append` gives the rest before anything else
   */
  write(object: number, body: Uint8Array): void {
    if (this.over) return
    const delta = objectIdDelta(object, this.previous)
    const prefix = SHORT_DELTAS[delta] ?? encodeDelta(delta)
    if (this.previous < 0) this.first = object
    this.previous = object
    this.stream.write(prefix)
    this.stream.write(body)
  }

  /** More of the body of the last object written. */
  append(piece: Uint8Array): void {
    if (!this.over) this.stream.write(piece)
  }

  finish(): void {
    if (this.over) return
    this.over = true
    this.stream.finish()
    this.owner.writerClosed(this)
  }

  reset(code: number): void {
    if (this.over) return
    this.over = true
    this.stream.reset(code)
    this.owner.writerClosed(this)
  }

  setOrder(order: number): void {
    if (!this.over) this.stream.setOrder(order)
  }
}

/** Deltas of one byte, made once for all streams. */
const SHORT_DELTAS = Array.from({ length: 0x80 }, (_, delta) => Uint8Array.of(delta))

function encodeDelta(delta: number): Uint8Array {
  const bytes = new Uint8Array(vi64Size(delta))
  writeVi64(bytes, 0, delta)
  return bytes
}
