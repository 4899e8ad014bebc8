import type { Clock } from '../../moq/session/clock.ts'
import { type Ack, MAX_LOST, type NumberedMessage } from './message.ts'
import { MessageRate } from './rate.ts'
import { cleanText } from './text.ts'
import type { ReceivedData, ReceivedText } from './types.ts'

export interface InboxOptions {
  readonly participantId: string
  readonly clock: Clock
  readonly onText: (text: ReceivedText) => void
  readonly onData: (data: ReceivedData) => void
  /** There is something to acknowledge, be it again. */
  readonly onAck: () => void
}

/** A missing message is waited for, ms; its sender sends it again meanwhile. */
const GAP_MS = 5000
/** Messages that wait for a missing one, and the bytes of all of them. */
const MAX_HELD = 64
const MAX_HELD_BYTES = 512 * 1024
/** More than a sender of ours sends, with those sent again. */
const RATE = {
  messages: { aSecond: 10, atOnce: 60 },
  bytes: { aSecond: 128 * 1024, atOnce: 1536 * 1024 },
} as const

interface Held {
  readonly message: NumberedMessage
  readonly bytes: number
}

/** Texts and data of one sender, put in order. */
export class Inbox {
  private readonly options: InboxOptions
  private readonly rate: MessageRate
  private readonly held = new Map<number, Held>()
  private heldBytes = 0
  private session = -1
  /** Id of the first message that is ours to get; null before any came. */
  private first: number | null = null
  private next = 1
  private lost: number[] = []
  private cancelWait: () => void = () => {}

  constructor(options: InboxOptions) {
    this.options = options
    this.rate = new MessageRate(RATE, () => options.clock.now())
  }

  /** Null before the first message. */
  get ack(): Ack | null {
    const { session, next, lost } = this
    if (this.first === null) return null
    const { participantId } = this.options
    return { participantId, session, first: this.first, last: next - 1, lost }
  }

  /** @param bytes of the message as it was sent */
  push(message: NumberedMessage, bytes: number): void {
    if (message.session < this.session || !this.rate.take(bytes)) return
    if (message.session > this.session) this.begin(message)
    if (message.id < this.next) {
      // The acknowledgement was lost, or is under way.
      this.options.onAck()
      return
    }
    if (this.held.has(message.id)) return
    if (message.id > this.next) this.makeRoom(bytes)
    // It was among what is given up now.
    if (message.id < this.next) return
    this.held.set(message.id, { message, bytes })
    this.heldBytes += bytes
    this.drain()
  }

  close(): void {
    this.cancelWait()
    this.held.clear()
    this.heldBytes = 0
  }

  private begin({ session, base }: NumberedMessage): void {
    this.close()
    this.session = session
    this.first = base
    this.next = base
    this.lost = []
  }

  private makeRoom(bytes: number): void {
    const most = MAX_HELD_BYTES - bytes
    while (this.held.size >= MAX_HELD || this.heldBytes > most) this.skip()
  }

  /** Gives up what is missing before the messages that wait. */
  private skip(): void {
    if (this.held.size === 0) return
    const next = Math.min(...this.held.keys())
    for (let id = Math.max(this.next, next - MAX_LOST); id < next; id++) this.lost.push(id)
    this.lost = this.lost.slice(-MAX_LOST)
    this.next = next
    this.drain()
  }

  private drain(): void {
    for (;;) {
      const held = this.held.get(this.next)
      if (held === undefined) break
      this.held.delete(this.next)
      this.heldBytes -= held.bytes
      this.next += 1
      this.hand(held.message)
    }
    this.cancelWait()
    if (this.held.size > 0) {
      this.cancelWait = this.options.clock.after(GAP_MS, () => this.skip())
    }
  }

  private hand(message: NumberedMessage): void {
    const { participantId: from, onText, onData, onAck } = this.options
    const { id, sentAt } = message
    if (message.kind === 'data') {
      onData({ from, id, topic: message.topic, bytes: message.bytes, sentAt })
    } else {
      const text = cleanText(message.text)
      if (text !== '') onText({ from, id, text, sentAt })
    }
    onAck()
  }
}
