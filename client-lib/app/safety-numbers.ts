/** The safety numbers of the others, in the verification panel: a name and 60 digits each. */

import type { Participant } from '../index.ts'
import { find } from './dom.ts'
import { groupDigits } from './text.ts'

export class SafetyNumbers {
  readonly #section = find('#safety', HTMLElement)
  readonly #list = find('#safety-numbers', HTMLElement)
  /** What is drawn; drawn anew only when it changes, so that a selection stays. */
  #drawn = ''

  update(participants: readonly Participant[]): void {
    const numbers = participants
      .filter(({ safetyNumber }) => safetyNumber !== '')
      .map(({ name, safetyNumber }) => ({ name: name || 'Somebody', safetyNumber }))
    const drawn = JSON.stringify(numbers)
    if (drawn === this.#drawn) return
    this.#drawn = drawn
    this.#section.hidden = numbers.length === 0
    this.#list.replaceChildren(
      ...numbers.flatMap(({ name, safetyNumber }) => [
        element('dt', name),
        element('dd', groupDigits(safetyNumber).join(' ')),
      ]),
    )
  }
}

function element(tag: 'dt' | 'dd', text: string): HTMLElement {
  const made = document.createElement(tag)
  made.textContent = text
  return made
}
