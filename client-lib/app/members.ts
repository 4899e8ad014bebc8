/** Everybody who has the call's keys, in the verification panel: since when, with which key. */

import type { GroupMember, Participant } from '../index.ts'
import { element, find } from './dom.ts'
import { dayAndTime, groupDigits, sinceText } from './text.ts'

export class Members {
  readonly #section = find('#members', HTMLElement)
  readonly #list = find('#member-list', HTMLElement)
  /** What is drawn; drawn anew only when it changes, so that a selection stays. */
  #drawn = ''

  update(roster: readonly GroupMember[], participants: readonly Participant[]): void {
    const safetyNumbers = new Map(participants.map(({ id, safetyNumber }) => [id, safetyNumber]))
    const now = Date.now()
    const rows = roster.map((member) => ({
      who: nameOf(member),
      since: sinceText(member, dayAndTime(member.since.time, now)),
      details: [
        ['Safety number', groupDigits(safetyNumbers.get(member.id) ?? '').join(' ')],
        ['Key fingerprint', member.fingerprint],
        ['Place in the group', `leaf ${member.leaf}`],
      ] as const,
    }))
    const drawn = JSON.stringify(rows)
    if (drawn === this.#drawn) return
    this.#drawn = drawn
    this.#section.hidden = rows.length === 0
    this.#list.replaceChildren(
      ...rows.map(({ who, since, details }) => {
        const list = document.createElement('dl')
        for (const [name, value] of details) {
          if (value !== '') list.append(element('dt', name), element('dd', value))
        }
        const item = document.createElement('li')
        item.append(element('p', who, 'who'), element('p', since, 'since'), list)
        return item
      }),
    )
  }
}

function nameOf({ name, local, id }: GroupMember): string {
  if (local) return `${name} (you)`
  return name || `Somebody without a name yet (${id})`
}
