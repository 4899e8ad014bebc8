/** The padlock, and behind it what it stands on: the code to compare, and any security alarm. */

import type { Emoji, Snapshot, VerificationEvent } from '../index.ts'
import { Changes } from './changes.ts'
import { dialogOf } from './dialogs.ts'
import { find, setText } from './dom.ts'
import { Members } from './members.ts'
import { dayAndTime, groupDigits } from './text.ts'

const TRANSPORTS = { webtransport: 'WebTransport over QUIC', websocket: 'WebSocket over TCP' }

type Trust = 'broken' | 'pending' | 'check' | 'kept'

const WORDS: Readonly<Record<Trust, string>> = {
  broken: 'Security alarm',
  pending: 'Securing…',
  check: 'Compare the code',
  kept: 'Encrypted',
}
const TITLES: Readonly<Record<Trust, string>> = { ...WORDS, kept: 'End-to-end encrypted' }

export class Verification {
  readonly #padlock = find('#padlock', HTMLButtonElement)
  readonly #dialog = dialogOf('#verification')
  readonly #code = find('#verification-code', HTMLElement)
  readonly #emoji = find('#verification-emoji', HTMLElement)
  readonly #members = new Members()
  readonly #changes = new Changes()
  readonly #alarms = find('#alarms', HTMLElement)
  readonly #news = find('#code-news', HTMLElement)
  /** Number of the newest event that the person had before their eyes. */
  #seen = 0

  constructor() {
    this.#padlock.addEventListener('click', () => this.open())
  }

  open(): void {
    setText(this.#news, '')
    this.#dialog.showModal()
  }

  update(snapshot: Snapshot): void {
    const { verificationCode, verificationEmoji, verificationHistory, epoch } = snapshot
    const { participants, roster, suite, transport } = snapshot
    const alarms = participants.flatMap(({ name, id, alarms }) =>
      alarms.map((alarm) => `${name || id}: ${alarm}`),
    )
    if (this.#dialog.open) this.#seen = verificationHistory[0]?.number ?? 0
    const trust = trustIn(alarms, snapshot, this.#seen)
    this.#padlock.dataset.trust = trust
    setText(find('#padlock-text', HTMLElement), WORDS[trust])
    setText(find('#verification-title', HTMLElement), TITLES[trust])
    this.#padlock.title = `${TITLES[trust]}: show how to check`
    this.#showAlarms(alarms)
    this.#showCode(verificationCode, verificationHistory[0])
    this.#changes.update(verificationHistory)
    this.#showEmoji(verificationEmoji)
    this.#members.update(roster, participants)
    setText(find('#epoch', HTMLElement), String(epoch))
    setText(find('#suite-mls', HTMLElement), suite.mls)
    setText(find('#suite-sframe', HTMLElement), suite.sframe)
    setText(find('#transport', HTMLElement), TRANSPORTS[transport])
  }

  close(): void {
    this.#dialog.close()
    this.#seen = 0
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

  #showCode(code: string, newest: VerificationEvent | undefined): void {
    const text = groupDigits(code).join(' ')
    if (this.#code.textContent === text) return
    if (this.#dialog.open && newest) {
      setText(this.#news, `${dayAndTime(newest.time, Date.now())}: ${newest.text}`)
    }
    this.#code.textContent = text
  }
}

function trustIn(
  alarms: readonly string[],
  { verificationCode, verificationHistory }: Snapshot,
  seen: number,
): Trust {
  if (alarms.length > 0) return 'broken'
  if (verificationCode === '') return 'pending'
  const isNews = verificationHistory.some(({ number, level }) => number > seen && level !== 'info')
  return isNews ? 'check' : 'kept'
}
