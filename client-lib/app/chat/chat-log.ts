/** What was written in a call, as far as this page has seen; nothing of it is kept anywhere. */

import type { ChatDelivery, ChatText, ReceivedText } from '../../index.ts'

export interface ChatEntry {
  /** Names the entry on this page, ever growing. */
  readonly key: number
  /** Participant id; null of ourselves. */
  readonly from: string | null
  /** What the writer was called then. */
  readonly name: string
  readonly text: string
  /** ms since the Unix epoch. */
  readonly at: number
  /** Of ours: to how many it has come; null before anything is known. */
  readonly delivery: { readonly delivered: number; readonly of: number } | null
}

/** The oldest go when there are more. */
export const MOST_ENTRIES = 500
/** What one person writes within so many ms stands under one name. */
const TOGETHER_MS = 120_000

export class ChatLog {
  #entries: readonly ChatEntry[] = []
  #unread = 0
  #open = false
  #nextKey = 0
  /** Keys of our entries by the id of the text. */
  readonly #ours = new Map<number, number>()

  get entries(): readonly ChatEntry[] {
    return this.#entries
  }

  /** Texts of others that came while the panel was closed. */
  get unread(): number {
    return this.#unread
  }

  /** The person sees the panel now, or does no longer. */
  show(open: boolean): void {
    this.#open = open
    if (open) this.#unread = 0
  }

  received({ from, text }: ReceivedText, name: string, at: number): void {
    if (!this.#open) this.#unread++
    this.#add({ from, name, text, at, delivery: null })
  }

  sent({ id, text }: ChatText, name: string, at: number): void {
    this.#ours.set(id, this.#nextKey)
    this.#add({ from: null, name, text, at, delivery: null })
  }

  delivered({ id, delivered, of }: ChatDelivery): void {
    const key = this.#ours.get(id)
    if (key === undefined) return
    this.#entries = this.#entries.map((entry) =>
      entry.key === key ? { ...entry, delivery: { delivered, of } } : entry,
    )
  }

  clear(): void {
    this.#entries = []
    this.#unread = 0
    this.#ours.clear()
  }

  #add(entry: Omit<ChatEntry, 'key'>): void {
    this.#entries = [...this.#entries, { key: this.#nextKey++, ...entry }].slice(-MOST_ENTRIES)
    const oldest = this.#entries[0]!.key
    for (const [id, key] of this.#ours) if (key < oldest) this.#ours.delete(id)
  }
}

/** Whether an entry needs its writer's name, or goes on under that of the one before. */
export function startsAnew(entry: ChatEntry, before: ChatEntry | undefined): boolean {
  return !before || before.from !== entry.from || entry.at - before.at > TOGETHER_MS
}

/** How far a text of ours has come, in words. */
export function deliveryText({ delivery }: ChatEntry): string {
  if (delivery === null) return 'Sent'
  const { delivered, of } = delivery
  if (of === 0) return 'Nobody else was here'
  if (delivered === 0) return 'Sent'
  if (delivered < of) return `Delivered to ${delivered} of ${of}`
  return of === 1 ? 'Delivered' : `Delivered to all ${of}`
}

/** On the button: nothing, a number, or `99+`. */
export function unreadText(unread: number): string {
  if (unread === 0) return ''
  return unread > 99 ? '99+' : String(unread)
}
