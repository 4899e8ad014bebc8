/** One frame of sound or of a picture, as its encoder made it. */
export interface FrameFacts {
  /** ms. */
  readonly sentAt: number
  /** Null for sound. */
  readonly temporal: number | null
  readonly key: boolean
  /** What it is decoded from; null for a key frame, and for sound. */
  readonly reference: SentFrame | null
  readonly epoch: number
}

export class SentFrame implements FrameFacts {
  readonly sentAt: number
  readonly temporal: number | null
  readonly key: boolean
  readonly reference: SentFrame | null
  readonly epoch: number
  readonly objects: SentObject[] = []

  constructor({ sentAt, temporal, key, reference, epoch }: FrameFacts) {
    this.sentAt = sentAt
    this.temporal = temporal
    this.key = key
    this.reference = reference
    this.epoch = epoch
  }
}

export interface SentObject {
  readonly frame: SentFrame
  readonly group: number
  readonly object: number
  /** Of the payload, and its CRC-32. */
  readonly bytes: number
  readonly checksum: number
  /** Else a datagram. */
  readonly stream: boolean
}
