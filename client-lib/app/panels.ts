/**
 * The panels beside the stage, of which one is open at a time: who is here, the chat, the figures. A button
 * opens and closes each; Escape closes it too and brings the focus back to where it came from.
 */

import { find } from './dom.ts'

export type PanelName = 'people' | 'chat' | 'statistics'

export const PANELS: readonly PanelName[] = ['people', 'chat', 'statistics']

export class Panels {
  readonly #root = find('#call', HTMLElement)
  readonly #onChange: (open: PanelName | null) => void
  #open: PanelName | null = null
  #from: Element | null = null

  constructor(onChange: (open: PanelName | null) => void) {
    this.#onChange = onChange
    for (const name of PANELS) {
      find(`#${name}-button`, HTMLButtonElement).addEventListener('click', () => this.toggle(name))
      const panel = this.#panel(name)
      find('.close', HTMLButtonElement, panel).addEventListener('click', () => this.close())
      panel.addEventListener('keydown', (event) => {
        if (event.key !== 'Escape') return
        event.preventDefault()
        this.close()
      })
    }
  }

  get open(): PanelName | null {
    return this.#open
  }

  toggle(name: PanelName): void {
    if (this.#open === name) this.close()
    else this.#show(name)
  }

  close(): void {
    if (this.#open === null) return
    const from = this.#from
    this.#draw(null)
    if (from instanceof HTMLElement && from.checkVisibility()) from.focus()
    else find('#more', HTMLButtonElement).focus()
  }

  /** The call is over: nothing is to be focused. */
  reset(): void {
    this.#draw(null)
  }

  #show(name: PanelName): void {
    if (this.#open === null) this.#from = document.activeElement
    this.#draw(name)
    const panel = this.#panel(name)
    const first = panel.querySelector<HTMLElement>('[data-first]') ?? panel.querySelector('h2')
    first?.focus()
  }

  #draw(open: PanelName | null): void {
    this.#open = open
    for (const name of PANELS) {
      this.#panel(name).hidden = name !== open
      const button = find(`#${name}-button`, HTMLButtonElement)
      button.setAttribute('aria-expanded', String(name === open))
    }
    this.#root.classList.toggle('with-panel', open !== null)
    this.#onChange(open)
  }

  #panel(name: PanelName): HTMLElement {
    return find(`#${name}-panel`, HTMLElement)
  }
}
