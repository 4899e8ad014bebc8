/** The padlock, and behind it what it stands on: the code to compare, and any security alarm. */

import type { Emoji, Snapshot } from '../index.ts'
import { dialogOf } from './dialogs.ts'
import { find, setText } from './dom.ts'
import { Members } from './members.ts'
import { groupDigits } from './text.ts'

const TRANSPORTS = { webtransport: 'WebTransport over QUIC', websocket: 'WebSocket over TCP' }

export class Verification {
  readonly #padlock = find('#padlock', HTMLButtonElement)
  readonly #dialog = dialogOf('#verification')
  readonly #code = find('#verification-code', HTMLElement)
  readonly #emoji = find('#verification-emoji', HTMLElement)
  readonly #members = new Members()
  readonly #alarms = find('#alarms', HTMLElement)
  readonly #news = find('#code-news', HTMLElement)

  constructor() {
    this.#padlock.addEventListener('click', () => this.open())
  }

  open(): void {
    setText(this.#news, '')
    this.#dialog.showModal()
  }

  update(snapshot: Snapshot): void {
    const { verificationCode, verificationEmoji, epoch, suite, transport } = snapshot
    const { participants, roster } = snapshot
    const alarms = participants.flatMap(({ name, id, alarms }) =>
      alarms.map((alarm) => `${name || id}: ${alarm}`),
    )
    const trust = alarms.length > 0 ? 'broken' : verificationCode === '' ? 'pending' : 'kept'
    this.#padlock.dataset.trust = trust
    const words = { broken: 'Security alarm', pending: 'Securing…', kept: 'Encrypted' }
    setText(find('#padlock-text', HTMLElement), words[trust])
    const titles = { ...words, kept: 'End-to-end encrypted' }
    setText(find('#verification-title', HTMLElement), titles[trust])
    this.#padlock.title = `${titles[trust]}: show how to check`
    this.#showAlarms(alarms)
    this.#showCode(verificationCode)
    this.#showEmoji(verificationEmoji)
    this.#members.update(roster, participants)
    setText(find('#epoch', HTMLElement), String(epoch))
    setText(find('#suite-mls', HTMLElement), suite.mls)
    setText(find('#suite-sframe', HTMLElement), suite.sframe)
    setText(find('#transport', HTMLElement), TRANSPORTS[transport])
  }

  close(): void {
    this.#dialog.close()
  }

  #showAlarms(alarms: readonly string[]): void {
    this.#alarms.hidden = alarms.length === 0
    if (alarms.join() === [...this.#alarms.children].map((item) => item.textContent).join()) return
    this.#alarms.replaceChildren(
      ...alarms.map((alarm) => {
        const item = document.createElement('li')
        item.textContent = alarm
        return item
      }),
    )
  }

  #showEmoji(emoji: readonly Emoji[]): void {
    const names = emoji.map(({ name }) => name).join()
    if (this.#emoji.dataset.names === names) return
    this.#emoji.dataset.names = names
    this.#emoji.replaceChildren(
      ...emoji.map(({ symbol, name }) => {
        const picture = document.createElement('span')
        picture.textContent = symbol
        picture.ariaHidden = 'true'
        const item = document.createElement('li')
        item.append(picture, name)
        return item
      }),
    )
  }

  #showCode(code: string): void {
    const text = groupDigits(code).join(' ')
    if (this.#code.textContent === text) return
    if (this.#dialog.open) {
      setText(this.#news, 'The code changed, because somebody came or left. Compare the new one.')
    }
    this.#code.textContent = text
  }
}
