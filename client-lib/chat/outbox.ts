import type { Clock } from '../../moq/session/clock.ts'
import { DEFAULT_DATA_BYTES, isTopic } from './data.ts'
import { ChatError } from './errors.ts'
import { type Ack, encodeMessage, type MessageNumber, type NumberedMessage } from './message.ts'
import { MessageRate } from './rate.ts'
import { cleanText, isTooLong } from './text.ts'
import type { ChatData, ChatDelivery, ChatText } from './types.ts'

export interface OutboxOptions {
  readonly clock: Clock
  /** ms since 1970. */
  readonly wallClock: () => number
  readonly session: number
  /** Those who can read what we send now, without ourselves. */
  readonly members: () => readonly string[]
  /** Largest data that `sendData` takes, bytes; `MOST_DATA_BYTES` at most. */
  readonly maxDataBytes?: number
  readonly publish: (message: Uint8Array) => void
  readonly onDelivered: (delivery: ChatDelivery) => void
}

/** When a message is sent again, ms after the time before. */
const RETRY_MS = [1000, 2000, 4000, 8000]
const RATE = {
  messages: { aSecond: 5, atOnce: 10 },
  bytes: { aSecond: 64 * 1024, atOnce: 256 * 1024 },
} as const

interface Pending {
  readonly id: number
  readonly bytes: Uint8Array
  readonly receivers: ReadonlySet<string>
  readonly delivered: Set<string>
  told: string
  cancel: () => void
}

/** Texts and data of ours: sent, and sent again until all who were there have acknowledged them. */
export class Outbox {
  private readonly options: OutboxOptions
  private readonly rate: MessageRate
  private readonly pending = new Map<number, Pending>()
  private nextId = 1

  constructor(options: OutboxOptions) {
    this.options = options
    this.rate = new MessageRate(RATE, () => options.clock.now())
  }

  /** @throws ChatError `empty`, `too-long` or `too-fast` */
  send(given: string): ChatText {
    // Before it is cleaned: normalizing a huge text would take its time.
    if (isTooLong(given)) throw new ChatError('too-long')
    const text = cleanText(given)
    if (text === '') throw new ChatError('empty')
    if (isTooLong(text)) throw new ChatError('too-long')
    const { id, sentAt } = this.post((number) => ({ kind: 'text', ...number, text }))
    return { id, text, sentAt }
  }

  /**
   * @param data may be changed after the call
   * @throws ChatError `too-large`, `bad-topic` or `too-fast`
   */
  sendData(data: Uint8Array, topic: string): ChatData {
    if (data.length > (this.options.maxDataBytes ?? DEFAULT_DATA_BYTES)) {
      throw new ChatError('too-large')
    }
    if (!isTopic(topic)) throw new ChatError('bad-topic')
    const bytes = data.slice()
    const { id, sentAt } = this.post((number) => ({ kind: 'data', ...number, topic, bytes }))
    return { id, topic, sentAt }
  }

  private post(message: (number: MessageNumber) => NumberedMessage): MessageNumber {
    const { wallClock, session, members, publish } = this.options
    const id = this.nextId
    const receivers = new Set(members())
    const base = this.baseFor(receivers) ?? id
    const number = { session, id, base, sentAt: Math.floor(wallClock()) }
    const bytes = encodeMessage(message(number))
    if (!this.rate.take(bytes.length)) throw new ChatError('too-fast')
    this.nextId++
    const pending = { id, bytes, receivers, delivered: new Set<string>(), told: '', cancel() {} }
    this.pending.set(id, pending)
    publish(bytes)
    this.sendAgain(pending, 0)
    this.tell(pending)
    return number
  }

  /** Of one receiver, for one of our sessions. */
  acknowledge(from: string, { session, first, last, lost }: Ack): void {
    if (session !== this.options.session) return
    for (const pending of this.pending.values()) {
      const { id, receivers, delivered } = pending
      if (id < first || id > last || lost.includes(id) || !receivers.has(from)) continue
      delivered.add(from)
      this.tell(pending)
    }
  }

  /** Somebody came or left. */
  membersChanged(): void {
    for (const pending of this.pending.values()) this.tell(pending)
  }

  close(): void {
    for (const { cancel } of this.pending.values()) cancel()
    this.pending.clear()
  }

  /** The first message that all of these ought to get and somebody has not acknowledged. */
  private baseFor(members: ReadonlySet<string>): number | undefined {
    for (const { id, receivers } of this.pending.values()) {
      if (isSubset(members, receivers)) return id
    }
    return undefined
  }

  private sendAgain(pending: Pending, tries: number): void {
    const wait = RETRY_MS[tries]
    pending.cancel = this.options.clock.after(wait ?? 0, () => {
      if (wait === undefined) {
        this.pending.delete(pending.id)
        return
      }
      const { receivers, bytes } = pending
      // Whoever came since is not to read it.
      if (isSubset(this.options.members(), receivers)) this.options.publish(bytes)
      this.sendAgain(pending, tries + 1)
    })
  }

  private tell(pending: Pending): void {
    const { id, receivers, delivered, cancel } = pending
    const members = new Set(this.options.members())
    const left = [...receivers].filter((who) => delivered.has(who) || members.has(who))
    const told = `${delivered.size} of ${left.length}`
    if (told !== pending.told) {
      pending.told = told
      this.options.onDelivered({ id, delivered: delivered.size, of: left.length })
    }
    if (delivered.size < left.length) return
    cancel()
    this.pending.delete(id)
  }
}

function isSubset(some: Iterable<string>, of: ReadonlySet<string>): boolean {
  for (const id of some) if (!of.has(id)) return false
  return true
}
