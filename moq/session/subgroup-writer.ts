import type { SendStream } from '../transport/transport.ts'
import { encodeSubgroupHeader, objectIdDelta, type SubgroupHeader } from '../wire/subgroup.ts'
import { vi64Size, writeVi64 } from '../wire/vi64.ts'

/**
 * One outgoing subgroup stream (draft-18 section 11.4.2). Bodies come encoded, so that a relay writes
 * the same bytes to every subscriber; only the few bytes of the object id are made here.
 */
export class SubgroupWriter {
  /** The peer wants no more of this subgroup; set by the owner. */
  onStopped: ((code: number) => void) | null = null
  readonly header: SubgroupHeader
  private readonly stream: SendStream
  private readonly ended: (writer: SubgroupWriter) => void
  private previous = -1
  private over = false

  constructor(stream: SendStream, header: SubgroupHeader, ended: (writer: SubgroupWriter) => void) {
    this.stream = stream
    this.header = header
    this.ended = ended
    stream.handler = {
      onStopped: (code) => {
        if (this.over) return
        this.reset(code)
        this.onStopped?.(code)
      },
    }
    stream.write(encodeSubgroupHeader(header))
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
    this.ended(this)
  }

  reset(code: number): void {
    if (this.over) return
    this.over = true
    this.stream.reset(code)
    this.ended(this)
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
