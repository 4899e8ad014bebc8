import type { Clock } from '../../moq/session/clock.ts'
import { Inbox } from './inbox.ts'
import { type ChatMessage, decodeMessage, encodeMessage, MAX_ACKS } from './message.ts'
import { Outbox } from './outbox.ts'
import type { ChatData, ChatDelivery, ChatText, ReceivedData, ReceivedText } from './types.ts'

export interface ChatOptions {
  readonly participantId: string
  readonly clock: Clock
  /** ms since 1970; also tells our sessions apart, over reloads. */
  readonly wallClock: () => number
  /** Those who can read what we send now, without ourselves. */
  readonly members: () => readonly string[]
  /** Encrypt and publish as a new group of our `chat` track. */
  readonly publish: (message: Uint8Array) => void
  /** Largest data that `sendData` takes, bytes; `MOST_DATA_BYTES` at most. */
  readonly maxDataBytes?: number
  readonly onText: (text: ReceivedText) => void
  readonly onData: (data: ReceivedData) => void
  readonly onDelivered: (delivery: ChatDelivery) => void
}

/** Acknowledgements are gathered this long, and longer in large rooms, ms. */
const GATHER_MS = 100
const GATHER_MS_A_MEMBER = 10
/** Senders that are remembered, beyond those who are there. */
const MAX_SENDERS = 500

export class Chat {
  private readonly options: ChatOptions
  private readonly outbox: Outbox
  private readonly inboxes = new Map<string, Inbox>()
  /** Senders to acknowledge to. */
  private readonly owed = new Set<string>()
  private cancelAcks: (() => void) | null = null

  constructor(options: ChatOptions) {
    this.options = options
    this.outbox = new Outbox({ ...options, session: Math.floor(options.wallClock()) })
  }

  /** @throws ChatError `empty`, `too-long` or `too-fast` */
  send(text: string): ChatText {
    return this.outbox.send(text)
  }

  /** @throws ChatError `too-large`, `bad-topic` or `too-fast` */
  sendData(bytes: Uint8Array, topic: string): ChatData {
    return this.outbox.sendData(bytes, topic)
  }

  /** Plaintext of an object of a participant's `chat` track: authentic, but maybe not well-meant. */
  receive(from: string, payload: Uint8Array): void {
    const message = tryDecode(payload)
    if (message === null) return
    if (message.kind !== 'acks') {
      this.inboxOf(from)?.push(message, payload.length)
      return
    }
    for (const ack of message.acks) {
      if (ack.participantId === this.options.participantId) this.outbox.acknowledge(from, ack)
    }
  }

  /** Somebody came or left. */
  membersChanged(): void {
    this.outbox.membersChanged()
    const there = new Set(this.options.members())
    for (const [id, inbox] of this.inboxes) {
      if (this.inboxes.size <= MAX_SENDERS || there.has(id)) continue
      inbox.close()
      this.inboxes.delete(id)
    }
  }

  close(): void {
    this.cancelAcks?.()
    this.outbox.close()
    for (const inbox of this.inboxes.values()) inbox.close()
    this.inboxes.clear()
  }

  private inboxOf(id: string): Inbox | undefined {
    const known = this.inboxes.get(id)
    if (known !== undefined) return known
    if (this.inboxes.size >= 2 * MAX_SENDERS) return undefined
    const { clock, onText, onData } = this.options
    const onAck = () => this.owe(id)
    const inbox = new Inbox({ participantId: id, clock, onText, onData, onAck })
    this.inboxes.set(id, inbox)
    return inbox
  }

  private owe(id: string): void {
    this.owed.add(id)
    const wait = GATHER_MS + GATHER_MS_A_MEMBER * this.options.members().length
    this.cancelAcks ??= this.options.clock.after(wait, () => {
      this.cancelAcks = null
      this.acknowledge()
    })
  }

  private acknowledge(): void {
    const acks = [...this.owed].map((id) => this.inboxes.get(id)?.ack ?? null)
    this.owed.clear()
    const known = acks.filter((ack) => ack !== null)
    for (let at = 0; at < known.length; at += MAX_ACKS) {
      this.options.publish(encodeMessage({ kind: 'acks', acks: known.slice(at, at + MAX_ACKS) }))
    }
  }
}

function tryDecode(payload: Uint8Array): ChatMessage | null {
  try {
    return decodeMessage(payload)
  } catch {
    // Its sender's own doing, and nobody else's loss.
    return null
  }
}
