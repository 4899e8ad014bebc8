import { encodeMediaProperties, participantNamespace, TrackName } from '../../../moq/media/index.ts'
import type { Clock, IncomingSubscribe, TrackState } from '../../../moq/session/index.ts'
import { trackOf } from '../../../moq/wire/names.ts'
import {
  Chat,
  type ChatData,
  type ChatDelivery,
  ChatError,
  type ChatText,
  type ReceivedData,
  type ReceivedText,
} from '../../chat/index.ts'
import { firstGroupAt } from '../../media/first-group.ts'
import { type CallSession, OF_PUBLISHER } from './call-session.ts'
import { Decryption } from './decryption.ts'
import { EncryptedTrack } from './encrypted-track.ts'
import { followTrack } from './follow-track.ts'
import type { MediaKeys } from './media-keys.ts'
import { TRACK_NUMBER } from './track-numbers.ts'

export interface ChatLinkOptions {
  readonly session: CallSession
  readonly room: string
  readonly participantId: string
  readonly keys: MediaKeys
  readonly clock: Clock
  /** ms since the Unix epoch. */
  readonly wallClock: () => number
  /** Largest data that `sendData` takes, bytes; the default of `client-lib/chat` unless told. */
  readonly maxDataBytes?: number | undefined
  readonly onText: (text: ReceivedText) => void
  readonly onData: (data: ReceivedData) => void
  readonly onDelivered: (delivery: ChatDelivery) => void
  readonly onBug: (error: unknown) => void
}

interface Sender {
  readonly decryption: Decryption
  readonly stop: () => void
}

/** Behind sound, before picture. */
const PRIORITY = 48
/** Of what somebody wrote while we had no connection, so much is fetched: texts, and acknowledgements. */
const MISSED_TEXTS = 64

/** The chat of a call over everybody's `chat` track: a text, or acknowledgements, a group. */
export class ChatLink {
  private readonly options: ChatLinkOptions
  private readonly chat: Chat
  private readonly track: EncryptedTrack
  private readonly senders = new Map<string, Sender>()
  private inGroup: ReadonlySet<string> = new Set()
  private group: number

  constructor(options: ChatLinkOptions) {
    const { participantId, keys, clock, wallClock, onText, onData, onDelivered, onBug } = options
    this.options = options
    this.group = firstGroupAt(wallClock())
    this.track = new EncryptedTrack({
      track: this.trackName(participantId),
      number: TRACK_NUMBER.chat,
      priority: PRIORITY,
      keys,
      onError: onBug,
    })
    this.chat = new Chat({
      participantId,
      clock,
      wallClock,
      members: () => [...this.senders.keys()].filter((id) => this.inGroup.has(id)),
      publish: (message) => this.publish(message),
      ...(options.maxDataBytes !== undefined && { maxDataBytes: options.maxDataBytes }),
      onText,
      onData,
      // Whoever sends learns first what was sent, then how far it came.
      onDelivered: (delivery) => queueMicrotask(() => onDelivered(delivery)),
    })
  }

  /** @throws ChatError */
  send(text: string): ChatText {
    if (!this.track.canSend) throw new ChatError('not-connected')
    return this.chat.send(text)
  }

  /** @throws ChatError */
  sendData(bytes: Uint8Array, topic: string): ChatData {
    if (!this.track.canSend) throw new ChatError('not-connected')
    return this.chat.sendData(bytes, topic)
  }

  accept(request: IncomingSubscribe): void {
    this.track.accept(request)
  }

  get status(): TrackState {
    return this.track.status
  }

  /** Somebody else is there, or not any more. */
  setPresent(id: string, present: boolean): void {
    const known = this.senders.get(id)
    if (present && !known) this.senders.set(id, this.follow(id))
    if (!present) {
      known?.stop()
      this.senders.delete(id)
    }
    this.chat.membersChanged()
  }

  /** Receive keys of a new epoch are there. @param roster participant ids */
  keysChanged(roster: readonly string[]): void {
    this.inGroup = new Set(roster)
    for (const { decryption } of this.senders.values()) decryption.retry()
    this.chat.membersChanged()
  }

  /** Nothing more may go out under the old key: texts wait for the next one. */
  revokeKey(): void {
    this.track.revokeKey()
  }

  /** Takes the key of the epoch that we now send in. */
  async renewKey(): Promise<void> {
    await this.track.renewKey()
    this.track.switchKey()
  }

  close(): void {
    this.chat.close()
    for (const { stop } of this.senders.values()) stop()
    this.senders.clear()
    this.track.close()
  }

  private publish(payload: Uint8Array): void {
    this.track.send({
      ...encodeMediaProperties({ timestamp: this.options.wallClock() * 1000 }),
      group: this.group++,
      object: 0,
      delivery: 'stream',
      subgroup: 0,
      temporalLayer: 0,
      last: true,
      payload,
    })
  }

  private follow(id: string): Sender {
    const { session, keys, clock } = this.options
    const track = this.trackName(id)
    const decryption = new Decryption({
      participantId: id,
      track,
      keys,
      clock,
      onPlaintext: (_object, _immutable, payload) => this.chat.receive(id, payload),
    })
    const unfollow = followTrack(
      session,
      clock,
      track,
      { filter: { kind: 'largest-object' }, subscriberPriority: PRIORITY },
      (object) => decryption.push(object),
      { ...OF_PUBLISHER, fillGroups: MISSED_TEXTS },
    )
    const stop = () => {
      unfollow()
      decryption.close()
    }
    return { decryption, stop }
  }

  private trackName(id: string) {
    return trackOf(participantNamespace(this.options.room, id), TrackName.CHAT)
  }
}
