/** One picture on the stage: or initials while there is none, and who it is. */

import type { Call } from '../../index.ts'
import { find, setText } from '../dom.ts'
import { firstSentence, hueOf, initials } from '../text.ts'
import type { Box } from './boxes.ts'
import { type Picture, titleOf } from './pictures.ts'
import type { Subject } from './sights.ts'

/** A camera sends many frames a second; after this long without one the picture is an old one. */
const STALLED_MS = 4_000

export class Tile {
  readonly element: HTMLElement
  readonly #avatar: HTMLElement
  readonly #name: HTMLElement
  readonly #alarm: HTMLElement
  readonly #pin: HTMLButtonElement
  readonly #detach: () => void

  constructor(call: Call, { id, source }: Subject, onPin: () => void) {
    const markup = find('#tile', HTMLTemplateElement).content
    this.element = find('.tile', HTMLElement, document.importNode(markup, true))
    this.#avatar = find('.avatar', HTMLElement, this.element)
    this.#name = find('.name', HTMLElement, this.element)
    this.#alarm = find('.alarm', HTMLElement, this.element)
    this.#pin = find('.pin', HTMLButtonElement, this.element)
    this.#pin.addEventListener('click', onPin)
    if (source === 'camera') this.element.dataset.participant = id
    else this.element.dataset.screenOf = id
    this.element.classList.toggle('screen', source === 'screen')
    this.element.style.setProperty('--hue', String(hueOf(id)))
    this.#detach = call.attachVideo(id, find('canvas', HTMLCanvasElement, this.element), source)
  }

  update(picture: Picture, pinned: boolean): void {
    const { name, local, speaking, alarms, tracks } = picture.participant
    const isScreen = picture.source === 'screen'
    const kindOfPicture = isScreen ? 'screen' : 'video'
    const shown = tracks.filter(
      ({ kind, muted, lastFrameAgeMs }) =>
        kind === kindOfPicture && !muted && (local || lastFrameAgeMs !== null),
    )
    const heard = tracks.filter(({ kind, muted }) => kind === 'audio' && !muted)
    const stalled = shown.every(({ lastFrameAgeMs }) => (lastFrameAgeMs ?? 0) > STALLED_MS)
    const { classList } = this.element
    classList.toggle('pictured', shown.length > 0)
    classList.toggle('stalled', !local && stalled)
    classList.toggle('mirrored', local)
    classList.toggle('silent', !isScreen && heard.length === 0)
    classList.toggle('speaking', !isScreen && speaking && heard.length > 0)
    classList.toggle('alarmed', alarms.length > 0)
    setText(this.#avatar, initials(name))
    const title = titleOf(picture)
    setText(this.#name, title)
    setText(this.#alarm, isScreen ? '' : alarms.map(firstSentence).join(' '))
    this.#pin.setAttribute('aria-pressed', String(pinned))
    this.#pin.title = pinned ? 'Unpin' : 'Pin: keep it large'
    this.#pin.ariaLabel = `Pin ${title}`
  }

  /** Null: there is no place for it now. */
  place(box: Box | null): void {
    this.element.hidden = box === null
    if (box) placeAt(this.element, box)
  }

  remove(): void {
    this.#detach()
    this.element.remove()
  }
}

/** Where an element stands on the stage. */
export function placeAt({ style }: HTMLElement, { x, y, width, height }: Box): void {
  style.setProperty('--x', `${x}px`)
  style.setProperty('--y', `${y}px`)
  style.setProperty('--tile-width', `${width}px`)
  style.setProperty('--tile-height', `${height}px`)
}
