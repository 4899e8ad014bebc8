import type { Clock } from '../../moq/session/clock.ts'
import { type Ack, MAX_LOST, type TextMessage } from './message.ts'
import { Rate } from './rate.ts'
import { cleanText } from './text.ts'
import type { ReceivedText } from './types.ts'

export interface InboxOptions {
  readonly participantId: string
  readonly clock: Clock
  readonly onText: (text: ReceivedText) => void
  /** There is something to acknowledge, be it again. */
  readonly onAck: () => void
}

/** A missing text is waited for, ms; its sender sends it again meanwhile. */
const GAP_MS = 5000
/** Texts that wait for a missing one. */
const MAX_HELD = 64
/** More than a sender of ours sends, with those sent again. */
const TEXTS_A_SECOND = 10
const TEXTS_AT_ONCE = 60

/** Texts of one sender, put in order. */
export class Inbox {
  private readonly options: InboxOptions
  private readonly rate: Rate
  private readonly held = new Map<number, TextMessage>()
  private session = -1
  /** Id of the first text that is ours to get; null before any came. */
  private first: number | null = null
  private next = 1
  private lost: number[] = []
  private cancelWait: () => void = () => {}

  constructor(options: InboxOptions) {
    this.options = options
    this.rate = new Rate(TEXTS_A_SECOND, TEXTS_AT_ONCE, () => options.clock.now())
  }

  /** Null before the first text. */
  get ack(): Ack | null {
    const { session, next, lost } = this
    if (this.first === null) return null
    const { participantId } = this.options
    return { participantId, session, first: this.first, last: next - 1, lost }
  }

  push(message: TextMessage): void {
    if (message.session < this.session || !this.rate.take()) return
    if (message.session > this.session) this.begin(message)
    if (message.id < this.next) {
      // The acknowledgement was lost, or is under way.
      this.options.onAck()
      return
    }
    if (this.held.size >= MAX_HELD) this.skip()
    this.held.set(message.id, message)
    this.drain()
  }

  close(): void {
    this.cancelWait()
    this.held.clear()
  }

  private begin({ session, base }: TextMessage): void {
    this.close()
    this.session = session
    this.first = base
    this.next = base
    this.lost = []
  }

  /** Gives up what is missing before the texts that wait. */
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
      const message = this.held.get(this.next)
      if (message === undefined) break
      this.held.delete(this.next)
      this.next += 1
      this.hand(message)
    }
    this.cancelWait()
    if (this.held.size > 0) {
      this.cancelWait = this.options.clock.after(GAP_MS, () => this.skip())
    }
  }

  private hand({ id, text, sentAt }: TextMessage): void {
    const { participantId: from, onText, onAck } = this.options
    const cleaned = cleanText(text)
    if (cleaned !== '') onText({ from, id, text: cleaned, sentAt })
    onAck()
  }
}
