/**
 * A call as the person sees it. Everything on it is drawn from the call's snapshot, anew with every
 * event and a few times a second, so that no view has a state of its own that could be wrong.
 */

import type { Call, CallError, Participant, Snapshot, VerificationEvent } from '../index.ts'
import { type Banner, BannerView } from './banner.ts'
import { ChatPanel } from './chat/chat-panel.ts'
import { DevicesDialog } from './devices-dialog.ts'
import { find, setText } from './dom.ts'
import { Help } from './help.ts'
import { Invite } from './invite.ts'
import { type PanelName, Panels } from './panels.ts'
import { PeoplePanel } from './people/people-panel.ts'
import type { Settings } from './query.ts'
import type { ShortcutAction } from './shortcuts.ts'
import { Stage } from './stage/stage.ts'
import { StatisticsPanel } from './statistics/statistics-panel.ts'
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

/** Reports of the call come more often; should they stop, pictures that stand still are to be seen as such. */
const REFRESH_MS = 1000
const DEVICE_ERRORS: readonly string[] = [
  'permission-denied',
  'no-device',
  'device-busy',
  'device-lost',
]
/** Of a text that is told of in passing. */
const MOST_TOLD = 80

/** Camera or microphone could not be had. */
interface DeviceTrouble {
  /** What it is, and what the person can do. */
  readonly text: string
  /** Those that were wanted. */
  readonly devices: readonly ('microphone' | 'camera')[]
}

export class CallView {
  readonly #root = find('#call', HTMLElement)
  readonly #title = find('#room-title', HTMLElement)
  readonly #headCount = find('#head-count', HTMLElement)
  readonly #banner = new BannerView()
  readonly #ending = find('#ending', HTMLElement)
  readonly #again = find('#again', HTMLButtonElement)
  readonly #stage = new Stage(() => this.#redraw())
  readonly #people = new PeoplePanel((key) => this.#stage.togglePin(key))
  readonly #statistics = new StatisticsPanel()
  readonly #chat: ChatPanel
  readonly #panels = new Panels((open) => this.#onPanel(open))
  readonly #verification = new Verification()
  readonly #invite = new Invite()
  readonly #devices: DevicesDialog
  readonly #help = new Help((action) => this.#act(action))
  readonly #toolbar: Toolbar
  readonly #toasts: Toasts
  #call: Call | null = null
  #room = ''
  #trouble: DeviceTrouble | null = null
  #release: (() => void)[] = []

  constructor(handlers: CallViewHandlers, toasts: Toasts) {
    this.#toasts = toasts
    this.#chat = new ChatPanel({
      unseen: (name, text) => toasts.show(`${name}: ${shortened(text)}`),
    })
    this.#devices = new DevicesDialog((message) => toasts.show(message, 10_000))
    this.#toolbar = new Toolbar({
      microphone: (on) => this.#call?.setMicrophone(on),
      camera: (on) => this.#call?.setCamera(on),
      screen: () => this.#act('screen'),
      layout: () => this.#act('layout'),
      devices: () => this.#act('devices'),
      invite: () => this.#act('invite'),
      help: () => this.#act('help'),
      leave: () => handlers.leave(),
    })
    this.#again.addEventListener('click', () => handlers.again())
    find('#back', HTMLButtonElement).addEventListener('click', () => handlers.back())
    find('#unseen', HTMLButtonElement).addEventListener('click', () => this.#act('people'))
  }

  /** Shows the call that is about to be. */
  open({ room, audio, video }: Settings): void {
    this.close()
    this.#room = room
    document.title = `${room} · Sotto`
    setText(this.#title, room)
    setText(this.#headCount, '')
    this.#banner.show({ text: 'Joining…' })
    this.#chat.clear()
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
      this.#chat.follow(call),
      this.#devices.follow(call),
      call.on('state', () => this.#draw(call)),
      call.on('epoch', () => this.#draw(call)),
      call.on('participants', () => this.#draw(call)),
      call.on('error', (error) => this.#tell(error)),
      call.on('verification', (event) => this.#warn(event)),
    ]
    this.#draw(call)
  }

  /** The call is over, or never was. */
  end(title: string, text: string, again: string): void {
    this.#letGo()
    this.#toolbar.hide()
    this.#banner.show({ text: '' })
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
    this.#trouble = null
    this.#stage.clear()
    this.#people.clear()
    this.#statistics.clear()
    this.#panels.reset()
    this.#verification.close()
    this.#invite.close()
    this.#help.close()
    this.#toasts.clear()
    find('#padlock', HTMLElement).hidden = true
  }

  #redraw(): void {
    if (this.#call) this.#draw(this.#call)
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
        this.#drawLive(call, snapshot)
    }
  }

  #drawLive(call: Call, snapshot: Snapshot): void {
    const { participants } = snapshot
    const local = participants.find((participant) => participant.local)
    this.#stage.update(call, snapshot)
    this.#toolbar.follow(local, this.#stage.layout)
    this.#verification.update(snapshot)
    this.#people.update(snapshot, this.#stage.pinned, performance.now())
    this.#statistics.update(snapshot, performance.now())
    find('#padlock', HTMLElement).hidden = false
    setText(this.#headCount, headCount(snapshot))
    if (this.#trouble && isOver(this.#trouble, local)) this.#trouble = null
    this.#banner.show(this.#bannerOf(snapshot, local))
  }

  #onPanel(open: PanelName | null): void {
    this.#chat.show(open === 'chat')
    this.#statistics.show(open === 'statistics', this.#call?.snapshot() ?? null)
  }

  #act(action: ShortcutAction): void {
    const call = this.#call
    if (!call) return
    switch (action) {
      case 'microphone':
      case 'camera':
        this.#toolbar.toggle(action)
        break
      case 'screen':
        this.#toggleScreen(call)
        break
      case 'layout':
        this.#stage.layout = this.#stage.layout === 'grid' ? 'speaker' : 'grid'
        this.#draw(call)
        break
      case 'chat':
      case 'people':
      case 'statistics':
        this.#panels.toggle(action)
        break
      case 'verification':
        this.#verification.open()
        break
      case 'devices':
        this.#devices.open()
        break
      case 'invite':
        this.#invite.open(this.#room)
        break
      case 'help':
        this.#help.open()
    }
  }

  #toggleScreen(call: Call): void {
    const local = call.participants.find((participant) => participant.local)
    if (isSharing(local)) call.stopScreen()
    else void call.shareScreen()
  }

  /** What asks for a look at the keys; the padlock keeps it until that was had. */
  #warn({ level, text, participant }: VerificationEvent): void {
    if (level === 'check' || (level === 'alarm' && participant === this.#call?.self)) {
      this.#toasts.show(text, 15_000)
    }
  }

  #tell({ code, message, device }: CallError): void {
    if (!DEVICE_ERRORS.includes(code) || device === 'screen' || device === 'speaker') {
      this.#toasts.show(message, 10_000)
      return
    }
    const local = this.#call?.participants.find((participant) => participant.local)
    const wanted = this.#toolbar.turnedOn.filter((one) => !isOpen(local, one))
    const devices = wanted.filter((one) => device === undefined || device === one)
    this.#toolbar.giveUp(device)
    const before = this.#trouble?.devices.filter((one) => !devices.includes(one)) ?? []
    this.#trouble = { text: message, devices: [...before, ...devices] }
    this.#redraw()
  }

  /** What matters most now. */
  #bannerOf({ state, joinMs, participants }: Snapshot, local: Participant | undefined): Banner {
    const trouble = this.#trouble
    if (state === 'reconnecting') {
      return { text: 'The connection was lost. Reconnecting…', urgent: true }
    }
    if (trouble) {
      const retry = { label: 'Try again', run: () => this.#retry(trouble) }
      const dismiss = { label: 'Go on without', run: () => this.#dismiss() }
      const actions = trouble.devices.length > 0 ? [retry, dismiss] : [dismiss]
      return { text: trouble.text, urgent: true, actions }
    }
    if (state === 'joining') {
      return { text: joinMs.connected === null ? 'Connecting…' : 'Agreeing on keys…' }
    }
    if (isSharing(local)) {
      const stop = { label: 'Stop sharing', run: () => this.#act('screen') }
      return { text: 'You are sharing your screen.', actions: [stop] }
    }
    if (participants.length > 1) return { text: '' }
    const invite = { label: 'Invite people', run: () => this.#act('invite') }
    return { text: 'Nobody else is here yet.', actions: [invite] }
  }

  #retry({ devices }: DeviceTrouble): void {
    this.#dismiss()
    const on = this.#toolbar.turnedOn
    for (const device of devices) if (!on.includes(device)) this.#toolbar.toggle(device)
  }

  #dismiss(): void {
    this.#trouble = null
    this.#redraw()
    // The button that had the focus is gone.
    find('#mic', HTMLButtonElement).focus()
  }
}

function headCount({ participants: { length } }: Snapshot): string {
  return length < 2 ? '' : `${length} people`
}

function isOver({ devices }: DeviceTrouble, local: Participant | undefined): boolean {
  return devices.length > 0 && devices.every((device) => isOpen(local, device))
}

function isOpen(local: Participant | undefined, device: 'microphone' | 'camera'): boolean {
  const wanted = device === 'microphone' ? 'audio' : 'video'
  return local?.tracks.some(({ kind, muted }) => kind === wanted && !muted) ?? false
}

function isSharing(local: Participant | undefined): boolean {
  return local?.tracks.some(({ kind }) => kind === 'screen') ?? false
}

function shortened(text: string): string {
  return text.length > MOST_TOLD ? `${text.slice(0, MOST_TOLD)}…` : text
}
