import { immutableOf, ObjectMetadata } from '../../../moq/media/index.ts'
import type { Clock } from '../../../moq/session/index.ts'
import type { FullTrackName } from '../../../moq/wire/names.ts'
import { formatTrack } from '../../../moq/wire/names.ts'
import type { MoqObject } from '../../../moq/wire/object.ts'
import { ObjectStatus } from '../../../moq/wire/object.ts'
import { decodeHeader, parseMlsKid, SFrameError } from '../../../sframe/index.ts'
import type { DecryptFailures } from '../types.ts'
import { noDecryptFailures, reasonOf, totalOf } from './decrypt-failures.ts'
import type { MediaKeys } from './media-keys.ts'

export interface DecryptionOptions {
  readonly participantId: string
  readonly track: FullTrackName
  readonly keys: MediaKeys
  readonly clock: Clock
  /** `immutable` was authenticated with the payload; nothing else of the object was. */
  readonly onPlaintext: (object: MoqObject, immutable: Uint8Array, payload: Uint8Array) => void
}

/** Objects of an epoch that has not reached us yet: how many wait, and how long (ms). */
const MAX_EARLY = 128
const EARLY_MS = 3000

/**
 * Decrypts the objects of one track. An object under a key that is not ours yet waits for it; one
 * from before we joined was never for us; everything else that fails is counted.
 */
export class Decryption {
  private readonly counts = noDecryptFailures()
  private readonly options: DecryptionOptions
  private readonly metadata: ObjectMetadata
  private readonly window: string
  private early: { readonly object: MoqObject; readonly at: number }[] = []
  private closed = false
  /** Of the newest object that was decrypted. */
  private kid: number | bigint | null = null

  constructor(options: DecryptionOptions) {
    this.options = options
    this.metadata = new ObjectMetadata(options.track)
    this.window = formatTrack(options.track)
  }

  /** Objects that failed, in all. */
  get failures(): number {
    return totalOf(this.counts)
  }

  /** A view that goes on changing. */
  get failuresByReason(): DecryptFailures {
    return this.counts
  }

  /** Of the newest object that was decrypted: the epoch of its key; null before the first. */
  get epoch(): number | null {
    return this.kid === null ? null : this.options.keys.epochOf(this.kid)
  }

  push(object: MoqObject): void {
    if (object.status !== ObjectStatus.NORMAL || this.closed) return
    void this.open(object)
  }

  /** Keys came: what waited for them is tried again. */
  retry(): void {
    const now = this.options.clock.now()
    const early = this.early
    this.early = []
    for (const { object, at } of early) {
      if (now - at <= EARLY_MS) void this.open(object)
      else this.counts['unknown-kid']++
    }
  }

  close(): void {
    this.closed = true
    this.early = []
  }

  private async open(object: MoqObject): Promise<void> {
    const { keys, participantId, onPlaintext } = this.options
    try {
      const immutable = immutableOf(object.properties)
      const ciphertext = object.payload
      const { kid } = decodeHeader(ciphertext)
      const { leaf } = parseMlsKid(kid)
      const metadata = this.metadata.of(object.group, object.object, immutable)
      const plaintext = await keys.receiver.decrypt(ciphertext, metadata, this.window)
      // A member of the group may not speak in another's name.
      if (!keys.ownsLeaf(participantId, leaf)) this.counts['foreign-key']++
      else if (!this.closed) {
        this.kid = kid
        onPlaintext(object, immutable, plaintext)
      }
    } catch (error) {
      this.onFailure(object, error)
    }
  }

  private onFailure(object: MoqObject, error: unknown): void {
    if (this.closed) return
    if (error instanceof SFrameError && error.code === 'unknown-kid' && error.kid !== null) {
      const place = this.options.keys.placeOf(error.kid)
      if (place === 'before-us') return
      if (place === 'future') {
        if (this.early.length >= MAX_EARLY) {
          this.early.shift()
          this.counts['unknown-kid']++
        }
        this.early.push({ object, at: this.options.clock.now() })
        return
      }
    }
    this.counts[reasonOf(error)]++
  }
}
