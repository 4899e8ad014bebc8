/** One participant on the stage: the picture, or initials while there is none, and who it is. */

import type { Call, Participant } from '../index.ts'
import { find, setText } from './dom.ts'
import { hueOf, initials } from './text.ts'

/** A camera sends many frames a second; after this long without one the picture is an old one. */
const STALLED_MS = 4_000

export class Tile {
  readonly element: HTMLElement
  readonly #avatar: HTMLElement
  readonly #name: HTMLElement
  readonly #alarm: HTMLElement
  readonly #detach: () => void

  constructor(call: Call, id: string) {
    const markup = find('#tile', HTMLTemplateElement).content
    this.element = find('.tile', HTMLElement, document.importNode(markup, true))
    this.#avatar = find('.avatar', HTMLElement, this.element)
    this.#name = find('.name', HTMLElement, this.element)
    this.#alarm = find('.alarm', HTMLElement, this.element)
    this.element.dataset.participant = id
    this.element.style.setProperty('--hue', String(hueOf(id)))
    this.#detach = call.attachVideo(id, find('canvas', HTMLCanvasElement, this.element))
  }

  update({ name, local, speaking, alarms, tracks }: Participant): void {
    const shown = tracks.filter(
      ({ kind, muted, lastFrameAgeMs }) =>
        (kind === 'video' || kind === 'screen') && !muted && (local || lastFrameAgeMs !== null),
    )
    const heard = tracks.filter(({ kind, muted }) => kind === 'audio' && !muted)
    const screen = shown.some(({ kind }) => kind === 'screen')
    const stalled = shown.every(({ lastFrameAgeMs }) => (lastFrameAgeMs ?? 0) > STALLED_MS)
    const { classList } = this.element
    classList.toggle('pictured', shown.length > 0)
    classList.toggle('screen', screen)
    classList.toggle('stalled', !local && !screen && stalled)
    classList.toggle('mirrored', local && !screen)
    classList.toggle('silent', heard.length === 0)
    classList.toggle('speaking', speaking && heard.length > 0)
    classList.toggle('alarmed', alarms.length > 0)
    setText(this.#avatar, initials(name))
    setText(this.#name, local ? `${name} (you)` : name || 'Somebody')
    setText(this.#alarm, alarms.join(' '))
  }

  remove(): void {
    this.#detach()
    this.element.remove()
  }
}
