import { ObjectMetadata } from '../../../moq/media/index.ts'
import {
  type IncomingSubscribe,
  TrackPublisher,
  type TrackState,
} from '../../../moq/session/index.ts'
import type { FullTrackName } from '../../../moq/wire/names.ts'
import { SenderContext } from '../../../sframe/index.ts'
import type { ObjectPlan } from '../../media/frames.ts'
import type { MediaKeys, SendEpoch } from './media-keys.ts'
import { Ordered } from './ordered.ts'

export interface EncryptedTrackOptions {
  readonly track: FullTrackName
  /** Unique among our tracks: the MoQT track alias and the SFrame context. */
  readonly number: number
  /** 0..255, lower is sent first. */
  readonly priority: number
  readonly keys: MediaKeys
  readonly onError: (error: unknown) => void
  readonly onGroupRequested?: () => void
  readonly onDemand?: (wanted: boolean) => void
}

/**
 * A track of ours, each object one SFrame ciphertext. A new epoch's key waits as `next` until the
 * track's owner takes it with `switchKey`: video does so at a key frame.
 */
export class EncryptedTrack {
  readonly counters = { objects: 0, bytes: 0, refused: 0 }
  private readonly options: EncryptedTrackOptions
  private readonly publisher: TrackPublisher
  private readonly metadata: ObjectMetadata
  private readonly outbox: Ordered<Uint8Array>
  private sender: SenderContext | null = null
  private next: SenderContext | null = null
  private renewed: SendEpoch | null = null

  constructor(options: EncryptedTrackOptions) {
    this.options = options
    this.metadata = new ObjectMetadata(options.track)
    this.outbox = new Ordered(options.onError)
    this.publisher = new TrackPublisher({
      trackAlias: options.number,
      priority: options.priority,
      ...(options.onGroupRequested && { onGroupRequested: () => this.onGroupRequested() }),
      onDemand: options.onDemand,
    })
  }

  accept(request: IncomingSubscribe): void {
    this.publisher.accept(request)
  }

  /** What a TRACK_STATUS is answered with. */
  get status(): TrackState {
    return this.publisher.status
  }

  get wanted(): boolean {
    return this.publisher.wanted
  }

  /** Bytes that wait in the transport. */
  get buffered(): number {
    return this.publisher.buffered
  }

  get canSend(): boolean {
    return this.sender !== null
  }

  /** Whether a newer epoch's key waits for `switchKey`. */
  get hasNextKey(): boolean {
    return this.next !== null
  }

  /** Fetches the key of the epoch that we now send in; once an epoch, however often it is asked. */
  async renewKey(): Promise<void> {
    const epoch = this.options.keys.sendEpoch
    if (!epoch || epoch === this.renewed) return
    this.renewed = epoch
    const sender = await this.makeSender(epoch)
    if (epoch !== this.renewed) sender?.destroy()
    if (!sender || epoch !== this.renewed) return
    this.next?.destroy()
    this.next = sender
    if (!this.sender) this.switchKey()
  }

  switchKey(): void {
    if (!this.next) return
    this.sender?.destroy()
    this.sender = this.next
    this.next = null
  }

  /** Encrypts and sends an object; dropped while there is no key. */
  send(plan: ObjectPlan): void {
    const { sender } = this
    if (!sender || !this.publisher.wanted) return
    const metadata = this.metadata.of(plan.group, plan.object, plan.immutable)
    this.outbox.push(sender.encrypt(plan.payload, metadata), (payload) => {
      const { group, object, properties } = plan
      const sent =
        plan.delivery === 'stream'
          ? this.publisher.writeStream(plan.subgroup, { group, object, properties, payload })
          : this.publisher.writeDatagram({ group, object, properties, payload })
      if (!sent) this.counters.refused++
      this.counters.objects++
      this.counters.bytes += payload.length
      if (plan.last) this.publisher.endGroupsBefore(group + 1)
    })
  }

  /** Gives up what waits of a subgroup's stream. */
  abandon(subgroup: number, code: number): void {
    this.publisher.abandon(subgroup, code)
  }

  close(): void {
    this.sender?.destroy()
    this.next?.destroy()
    this.sender = null
    this.next = null
  }

  /** Null when the epoch was over before its key was there: the next one's is fetched already. */
  private async makeSender({ secret, leaf }: SendEpoch): Promise<SenderContext | null> {
    try {
      return await SenderContext.forEpoch(secret, { context: this.options.number, leaf })
    } catch (error) {
      if (this.options.keys.sendEpoch?.secret !== secret) return null
      throw error
    }
  }

  private onGroupRequested(): void {
    this.options.keys.groupAsked()
    this.options.onGroupRequested?.()
  }
}
