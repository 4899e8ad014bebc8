import {
  decodeMediaProperties,
  immutableOf,
  type MediaProperties,
} from '../../../moq/media/index.ts'
import type { Clock } from '../../../moq/session/index.ts'
import type { FullTrackName } from '../../../moq/wire/names.ts'
import { type MoqObject, ObjectStatus } from '../../../moq/wire/object.ts'
import type { Parameters } from '../../../moq/wire/parameters.ts'
import { DelayTrack } from '../../media/arrival-meter.ts'
import type { DecryptFailures } from '../types.ts'
import { type CallSession, type CallSubscription, OF_PUBLISHER } from './call-session.ts'
import { Decryption } from './decryption.ts'
import type { MediaKeys } from './media-keys.ts'

export interface ReceivedTrackOptions {
  readonly session: CallSession
  readonly participantId: string
  readonly name: FullTrackName
  readonly keys: MediaKeys
  readonly clock: Clock
  readonly parameters: Parameters
  readonly onAccepted?: () => void
  /**
   * Told of each object before it is decrypted; its properties are not authenticated yet, and null when
   * they cannot be read. False: it is not taken.
   * @param fetched it did not come by the subscription
   */
  readonly onArrived?: (
    object: MoqObject,
    media: MediaProperties | null,
    fetched: boolean,
  ) => boolean
  /** `media` was authenticated with the payload. */
  readonly onPlaintext: (object: MoqObject, media: MediaProperties, payload: Uint8Array) => void
}

/** A track of somebody else's up to what was encrypted in it: subscribed to, counted, decrypted. */
export class ReceivedTrack {
  objects = 0
  /** Payload, encrypted. */
  bytes = 0
  /** Of what comes by itself. */
  readonly delay = new DelayTrack()
  private readonly options: ReceivedTrackOptions
  private readonly subscription: CallSubscription
  private readonly decryption: Decryption
  private largestGroup = -1
  private over = false
  /** What is wanted, and what the publisher was told. */
  private forward: boolean
  private forwarded: boolean

  constructor(options: ReceivedTrackOptions) {
    this.options = options
    const { session, participantId, name, keys, clock, parameters } = options
    this.forward = parameters.forward ?? true
    this.forwarded = this.forward
    this.decryption = new Decryption({
      participantId,
      track: name,
      keys,
      clock,
      onPlaintext: (object, immutable, payload) => {
        if (!this.over) options.onPlaintext(object, decodeMediaProperties(immutable), payload)
      },
    })
    this.subscription = session.subscribe(
      name,
      parameters,
      {
        onAccepted: () => {
          options.onAccepted?.()
          this.tellForward()
        },
        onObject: (object) => this.onObject(object),
        onRejected: () => {
          this.over = true
        },
        onDone: () => {
          this.over = true
        },
      },
      OF_PUBLISHER,
    )
  }

  /** The publisher refused or ended the track. */
  get ended(): boolean {
    return this.over
  }

  get decryptFailures(): number {
    return this.decryption.failures
  }

  /** The epoch of the key of the newest object that was decrypted; null before the first. */
  get epoch(): number | null {
    return this.decryption.epoch
  }

  /** A view that goes on changing. */
  get decryptFailuresByReason(): DecryptFailures {
    return this.decryption.failuresByReason
  }

  /** An object that was fetched. */
  take(object: MoqObject): void {
    if (object.status !== ObjectStatus.NORMAL || this.over) return
    this.pass(object, mediaOf(object), true)
  }

  keysChanged(): void {
    this.decryption.retry()
  }

  /** Asks for a key frame: NEW_GROUP_REQUEST (draft-18 section 10.2.13). */
  requestGroup(): void {
    this.subscription.update({ newGroupRequest: this.largestGroup + 1 })
  }

  /** Whether objects are wanted now; when they are again, a new group is asked for. */
  setForward(forward: boolean): void {
    this.forward = forward
    if (this.subscription.established) this.tellForward()
  }

  close(): void {
    this.over = true
    this.subscription.unsubscribe()
    this.decryption.close()
  }

  private tellForward(): void {
    const { forward } = this
    if (forward === this.forwarded) return
    this.forwarded = forward
    const newGroupRequest = this.largestGroup + 1
    this.subscription.update(forward ? { forward, newGroupRequest } : { forward })
  }

  private onObject(object: MoqObject): void {
    this.largestGroup = Math.max(this.largestGroup, object.group)
    if (object.status !== ObjectStatus.NORMAL) return
    const media = mediaOf(object)
    if (media?.timestamp !== undefined) this.delay.note(media.timestamp, this.options.clock.now())
    this.pass(object, media, false)
  }

  private pass(object: MoqObject, media: MediaProperties | null, fetched: boolean): void {
    this.objects++
    this.bytes += object.payloadLength
    const { onArrived } = this.options
    if (!onArrived || onArrived(object, media, fetched)) this.decryption.push(object)
  }
}

function mediaOf(object: MoqObject): MediaProperties | null {
  try {
    return decodeMediaProperties(immutableOf(object.properties))
  } catch {
    return null
  }
}
