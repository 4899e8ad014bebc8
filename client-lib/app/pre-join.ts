/** The form before a call: room, name, devices. It says at each field what is wrong with it. */

import type { DeviceIds } from './device-pickers.ts'
import { find, setText } from './dom.ts'
import { Preview } from './preview.ts'
import { nameProblem, type Problems, roomProblem, type Settings, tokenFrom } from './query.ts'
import { initials, roomFrom } from './text.ts'

export interface PreJoinHandlers {
  /** The person pressed Join, and everything is in order. */
  join(settings: Settings, devices: DeviceIds): void
  /** The person is about to press it. @param room as it stands in the form */
  soon(room: string): void
}

export class PreJoin {
  readonly #root = find('#pre-join', HTMLElement)
  readonly #room = find('#room', HTMLInputElement)
  readonly #name = find('#name', HTMLInputElement)
  readonly #token = find('#token', HTMLInputElement)
  readonly #audio = find('#join-audio', HTMLInputElement)
  readonly #video = find('#join-video', HTMLInputElement)
  readonly #join = find('#join', HTMLButtonElement)
  readonly #linkProblems = find('#link-problems', HTMLElement)
  readonly #preview: Preview
  readonly #handlers: PreJoinHandlers
  /** What the link asked for and the form does not show. */
  #settings: Settings

  constructor(settings: Settings, handlers: PreJoinHandlers) {
    this.#settings = settings
    this.#handlers = handlers
    this.#preview = new Preview((problem) => this.#showDeviceProblem(problem))
    find('#join-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault()
      this.#submit()
    })
    for (const sign of ['pointerenter', 'focus'] as const) {
      this.#join.addEventListener(sign, () => handlers.soon(this.#room.value.trim()))
    }
    this.#token.addEventListener('input', () => showProblem(this.#token, null))
    this.#room.addEventListener('input', () => showProblem(this.#room, null))
    this.#name.addEventListener('input', () => {
      showProblem(this.#name, null)
      this.#showInitials()
    })
    find('#new-room', HTMLButtonElement).addEventListener('click', () => {
      this.#room.value = roomFrom(crypto.getRandomValues(new Uint8Array(16)))
      showProblem(this.#room, null)
      this.#name.focus()
    })
  }

  show(settings: Settings, problems: Problems = {}): void {
    this.#settings = settings
    this.#room.value = settings.room
    this.#name.value = settings.name
    this.#audio.checked = settings.audio
    this.#video.checked = settings.video
    this.#showInitials()
    const { room = null, name = null, token = null, ...others } = problems
    showProblem(this.#room, room)
    showProblem(this.#name, name)
    showProblem(this.#token, token)
    this.#token.value = ''
    find('#token-field', HTMLElement).hidden = token === null
    const ofLink = Object.values(others)
    this.#linkProblems.hidden = ofLink.length === 0
    setText(this.#linkProblems, [...ofLink, 'Join takes the default instead.'].join('\n'))
    document.title = 'Sotto'
    this.#root.hidden = false
    if (token !== null && room === null && name === null) this.#token.focus()
    else this.#focusFirst(room, name)
  }

  hide(): void {
    this.#preview.stop()
    this.#root.hidden = true
  }

  #submit(): void {
    const room = this.#room.value.trim()
    const name = this.#name.value.trim()
    const problems = { room: roomProblem(room), name: nameProblem(name) }
    showProblem(this.#room, problems.room)
    showProblem(this.#name, problems.name)
    if (problems.room !== null || problems.name !== null) {
      this.#focusFirst(problems.room, problems.name)
      return
    }
    const audio = this.#audio.checked
    const video = this.#video.checked
    const token = tokenFrom(this.#token.value) ?? this.#settings.token
    const settings = { ...this.#settings, room, name, audio, video, token }
    this.#handlers.join(settings, this.#preview.chosen)
  }

  #focusFirst(roomIs: string | null, nameIs: string | null): void {
    if (roomIs !== null || this.#room.value === '') this.#room.focus()
    else if (nameIs !== null || this.#name.value === '') this.#name.focus()
    else this.#join.focus()
  }

  #showDeviceProblem(problem: string | null): void {
    const shown = find('#device-problem', HTMLElement)
    shown.hidden = problem === null
    setText(shown, problem ?? '')
  }

  #showInitials(): void {
    const name = this.#name.value.trim()
    setText(find('#preview-initials', HTMLElement), name === '' ? '' : initials(name))
  }
}

function showProblem(input: HTMLInputElement, problem: string | null): void {
  setText(find(`#${input.id}-problem`, HTMLElement), problem ?? '')
  input.setAttribute('aria-invalid', String(problem !== null))
}
