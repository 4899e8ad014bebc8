import { type Catalog, encodeCatalog, encodeMediaProperties } from '../../../moq/media/index.ts'
import { firstGroupAt } from '../../media/first-group.ts'
import type { EncryptedTrack } from './encrypted-track.ts'

export interface LocalCatalogOptions {
  readonly track: EncryptedTrack
  /** ms since the Unix epoch. */
  readonly wallClock: () => number
  /** What there is now. */
  readonly read: () => Catalog
}

/** Our catalog: an encrypted list of what we publish, each edition of it a group of one object. */
export class LocalCatalog {
  readonly track: EncryptedTrack
  private readonly options: LocalCatalogOptions
  private group: number
  private closed = false

  constructor(options: LocalCatalogOptions) {
    this.options = options
    this.track = options.track
    this.group = firstGroupAt(options.wallClock())
  }

  /** For whoever subscribed, and whenever it changed or has a new key. */
  publish(): void {
    const { track } = this
    const { wallClock, read } = this.options
    track.switchKey()
    if (!track.canSend || this.closed) return
    track.send({
      ...encodeMediaProperties({ timestamp: wallClock() * 1000 }),
      group: this.group++,
      object: 0,
      delivery: 'stream',
      subgroup: 0,
      temporalLayer: 0,
      last: true,
      payload: encodeCatalog(read()),
    })
  }

  close(): void {
    this.closed = true
    this.track.close()
  }
}
