import { ObjectMetadata } from '../../../moq/media/index.ts'
import {
  type IncomingFetch,
  type IncomingSubscribe,
  type OutgoingObject,
  TrackPublisher,
  type TrackState,
} from '../../../moq/session/index.ts'
import { RequestCode } from '../../../moq/wire/codes.ts'
import type { FullTrackName } from '../../../moq/wire/names.ts'
import type { Property } from '../../../moq/wire/properties.ts'
import { SenderContext } from '../../../sframe/index.ts'
import type { ObjectPlan } from '../../media/frames.ts'
import type { RepairSource } from '../../media/repair-source.ts'
import type { MediaKeys, SendEpoch } from './media-keys.ts'
import { Ordered } from './ordered.ts'

export interface EncryptedTrackOptions {
  readonly track: FullTrackName
  /** Unique among our tracks: the MoQT track alias and the SFrame context. */
  readonly number: number
  /** 0..255, lower is sent first. */
  readonly priority: number
  readonly keys: MediaKeys
  /** Further track properties, ascending by type. */
  readonly properties?: readonly Property[]
  readonly onError: (error: unknown) => void
  readonly onGroupRequested?: () => void
  readonly onDemand?: (wanted: boolean) => void
  /** Keeps the newest datagrams for those who ask for them again. Default: nothing can be fetched. */
  readonly repairs?: RepairSource
  /** An object was dropped: a subscriber's transport did not take it, or too much is held. */
  readonly onRefused?: (plan: ObjectPlan) => void
}

/** What is held while there is no key, at most; after it, what is newer is dropped. */
const HELD_BYTES = 256 * 1024

/**
 * A track of ours, each object one SFrame ciphertext. A new epoch's key waits as `next` until the
 * track's owner takes it with `switchKey`: video does so at a key frame. A key that is revoked is used
 * for nothing more: objects are held until there is another, so that none is lost.
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
  /** Since the key was revoked; null while there is one. */
  private held: ObjectPlan[] | null = null
  private heldBytes = 0

  constructor(options: EncryptedTrackOptions) {
    this.options = options
    this.metadata = new ObjectMetadata(options.track)
    this.outbox = new Ordered(options.onError)
    this.publisher = new TrackPublisher({
      trackAlias: options.number,
      priority: options.priority,
      ...(options.properties && { properties: options.properties }),
      ...(options.onGroupRequested && { onGroupRequested: () => this.onGroupRequested() }),
      onDemand: options.onDemand,
    })
  }

  accept(request: IncomingSubscribe): void {
    this.publisher.accept(request)
  }

  /** Answers a FETCH, with the newest datagrams or not at all. */
  fetch(request: IncomingFetch): void {
    const { repairs } = this.options
    if (repairs) repairs.answer(request, this.status.properties)
    else request.reject(RequestCode.NOT_SUPPORTED, 'nothing of this track can be fetched')
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

  /** Whether what is sent goes out, now or as soon as there is a key again. */
  get canSend(): boolean {
    return this.sender !== null || this.held !== null
  }

  /** The epoch whose key is used now; null while there is none. */
  get epoch(): number | null {
    return this.sender === null ? null : this.options.keys.epochOf(this.sender.kid)
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
    const held = this.held ?? []
    this.held = null
    for (const plan of held) this.send(plan)
  }

  /** Nothing is encrypted any more under the keys taken so far; `renewKey` goes on with a newer one. */
  revokeKey(): void {
    // Of a key that is being made: it would come too late.
    this.renewed = null
    if (!this.sender) return
    this.sender.destroy()
    this.next?.destroy()
    this.sender = null
    this.next = null
    this.held = []
    this.heldBytes = 0
  }

  /** Encrypts and sends an object; dropped before the first key, held while the key is revoked. */
  send(plan: ObjectPlan): void {
    const { sender } = this
    if (!this.publisher.wanted) return
    if (!sender) {
      this.hold(plan)
      return
    }
    const metadata = this.metadata.of(plan.group, plan.object, plan.immutable)
    this.outbox.push(sender.encrypt(plan.payload, metadata), (payload) => {
      const { group, object, properties } = plan
      const sent =
        plan.delivery === 'stream'
          ? this.publisher.writeStream(plan.subgroup, { group, object, properties, payload })
          : this.writeDatagram({ group, object, properties, payload })
      this.counters.objects++
      this.counters.bytes += payload.length
      if (!sent) this.refused(plan)
      if (plan.last) this.publisher.endGroupsBefore(group + 1)
    })
  }

  /** Gives up what waits of a subgroup's stream. */
  abandon(subgroup: number, code: number): void {
    this.publisher.abandon(subgroup, code)
  }

  /** PUBLISH_DONE to every subscriber. */
  done(status: number, reason: string): void {
    this.publisher.done(status, reason)
  }

  close(): void {
    this.sender?.destroy()
    this.next?.destroy()
    this.sender = null
    this.next = null
    this.held = null
  }

  private writeDatagram(object: OutgoingObject): boolean {
    this.options.repairs?.add(object)
    return this.publisher.writeDatagram(object)
  }

  private hold(plan: ObjectPlan): void {
    if (this.held === null) return
    this.heldBytes += plan.payload.length
    if (this.heldBytes <= HELD_BYTES) this.held.push(plan)
    else this.refused(plan)
  }

  private refused(plan: ObjectPlan): void {
    this.counters.refused++
    this.options.onRefused?.(plan)
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
