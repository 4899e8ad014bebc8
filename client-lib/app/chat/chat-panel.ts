/** The chat beside the stage: what was written, and a place to write. Texts are text and nothing else. */

import { type Call, ChatError } from '../../index.ts'
import { element, find, setText } from '../dom.ts'
import { type ChatEntry, ChatLog, deliveryText, startsAnew, unreadText } from './chat-log.ts'

/** So near the end, px, the person reads along, and new texts come into sight by themselves. */
const NEAR_END = 60

export interface ChatPanelHandlers {
  /** A text came that the person does not see. */
  unseen(name: string, text: string): void
}

export class ChatPanel {
  readonly #list = find('#chat-list', HTMLElement)
  readonly #scroll = find('#chat-log', HTMLElement)
  readonly #empty = find('#chat-empty', HTMLElement)
  readonly #input = find('#chat-input', HTMLTextAreaElement)
  readonly #problem = find('#chat-problem', HTMLElement)
  readonly #button = find('#chat-button', HTMLButtonElement)
  readonly #badge = find('#chat-badge', HTMLElement)
  readonly #log = new ChatLog()
  /** How far each drawn entry of ours has come. */
  readonly #states = new Map<number, HTMLElement>()
  readonly #handlers: ChatPanelHandlers
  #drawn: ChatEntry | undefined
  #call: Call | null = null

  constructor(handlers: ChatPanelHandlers) {
    this.#handlers = handlers
    find('#chat-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#send()
    })
    this.#input.addEventListener('keydown', (event) => {
      // Not the Enter that ends a word of an input method.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
      event.preventDefault()
      void this.#send()
    })
    this.#input.addEventListener('input', () => setText(this.#problem, ''))
  }

  /** @returns lets go of the call's events */
  follow(call: Call): () => void {
    this.#call = call
    const stops = [
      call.on('chat', (received) => {
        const sender = call.participants.find(({ id }) => id === received.from)
        const name = sender?.name || 'Somebody'
        this.#log.received(received, name, Date.now())
        this.#draw()
        if (this.#log.unread > 0) this.#handlers.unseen(name, received.text)
      }),
      call.on('chatDelivered', (delivery) => {
        this.#log.delivered(delivery)
        this.#draw()
      }),
    ]
    return () => {
      for (const stop of stops) stop()
      this.#call = null
    }
  }

  /** The person sees the panel now, or does no longer. */
  show(open: boolean): void {
    this.#log.show(open)
    this.#draw()
    if (open) this.#scroll.scrollTop = this.#scroll.scrollHeight
  }

  clear(): void {
    this.#log.clear()
    this.#states.clear()
    this.#drawn = undefined
    this.#list.replaceChildren()
    this.#input.value = ''
    setText(this.#problem, '')
    this.#draw()
  }

  async #send(): Promise<void> {
    const { value } = this.#input
    const call = this.#call
    if (value.trim() === '' || !call) return
    this.#input.value = ''
    setText(this.#problem, '')
    try {
      const sent = await call.sendChat(value)
      this.#log.sent(sent, 'You', Date.now())
      this.#draw()
      this.#scroll.scrollTop = this.#scroll.scrollHeight
    } catch (error) {
      if (call !== this.#call) return
      // What was not sent is given back, before what was written meanwhile.
      this.#input.value = [value, this.#input.value].filter((part) => part !== '').join('\n')
      setText(this.#problem, error instanceof ChatError ? error.message : 'The text was not sent.')
    }
  }

  #draw(): void {
    const { entries, unread } = this.#log
    const { scrollTop, clientHeight, scrollHeight } = this.#scroll
    const readsAlong = scrollHeight - scrollTop - clientHeight < NEAR_END
    for (const entry of entries) {
      const state = this.#states.get(entry.key)
      if (state) setText(state, deliveryText(entry))
      if (entry.key <= (this.#drawn?.key ?? -1)) continue
      this.#list.append(this.#item(entry))
      this.#drawn = entry
    }
    while (this.#list.childElementCount > entries.length) this.#list.firstElementChild!.remove()
    for (const key of this.#states.keys()) if (key < entries[0]!.key) this.#states.delete(key)
    this.#empty.hidden = entries.length > 0
    if (readsAlong) this.#scroll.scrollTop = this.#scroll.scrollHeight
    const badge = unreadText(unread)
    setText(this.#badge, badge)
    this.#badge.hidden = badge === ''
    this.#button.ariaLabel = unread === 0 ? 'Chat' : `Chat, ${unread} unread`
  }

  #item(entry: ChatEntry): HTMLElement {
    const item = element('li', '', entry.from === null ? 'own' : '')
    if (startsAnew(entry, this.#drawn)) {
      const head = element('p', '', 'head')
      head.append(element('strong', entry.name), element('time', timeOf(entry.at)))
      item.append(head)
    }
    item.append(element('p', entry.text, 'text'))
    if (entry.from === null) {
      const state = element('p', deliveryText(entry), 'delivery')
      this.#states.set(entry.key, state)
      item.append(state)
    }
    return item
  }
}

/** By the reader's own clock and habits. */
function timeOf(at: number): string {
  return new Date(at).toLocaleTimeString([], { timeStyle: 'short' })
}
