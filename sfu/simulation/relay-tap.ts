import { decodeDatagram } from '../../moq/wire/datagram.ts'
import type { MoqObject } from '../../moq/wire/object.ts'
import { Reader } from '../../moq/wire/reader.ts'
import { isSubgroupType, readSubgroupHeader } from '../../moq/wire/subgroup.ts'
import { SubgroupParser } from '../../moq/wire/subgroup-parser.ts'
import type { Tap } from './net/session.ts'

/** An object that the relay handed to a session's transport, whole. */
export interface RelayedObject {
  /** ms. */
  readonly at: number
  readonly alias: number
  readonly group: number
  readonly object: number
}

const MOST_BYTES = 16 * 1024 * 1024

/** What a relay sends to one session, in its order: what it decided, whatever becomes of it on the way. */
export class RelayTap implements Tap {
  readonly objects: RelayedObject[] = []
  private readonly now: () => number
  /** Null: a stream of another kind. */
  private readonly streams = new Map<number, SubgroupParser | null>()

  constructor(now: () => number) {
    this.now = now
  }

  onStream(id: number, bytes: Uint8Array): void {
    let parser = this.streams.get(id)
    if (parser === undefined) {
      const reader = new Reader(bytes)
      // A header is written as one.
      parser = this.parserFor(reader)
      this.streams.set(id, parser)
      parser?.feed(bytes.subarray(reader.offset))
      return
    }
    parser?.feed(bytes)
  }

  onDatagram(bytes: Uint8Array): void {
    const datagram = decodeDatagram(bytes)
    // Else padding.
    if (datagram) this.note(datagram.trackAlias, datagram.object)
  }

  private parserFor(reader: Reader): SubgroupParser | null {
    const type = reader.vi64('stream type')
    if (!isSubgroupType(type)) return null
    const header = readSubgroupHeader(type, reader)
    return new SubgroupParser(header, MOST_BYTES, (object) => this.note(header.trackAlias, object))
  }

  private note(alias: number, { group, object }: MoqObject): void {
    this.objects.push({ at: this.now(), alias, group, object })
  }
}
