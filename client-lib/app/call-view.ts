/**
 * A call as the person sees it. Everything on it is drawn from the call's snapshot, anew with every
 * event and a few times a second, so that no view has a state of its own that could be wrong.
 */

import type { Call, CallError, Snapshot } from '../index.ts'
import { find, setText } from './dom.ts'
import { inviteLink, type Settings } from './query.ts'
import { Stage } from './stage.ts'
import type { Toasts } from './toasts.ts'
import { Toolbar } from './toolbar.ts'
import { Verification } from './verification.ts'

export interface CallViewHandlers {
  leave(): void
  /** Join the same room again, with the same settings. */
  again(): void
  /** Back to the form. */
  back(): void
}

/** How often levels and ages of pictures are looked at. */
const REFRESH_MS = 250
const DEVICE_ERRORS: readonly string[] = ['permission-denied', 'no-device', 'device-busy']

export class CallView {
  readonly #root = find('#call', HTMLElement)
  readonly #title = find('#room-title', HTMLElement)
  readonly #headCount = find('#head-count', HTMLElement)
  readonly #banner = find('#banner', HTMLElement)
  readonly #ending = find('#ending', HTMLElement)
  readonly #again = find('#again', HTMLButtonElement)
  readonly #stage = new Stage()
  readonly #verification = new Verification()
  readonly #toolbar: Toolbar
  readonly #toasts: Toasts
  #call: Call | null = null
  #room = ''
  #release: (() => void)[] = []

  constructor(handlers: CallViewHandlers, toasts: Toasts) {
    this.#toasts = toasts
    this.#toolbar = new Toolbar({
      microphone: (on) => this.#call?.setMicrophone(on),
      camera: (on) => this.#call?.setCamera(on),
      share: () => void this.#share(),
      leave: () => handlers.leave(),
    })
    this.#again.addEventListener('click', () => handlers.again())
    find('#back', HTMLButtonElement).addEventListener('click', () => handlers.back())
  }

  /** Shows the call that is about to be. */
  open({ room, audio, video }: Settings): void {
    this.close()
    this.#room = room
    document.title = `${room} · Sotto`
    setText(this.#title, room)
    setText(this.#headCount, '')
    setText(this.#banner, 'Joining…')
    this.#toolbar.show(audio, video)
    this.#ending.hidden = true
    this.#root.hidden = false
    this.#title.focus()
  }

  follow(call: Call): void {
    this.#call = call
    const timer = setInterval(() => this.#draw(call), REFRESH_MS)
    this.#release = [
      () => clearInterval(timer),
      call.on('state', () => this.#draw(call)),
      call.on('epoch', () => this.#draw(call)),
      call.on('participants', () => this.#draw(call)),
      call.on('error', (error) => this.#tell(error)),
    ]
    this.#draw(call)
  }

  /** The call is over, or never was. */
  end(title: string, text: string, again: string): void {
    this.#letGo()
    this.#toolbar.hide()
    setText(this.#banner, '')
    setText(this.#headCount, '')
    setText(find('#ending-title', HTMLElement), title)
    setText(find('#ending-text', HTMLElement), text)
    setText(this.#again, again)
    this.#ending.hidden = false
    this.#again.focus()
  }

  left(): void {
    this.end('You left the call', 'This page has forgotten its keys.', 'Join again')
  }

  close(): void {
    this.#letGo()
    this.#root.hidden = true
  }

  #letGo(): void {
    for (const release of this.#release) release()
    this.#release = []
    this.#call = null
    this.#stage.clear()
    this.#verification.close()
    this.#toasts.clear()
    find('#padlock', HTMLElement).hidden = true
  }

  #draw(call: Call): void {
    const snapshot = call.snapshot()
    switch (snapshot.state) {
      case 'left':
        this.left()
        break
      case 'failed':
        this.end('The call failed', snapshot.error?.message ?? 'Nobody knows why.', 'Try again')
        break
      case 'joining':
      case 'connected':
      case 'reconnecting':
        this.#stage.update(call, snapshot.participants)
        this.#toolbar.follow(snapshot.participants.find(({ local }) => local))
        this.#verification.update(snapshot)
        find('#padlock', HTMLElement).hidden = false
        setText(this.#headCount, headCount(snapshot))
        setText(this.#banner, bannerText(snapshot))
        this.#banner.classList.toggle('urgent', snapshot.state === 'reconnecting')
    }
  }

  #tell({ code, message }: CallError): void {
    if (DEVICE_ERRORS.includes(code)) this.#toolbar.giveUp()
    this.#toasts.show(message, 10_000)
  }

  async #share(): Promise<void> {
    const link = inviteLink(location.href, this.#room)
    try {
      await navigator.clipboard.writeText(link)
      this.#toasts.show('Link copied. Whoever has it can join the call.')
    } catch {
      this.#toasts.show(`Copy this link: ${link}`, 20_000)
    }
  }
}

function headCount({ participants: { length } }: Snapshot): string {
  return length < 2 ? '' : `${length} people`
}

function bannerText({ state, joinMs, participants }: Snapshot): string {
  if (state === 'reconnecting') return 'The connection was lost. Reconnecting…'
  if (state === 'joining') return joinMs.connected === null ? 'Connecting…' : 'Agreeing on keys…'
  return participants.length > 1 ? '' : 'Nobody else is here yet. Copy the link to invite somebody.'
}
