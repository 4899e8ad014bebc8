/** The link to the call, to be copied, and for those who cannot copy, to be read. */

import { dialogOf } from './dialogs.ts'
import { find, setText } from './dom.ts'
import { inviteLink } from './query.ts'

export class Invite {
  readonly #dialog = dialogOf('#invite')
  readonly #link = find('#invite-link', HTMLInputElement)
  readonly #news = find('#invite-news', HTMLElement)

  constructor() {
    this.#link.addEventListener('focus', () => this.#link.select())
    find('#invite-copy', HTMLButtonElement).addEventListener('click', () => void this.#copy())
  }

  open(room: string): void {
    this.#link.value = inviteLink(location.href, room)
    setText(this.#news, '')
    this.#dialog.showModal()
    this.#link.select()
  }

  close(): void {
    this.#dialog.close()
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.#link.value)
      setText(this.#news, 'Copied.')
    } catch {
      this.#link.focus()
      setText(
        this.#news,
        'This browser does not let the page copy. The link is marked: copy it yourself.',
      )
    }
  }
}
