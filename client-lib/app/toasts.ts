/** Short news that go by themselves. What a person must act on stands elsewhere, and stays. */

import { find } from './dom.ts'

const MOST = 3

export class Toasts {
  readonly #list = find('#toasts', HTMLElement)
  readonly #shown = new Map<string, { element: HTMLElement; timer: number }>()

  /** Shows the message, or shows it longer if it is there already. */
  show(message: string, durationMs = 6_000): void {
    const element = this.#shown.get(message)?.element ?? this.#add(message)
    clearTimeout(this.#shown.get(message)?.timer)
    const timer = window.setTimeout(() => this.#remove(message), durationMs)
    this.#shown.set(message, { element, timer })
    const [oldest] = this.#shown.keys()
    if (this.#shown.size > MOST && oldest !== undefined) this.#remove(oldest)
  }

  clear(): void {
    for (const message of [...this.#shown.keys()]) this.#remove(message)
  }

  #add(message: string): HTMLElement {
    const element = document.createElement('p')
    element.textContent = message
    this.#list.append(element)
    return element
  }

  #remove(message: string): void {
    const toast = this.#shown.get(message)
    clearTimeout(toast?.timer)
    toast?.element.remove()
    this.#shown.delete(message)
  }
}
