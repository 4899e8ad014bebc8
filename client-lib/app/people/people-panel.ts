/** Who is in the call: what of each comes here and how well, and whom the person wants large. */

import type { Participant, Snapshot } from '../../index.ts'
import { element, find, icon, setText } from '../dom.ts'
import { keyOf } from '../stage/pictures.ts'
import { hueOf, initials } from '../text.ts'
import { QualityMeter, qualityText } from './quality.ts'

interface Row {
  readonly item: HTMLElement
  readonly avatar: HTMLElement
  readonly name: HTMLElement
  readonly state: HTMLElement
  readonly bars: SVGElement
  readonly pin: HTMLButtonElement
}

export class PeoplePanel {
  readonly #list = find('#people-list', HTMLElement)
  readonly #title = find('#people-title', HTMLElement)
  readonly #rows = new Map<string, Row>()
  readonly #onPin: (key: string) => void
  #meter = new QualityMeter()

  /** @param onPin with the key of a picture, see `stage/pictures.ts` */
  constructor(onPin: (key: string) => void) {
    this.#onPin = onPin
  }

  update(snapshot: Snapshot, pinned: string | null, now: number): void {
    const { participants } = snapshot
    this.#meter.note(snapshot, now)
    setText(this.#title, `People (${participants.length})`)
    const present = new Set(participants.map(({ id }) => id))
    for (const [id, { item }] of this.#rows) {
      if (present.has(id)) continue
      item.remove()
      this.#rows.delete(id)
    }
    for (const participant of participants) {
      const row = this.#rows.get(participant.id) ?? this.#add(participant)
      this.#fill(row, participant, pinned)
    }
  }

  clear(): void {
    this.#list.replaceChildren()
    this.#rows.clear()
    this.#meter = new QualityMeter()
  }

  #add({ id }: Participant): Row {
    const avatar = element('span', '', 'avatar')
    avatar.ariaHidden = 'true'
    avatar.style.setProperty('--hue', String(hueOf(id)))
    const name = element('span', '', 'who')
    const state = element('span', '', 'state')
    const words = element('div', '', 'words')
    words.append(name, state)
    const bars = icon('bars', 'bars')
    const pin = document.createElement('button')
    pin.type = 'button'
    pin.className = 'quiet round pin'
    pin.append(icon('pin'))
    pin.addEventListener('click', () =>
      this.#onPin(keyOf({ source: 'camera', participant: { id } })),
    )
    const item = element('li', '')
    item.append(avatar, words, bars, pin)
    this.#list.append(item)
    const row = { item, avatar, name, state, bars, pin }
    this.#rows.set(id, row)
    return row
  }

  #fill(row: Row, participant: Participant, pinned: string | null): void {
    const { id, name, local, speaking, alarms } = participant
    const title = local ? `${name} (you)` : name || 'Somebody'
    const quality = this.#meter.of(id)
    const isPinned = pinned === keyOf({ source: 'camera', participant })
    setText(row.avatar, initials(name))
    setText(row.name, title)
    setText(row.state, stateText(participant, qualityText(quality)))
    row.bars.dataset.quality = quality ?? 'none'
    row.item.classList.toggle('talks', speaking)
    row.item.classList.toggle('alarmed', alarms.length > 0)
    row.pin.ariaLabel = `Pin ${title}`
    row.pin.title = isPinned ? 'Unpin' : 'Pin: keep it large'
    row.pin.setAttribute('aria-pressed', String(isPinned))
  }
}

/** What comes of somebody, in words: for everybody to read, and for a screen reader instead of the bars. */
export function stateText({ tracks, alarms }: Participant, quality: string): string {
  const has = (wanted: string) => tracks.some(({ kind, muted }) => kind === wanted && !muted)
  return [
    ...(alarms.length > 0 ? ['security alarm'] : []),
    ...(has('screen') ? ['shares a screen'] : []),
    has('audio') ? '' : 'muted',
    has('video') ? '' : 'camera off',
    quality,
  ]
    .filter((part) => part !== '')
    .join(', ')
}
