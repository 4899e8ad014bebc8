/** What changed in the call's group, and when, in the verification panel: the newest first. */

import type { VerificationEvent, VerificationLevel } from '../index.ts'
import { element, find } from './dom.ts'
import { dayAndTime } from './text.ts'

/** What stands before a sentence that is not as it should be. */
const MARKS: Readonly<Record<VerificationLevel, string>> = {
  info: '',
  check: 'Compare again.',
  alarm: 'Security alarm.',
}

export class Changes {
  readonly #section = find('#changes', HTMLElement)
  readonly #list = find('#change-list', HTMLElement)
  #drawn: readonly VerificationEvent[] = []

  /** @param history the newest first; the same list as before has nothing new */
  update(history: readonly VerificationEvent[]): void {
    if (history === this.#drawn) return
    this.#drawn = history
    this.#section.hidden = history.length === 0
    const now = Date.now()
    this.#list.replaceChildren(...history.map((event) => item(event, now)))
  }
}

function item({ time, text, level }: VerificationEvent, now: number): HTMLElement {
  const when = element('time', dayAndTime(time, now))
  when.dateTime = new Date(time).toISOString()
  const made = element('li', '', level)
  const words = element('p', '')
  if (MARKS[level] !== '') words.append(element('strong', MARKS[level]), ' ')
  words.append(text)
  made.append(when, words)
  return made
}
