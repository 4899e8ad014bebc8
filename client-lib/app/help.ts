/** The keyboard shortcuts: a list of them, and whether they are on. The browser remembers that. */

import { dialogOf } from './dialogs.ts'
import { element, find } from './dom.ts'
import { actionOf, SHORTCUTS, type ShortcutAction, takesLetters } from './shortcuts.ts'

const REMEMBERED = 'sotto-shortcuts'

export class Help {
  readonly #dialog = dialogOf('#help')
  readonly #switch = find('#shortcuts-on', HTMLInputElement)

  /** @param onAction what a key asks for while a call is shown */
  constructor(onAction: (action: ShortcutAction) => void) {
    find('#shortcut-list', HTMLElement).replaceChildren(
      ...SHORTCUTS.flatMap(({ key, text }) => {
        const name = element('dt', '')
        name.append(element('kbd', key))
        return [name, element('dd', text)]
      }),
    )
    this.#switch.checked = remembered() !== 'off'
    this.#switch.addEventListener('change', () => remember(this.#switch.checked ? 'on' : 'off'))
    document.addEventListener('keydown', (event) => {
      if (!this.#switch.checked || event.defaultPrevented) return
      const action = actionOf(event, takesLetters(document.activeElement))
      if (action === null) return
      event.preventDefault()
      onAction(action)
    })
  }

  open(): void {
    this.#dialog.showModal()
  }

  close(): void {
    this.#dialog.close()
  }
}

/** A browser may refuse to remember anything. */
function remembered(): string | null {
  try {
    return localStorage.getItem(REMEMBERED)
  } catch {
    return null
  }
}

function remember(value: string): void {
  try {
    localStorage.setItem(REMEMBERED, value)
  } catch {
    // Then it holds until the page is closed.
  }
}
