import { type FullTrackName, writeFullTrackName } from '../wire/names.ts'
import { writeVi64 } from '../wire/vi64.ts'
import { Writer } from '../wire/writer.ts'

/**
 * What end-to-end encryption authenticates beside an object's payload, and a relay may read: the full
 * track name, the group, the object and the serialized immutable properties. So a relay can neither
 * alter an object's marks nor move it to another place unnoticed.
 *
 *     namespace and track name as on the wire (draft-18 section 2.4.1), group (vi64), object (vi64),
 *     content of Immutable Properties
 */
export class ObjectMetadata {
  private readonly track: Uint8Array

  constructor(track: FullTrackName) {
    const writer = new Writer(64)
    writeFullTrackName(writer, track)
    this.track = writer.finish().slice()
  }

  /** @param immutable the content of the object's Immutable Properties; empty when it has none */
  of(group: number, object: number, immutable: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(this.track.length + 18 + immutable.length)
    bytes.set(this.track)
    let at = writeVi64(bytes, this.track.length, group)
    at = writeVi64(bytes, at, object)
    bytes.set(immutable, at)
    return bytes.subarray(0, at + immutable.length)
  }
}
