import { CLASS_INDEX, type ObjectClass } from '../media/object-class.ts'

/** What one track sent, object by object, as columns: it crosses between processes whole. */
export interface SentTrackData {
  readonly participant: string
  readonly room: string
  readonly track: string
  readonly groups: Float64Array
  readonly objects: Uint32Array
  /** ms of the machine's clock; not always ascending over an epoch change. */
  readonly sentAt: Float64Array
  readonly classes: Uint8Array
  /** Bytes of the payload as sent: an SFrame ciphertext. */
  readonly bytes: Uint32Array
  /** CRC-32 of these bytes; empty where they are not compared. */
  readonly checksums: Uint32Array
  /** Objects that the transport did not take, or that waited for too long. */
  readonly refused: number
}

/** What a track of ours sent: against it, what arrives is counted. */
export class SentLedger {
  refused = 0
  private readonly groups: number[] = []
  private readonly objects: number[] = []
  private readonly sentAt: number[] = []
  private readonly classes: number[] = []
  private readonly bytes: number[] = []
  private readonly checksums: number[] = []

  get length(): number {
    return this.groups.length
  }

  /** @param checksum null where bytes are not compared */
  add(
    group: number,
    object: number,
    sentAt: number,
    of: ObjectClass,
    bytes: number,
    checksum: number | null,
  ): void {
    this.groups.push(group)
    this.objects.push(object)
    this.sentAt.push(sentAt)
    this.classes.push(CLASS_INDEX[of])
    this.bytes.push(bytes)
    if (checksum !== null) this.checksums.push(checksum)
  }

  toData(place: Pick<SentTrackData, 'participant' | 'room' | 'track'>): SentTrackData {
    return {
      ...place,
      groups: Float64Array.from(this.groups),
      objects: Uint32Array.from(this.objects),
      sentAt: Float64Array.from(this.sentAt),
      classes: Uint8Array.from(this.classes),
      bytes: Uint32Array.from(this.bytes),
      checksums: Uint32Array.from(this.checksums),
      refused: this.refused,
    }
  }
}
